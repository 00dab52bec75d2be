// What a run will need of memory and disk, before it starts.

import Basics
import Detection
import Exchange
import Network
import PatchData

extension TrainingConfiguration {
    /// The floats that every replica contributes to a step's reduction: gradients, batch statistics, loss terms.
    public static var reductionCount: Int {
        NoduleNetwork.parameters.count + NoduleNetwork.statistics.count + LossTerms.vectorCount
    }

    /// Bytes of these as they travel.
    public var reducedBytes: Int {
        let gradients = NoduleNetwork.parameters.count
        return (gradientExchange == .bfloat16 ? 2 : 4) * gradients + 4 * (Self.reductionCount - gradients)
    }

    /// Bytes of a checkpoint: state, momentum, those of sites with local steps, and the file's own.
    public var checkpointBytes: Int {
        (1 + (localSteps == nil ? 0 : sites)) * Self.siteBytes + (1 << 20)
    }

    /// Of a network and its optimizer's momentum.
    private static var siteBytes: Int { 4 * (2 * NoduleNetwork.parameters.count + NoduleNetwork.statistics.count) }

    /// The program, its libraries and their buffers.
    private static let programBytes = 48 << 20

    /// About how many bytes a rank has resident at most, by the formula of `NoduleNetwork.trainingBytes` and the sizes
    /// of what training holds beside it.
    ///
    /// - Parameters:
    ///   - ranks: That share the replicas; where they cannot, as if each had one more.
    ///   - threads: Of a rank.
    public func memory(ranks: Int, threads: Int) -> Int {
        var step = NoduleNetwork.trainingBytes(ZYX(repeating: cropSize), samples: microBatch, threads: threads)
        if validationFold != nil, evaluateEveryEpochs != nil { step = max(step, evaluateMemoryMiB << 20) }
        // State, momentum, one gradient.
        return Self.programBytes + step + 3 * 4 * Self.reductionCount + memoryBesideStep(ranks: ranks)
    }

    /// What training holds beside one replica's step with its weights, momentum and gradient, in bytes: sums of other
    /// replicas' gradients, those that other ranks send, a checkpoint's copy, and crops made ahead.
    public func memoryBesideStep(ranks: Int) -> Int {
        let replicas = (self.replicas + ranks - 1) / ranks
        let levels = Int.bitWidth - 1 - replicas.leadingZeroBitCount
        let vectors = levels + (ranks > 1 ? 1 : 0) + 2
        let cells = (cropSize / 4) * (cropSize / 4) * (cropSize / 4)
        let crop = cropSize * cropSize * cropSize + cells * (3 + preset.anchors.count * 5)
        // With local steps: the shared network and its momentum, the sites beyond the first, the outer update's vectors;
        // on rank 0 all sites on their way into a checkpoint.
        let ownSites = max(1, sites / ranks)
        let outer = localSteps == nil ? 0 : (ownSites + 2 + sites) * Self.siteBytes
        // Those of the step, two steps ahead, and the one that is being made.
        return outer + 4 * (vectors * Self.reductionCount + (3 * replicas + 1) * microBatch * crop)
    }
}
