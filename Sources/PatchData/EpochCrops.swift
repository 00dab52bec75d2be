import Basics
import CT
import Detection

/// A training crop with all that is known of it.
public struct SampledCrop: Sendable {
    public var seriesUID: String
    /// Voxels along each axis.
    public var side: Int
    /// [side, side, side], grey levels before they are normalised for the network.
    public var voxels: [UInt8]
    /// All nodules that reach into the patch it was cut from, in the crop's voxels.
    public var nodules: [Box]
    /// The nodule that the crop was made for, as an index into `nodules`; nil for a random crop.
    public var target: Int?
    public var changes: CropChanges
    /// [side/4, side/4, side/4, anchors, 5], the recipe's labels.
    public var labels: [Float]
}

/// The crops of an epoch one by one, for people to look at: the very ones that `TrainingLoader` makes.
public struct EpochCrops: Sendable {
    public let epoch: Int
    private let builder: CropBuilder
    private let samples: [Sample]

    /// - Parameter epoch: From 1.
    /// - Throws: `InputError` where there is nothing to train on.
    public init(
        source: some PatchSource, configuration: SamplingConfiguration, epoch: Int, name: String = "data set"
    ) throws {
        self.epoch = epoch
        samples = try Sampler(source, configuration, name: name).samples(epoch: epoch)
        builder = CropBuilder(source: source, configuration: configuration)
    }

    public var count: Int { samples.count }

    /// The crop at a position: position p belongs to step p / (replicas · microBatch), there to replica
    /// p / microBatch mod replicas.
    ///
    /// - Throws: What reading its patch throws.
    public func crop(_ position: Int) throws -> SampledCrop {
        let ((crop, seriesUID), generator) = try builder.trainingCrop(samples, epoch: epoch, position: position)
        let batch = builder.stack([(crop, seriesUID)], mode: .training, generators: [generator])
        return SampledCrop(
            seriesUID: seriesUID, side: crop.side, voxels: crop.voxels, nodules: crop.nodules, target: crop.target,
            changes: crop.changes, labels: batch.labels.values)
    }
}
