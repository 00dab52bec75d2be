// What a run will need of memory and disk, before it starts.

import Basics
import Detection
import Exchange
import Learning
import Networks
import PatchData

extension TrainingConfiguration {
    /// The floats that every replica contributes to a step's reduction: gradients, batch statistics, loss terms.
    public var reductionCount: Int { Learner.Layout(network).count }

    /// Bytes of these as they travel.
    public var reducedBytes: Int {
        let gradients = network.parameters.count
        return (gradientExchange == .bfloat16 ? 2 : 4) * gradients + 4 * (reductionCount - gradients)
    }

    /// Bytes of a checkpoint: state, momentum, those of sites with local steps, and the file's own.
    public var checkpointBytes: Int {
        (1 + (localSteps == nil ? 0 : sites)) * siteBytes + (1 << 20)
    }

    /// Bytes of a network's state and its optimiser's.
    private var siteBytes: Int {
        4 * ((1 + makeOptimizer().slots.count) * network.parameters.count + network.statistics.count)
    }

    /// The program, its libraries and their buffers.
    private static let programBytes = 48 << 20

    /// About how many bytes a rank has resident at most, by what a step is planned to take and the sizes of
    /// what training holds beside it.
    ///
    /// - Parameters:
    ///   - ranks: That share the replicas; where they cannot, as if each had one more.
    ///   - threads: Of a rank.
    public func memory(ranks: Int, threads: Int) -> Int {
        var step = network.trainingBytes(ZYX(repeating: cropSize), samples: microBatch, threads: threads)
        if validationFold != nil, evaluateEveryEpochs != nil { step = max(step, evaluateMemoryMiB << 20) }
        // State, optimiser's state, one gradient.
        return Self.programBytes + step + (2 + makeOptimizer().slots.count) * 4 * reductionCount
            + memoryBesideStep(ranks: ranks)
    }

    /// What training holds beside one replica's step with its weights, momentum and gradient, in bytes: sums of other
    /// replicas' gradients, those that other ranks send, a checkpoint's copy, and crops made ahead.
    public func memoryBesideStep(ranks: Int) -> Int {
        let replicas = (self.replicas + ranks - 1) / ranks
        let levels = Int.bitWidth - 1 - replicas.leadingZeroBitCount
        let vectors = levels + (ranks > 1 ? 1 : 0) + 2
        let cells = (cropSize / network.stride) * (cropSize / network.stride) * (cropSize / network.stride)
        let crop = cropSize * cropSize * cropSize + cells * (3 + preset.anchors.count * 5)
        // With local steps: the shared network and its momentum, the sites beyond the first, the outer update's
        // vectors; on rank 0 all sites on their way into a checkpoint.
        let ownSites = max(1, sites / ranks)
        let outer = localSteps == nil ? 0 : (ownSites + 2 + sites) * siteBytes
        // Those of the step, two steps ahead, and the one that is being made.
        return outer + 4 * (vectors * reductionCount + (3 * replicas + 1) * microBatch * crop)
    }
}
