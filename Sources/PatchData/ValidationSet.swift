import Basics
import CT
import Detection

/// The crops that an experiment is validated on: one around every nodule of the held-out fold above the first size
/// limit, always the same.
public struct ValidationSet: Sendable {
    private let builder: CropBuilder
    private let patches: [Int]

    /// Chooses the crops.
    ///
    /// - Parameters:
    ///   - source: The patches.
    ///   - configuration: The experiment's samples; without a validation fold there are no crops.
    public init(source: some PatchSource, configuration: SamplingConfiguration) {
        builder = CropBuilder(source: source, configuration: configuration)
        patches = source.patches.indices.filter { index in
            let patch = source.patches[index]
            guard let fold = configuration.validationFold, patch.fold == fold, patch.kind == .nodule,
                let target = patch.target
            else { return false }
            return configuration.preset.copies(diameter: patch.nodules[target].diameter) > 0
        }
    }

    /// The number of crops.
    public var count: Int { patches.count }

    /// A micro-batch of one crop, with every negative cell labelled.
    ///
    /// - Throws: What reading the patch throws.
    public func sample(_ index: Int) throws -> MicroBatch { try sampleWithCrop(index).batch }

    /// A micro-batch of one crop as `sample` gives it, and the crop itself, for people to look at.
    ///
    /// - Throws: What reading the patch throws.
    public func sampleWithCrop(_ index: Int) throws -> (batch: MicroBatch, crop: SampledCrop) {
        var generator = CounterGenerator(
            seed: builder.configuration.seed, purpose: "validation", UInt64(patches[index]))
        let (crop, seriesUID) = try builder.validationCrop(patches[index], &generator)
        let batch = builder.stack([(crop, seriesUID)], mode: .validation, generators: [generator])
        return (
            batch,
            SampledCrop(
                seriesUID: seriesUID, side: crop.side, voxels: crop.voxels, nodules: crop.nodules, target: crop.target,
                changes: crop.changes, labels: batch.labels.values)
        )
    }
}
