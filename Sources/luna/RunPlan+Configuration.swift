import Diagnosis
import Exchange
import PatchData
import Training

extension RunPlan {
    /// Makes the plan of a run with a configuration, for each of some ranks.
    init(
        _ configuration: TrainingConfiguration, ranks: Int, threads: Int, source: PatchDataset?, hasTimeline: Bool
    ) {
        let manifest = source?.manifest
        let bytes = manifest.map { $0.folds.flatMap(\.shards).reduce(0) { $0 + $1.bytes } } ?? 0
        let patches = manifest?.patches ?? 0
        self.init(
            replicas: configuration.replicas, microBatch: configuration.microBatch, cropSize: configuration.cropSize,
            reduction: configuration.reduction.rawValue,
            memory: configuration.memory(ranks: ranks, threads: threads)
                + Self.memoryBesideTraining(configuration, ranks: ranks, hasTimeline: hasTimeline),
            checkpointBytes: configuration.checkpointBytes,
            // The best one and the one being written come on top.
            checkpoints: configuration.keepCheckpoints + 2,
            bytesPerCrop: patches > 0 ? Double(bytes) / Double(patches) : nil,
            reductionBytes: 4 * configuration.reductionCount)
        if configuration.sites > 1 { stepsPerReduction = configuration.localSteps ?? 1 }
    }

    /// The bytes that a rank takes for exchanging gradients, and for a timeline.
    static func memoryBesideTraining(_ configuration: TrainingConfiguration, ranks: Int, hasTimeline: Bool) -> Int {
        configuration.exchangeBytes(ranks: ranks) + (hasTimeline ? Trainer.timelineBytes(ranks: ranks) : 0)
    }
}
