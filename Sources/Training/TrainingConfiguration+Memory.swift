// The memory and disk space that a run will need, computed before it starts.

import Basics
import Detection
import Exchange
import Learning
import Networks
import PatchData

extension TrainingConfiguration {
    /// The number of floats that every replica contributes to a step's reduction: gradients, batch statistics, loss
    /// terms.
    public var reductionCount: Int { Learner.Layout(network).count }

    /// The bytes of these floats as they travel.
    public var reducedBytes: Int {
        let gradients = network.parameters.count
        return (gradientExchange == .bfloat16 ? 2 : 4) * gradients + 4 * (reductionCount - gradients)
    }

    /// The bytes of a checkpoint: the network's state, the optimiser's, the sites' own with local steps, and the file's
    /// overhead.
    public var checkpointBytes: Int {
        (1 + (localSteps == nil ? 0 : sites)) * siteBytes + (1 << 20)
    }

    /// The bytes of a network's state and its optimiser's.
    private var siteBytes: Int {
        let states = ema == nil ? 1 : 2
        return 4
            * ((states + makeOptimizer().slots.count) * network.parameters.count + states * network.statistics.count)
    }

    /// The bytes of the program, its libraries and their buffers.
    private static let programBytes = 48 << 20

    /// The most memory that a rank has resident, in bytes, estimated from the plan of a step and the sizes of what
    /// training holds beside it.
    ///
    /// - Parameters:
    ///   - ranks: The number of ranks that share the replicas; where they do not divide evenly, rounded up.
    ///   - threads: The number of threads of a rank.
    public func memory(ranks: Int, threads: Int) -> Int {
        let isAlone = replicasTogether(ranks: ranks) == 1
        let training = trainingBytes(ranks: ranks, threads: threads)
        let search = validationFold != nil && evaluateEveryEpochs != nil ? evaluateMemoryMiB << 20 : 0
        let step = isAlone ? max(training, search) : training + search
        // State, the weights' mean, optimiser's state, one gradient.
        let states = ema == nil ? 1 : 2
        return Self.programBytes + step + (states + 1 + makeOptimizer().slots.count) * 4 * reductionCount
            + memoryBesideStep(ranks: ranks) + memoryOfOtherReplicas(ranks: ranks, threads: threads)
    }

    /// The number of replicas that a rank runs side by side: one, or all of a site that it has where they share batch
    /// statistics; where ranks do not divide them evenly, rounded up.
    private func replicasTogether(ranks: Int) -> Int {
        let ranksPerSite = max(1, ranks / sites)
        return synchronizedBatchNorm ? (replicas / sites + ranksPerSite - 1) / ranksPerSite : 1
    }

    /// The bytes of one replica's step: activations and scratch memory.
    private func trainingBytes(ranks: Int, threads: Int) -> Int {
        let threads = max(1, threads / replicasTogether(ranks: ranks))
        return MemoryPlan(network).training(ZYX(repeating: cropSize), samples: microBatch, threads: threads)
    }

    /// The bytes of the replicas that run beside one replica's step, and of the network that validates and has none of
    /// their memory; 0 where replicas run one after another.
    ///
    /// - Parameters:
    ///   - ranks: The number of ranks that share the replicas.
    ///   - threads: The number of threads of a rank.
    public func memoryOfOtherReplicas(ranks: Int, threads: Int) -> Int {
        let together = replicasTogether(ranks: ranks)
        guard together > 1 else { return 0 }
        return (together - 1) * trainingBytes(ranks: ranks, threads: threads)
            + MemoryPlan(network).evaluation(ZYX(repeating: cropSize))
    }

    /// The memory that training holds beside one replica's step with its weights, momentum and gradient, in bytes: sums
    /// of other replicas' gradients, gradients from other ranks, a checkpoint's copy, and crops made ahead.
    public func memoryBesideStep(ranks: Int) -> Int {
        let replicas = (self.replicas + ranks - 1) / ranks
        let levels = Int.bitWidth - 1 - replicas.leadingZeroBitCount
        // A checkpoint's copy holds the state, the weights' mean and the optimiser's slots.
        let copied = (ema == nil ? 1 : 2) + makeOptimizer().slots.count
        // Replicas that run side by side have vectors of their own.
        let own = synchronizedBatchNorm ? replicasTogether(ranks: ranks) : 0
        let vectors = levels + (ranks > 1 ? 1 : 0) + copied + own
        let cells = (cropSize / network.stride) * (cropSize / network.stride) * (cropSize / network.stride)
        let crop = cropSize * cropSize * cropSize + cells * (3 + network.anchors * network.components)
        // With local steps: the shared network and its momentum, the sites beyond the first, the outer update's
        // vectors; on rank 0 all sites on their way into a checkpoint.
        let ownSites = max(1, sites / ranks)
        let outer = localSteps == nil ? 0 : (ownSites + 2 + sites) * siteBytes
        // The crops of the step, those of two steps ahead, and the one that is being made.
        return outer + 4 * (vectors * reductionCount + (3 * replicas + 1) * microBatch * crop)
    }
}
