import Basics
import CT
import Detection

/// A training crop with all that is known of it.
public struct SampledCrop: Sendable {
    /// The scan that the crop comes from.
    public var seriesUID: String
    /// The number of voxels along each axis.
    public var side: Int
    /// The grey levels [side, side, side] before they are normalised for the network.
    public var voxels: [UInt8]
    /// The nodules that reach into the patch that the crop was cut from, in the crop's voxels.
    public var nodules: [Box]
    /// The nodule that the crop was made for, as an index into `nodules`; nil for a random crop.
    public var target: Int?
    /// The changes that augmentation has made.
    public var changes: CropChanges
    /// The recipe's labels [side/4, side/4, side/4, anchors, components].
    public var labels: [Float]
}

/// The crops of an epoch one by one, for people to look at: the very ones that `TrainingLoader` makes.
public struct EpochCrops: Sendable {
    /// The epoch, from 1.
    public let epoch: Int
    private let builder: CropBuilder
    private let samples: [Sample]

    /// Draws the samples of an epoch.
    ///
    /// - Parameters:
    ///   - source: The patches.
    ///   - configuration: The experiment's samples.
    ///   - epoch: From 1.
    ///   - name: The data set's name in messages.
    /// - Throws: `InputError` where there is nothing to train on.
    public init(
        source: some PatchSource, configuration: SamplingConfiguration, epoch: Int, name: String = "data set"
    ) throws {
        self.epoch = epoch
        samples = try Sampler(source, configuration, name: name).samples(epoch: epoch)
        builder = CropBuilder(source: source, configuration: configuration)
    }

    /// The number of crops, the tail that does not fill a step included.
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
