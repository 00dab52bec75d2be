import Compute

/// The crops that an experiment is validated on: one around every nodule of the held-out fold above the first size
/// limit, always the same.
public struct ValidationSet: Sendable {
    private let builder: CropBuilder
    private let patches: [Int]

    public init(source: some PatchSource, configuration: SamplingConfiguration) {
        builder = CropBuilder(source: source, configuration: configuration)
        patches = source.patches.indices.filter { index in
            let patch = source.patches[index]
            guard let fold = configuration.validationFold, patch.fold == fold, patch.kind == .nodule,
                let target = patch.target
            else { return false }
            return Sampler.copies(diameter: patch.nodules[target].diameter, preset: configuration.preset) > 0
        }
    }

    public var count: Int { patches.count }

    /// A micro-batch of one crop, with every negative cell labelled.
    ///
    /// - Throws: What reading the patch throws.
    public func sample(_ index: Int) throws -> MicroBatch {
        var generator = CounterGenerator(
            seed: builder.configuration.seed, purpose: "validation", UInt64(patches[index]))
        let crop = try builder.validationCrop(patches[index], &generator)
        return builder.stack([crop], mode: .validation, generators: [generator])
    }
}
