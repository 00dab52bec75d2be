import Basics
import Exchange
import Learning
import Networks
import Testing

@testable import Training

@Suite struct MemoryTests {
    @Test func whatARankHolds() {
        var configuration = TrainingConfiguration()
        let vector = 4 * TrainingConfiguration().reductionCount
        let crop = 4 * (96 * 96 * 96 + 24 * 24 * 24 * 18)
        // One replica: no sums, two vectors of a checkpoint, one for the other ranks' values, and four crops.
        #expect(configuration.memoryBesideStep(ranks: 8) == 3 * vector + 4 * crop)
        // All eight: the tree's three levels wait for their right halves.
        #expect(configuration.memoryBesideStep(ranks: 1) == 5 * vector + 25 * crop)
        #expect(configuration.memoryBesideStep(ranks: 3) == 4 * vector + 10 * crop)

        // AdamW keeps a slot more than momentum: in training, and in a checkpoint's copy.
        var adam = configuration
        adam.optimizer = .adamw
        #expect(adam.memoryBesideStep(ranks: 8) == 4 * vector + 4 * crop)
        #expect(adam.memory(ranks: 8, threads: 1) == configuration.memory(ranks: 8, threads: 1) + 2 * vector)

        let few = configuration.memory(ranks: 8, threads: 1)
        #expect(configuration.memory(ranks: 8, threads: 8) > few)
        configuration.evaluateEveryEpochs = 1
        #expect(configuration.memory(ranks: 8, threads: 1) > few + (500 << 20))
    }

    /// Replicas that share batch statistics run side by side, each with a network and a vector of its own.
    @Test func whatReplicasHoldSideBySide() {
        var configuration = TrainingConfiguration()
        let vector = 4 * configuration.reductionCount
        let (lone, all) = (configuration.memoryBesideStep(ranks: 8), configuration.memoryBesideStep(ranks: 1))
        let step = MemoryPlan(configuration.network).training(ZYX(repeating: 96), samples: 1, threads: 1)
        #expect(configuration.memoryOfOtherReplicas(ranks: 1, threads: 8) == 0)
        configuration.synchronizedBatchNorm = true
        #expect(configuration.memoryOfOtherReplicas(ranks: 8, threads: 8) == 0)
        #expect(configuration.memoryBesideStep(ranks: 8) == lone + vector)
        #expect(configuration.memoryBesideStep(ranks: 1) == all + 8 * vector)
        // The network that validates holds less than one that learns.
        #expect(7 * step..<8 * step ~= configuration.memoryOfOtherReplicas(ranks: 1, threads: 8))
        // A rank runs the replicas of one of its sites at a time.
        configuration.localSteps = 10
        configuration.sites = 4
        #expect(step..<2 * step ~= configuration.memoryOfOtherReplicas(ranks: 2, threads: 2))
    }

    @Test func whatAnExchangeHolds() {
        var configuration = TrainingConfiguration()
        #expect(configuration.exchangeBytes(ranks: 1) == 0)
        // The vector itself is counted elsewhere.
        #expect(1..<(1 << 12) ~= configuration.exchangeBytes(ranks: 8))
        configuration.gradientExchange = .bfloat16
        let vector = 4 * TrainingConfiguration().reductionCount
        #expect(vector..<(vector + (1 << 12)) ~= configuration.exchangeBytes(ranks: 8))
        // Sites of one rank each sum nothing among ranks at a step.
        configuration.localSteps = 10
        configuration.sites = 8
        #expect(configuration.exchangeBytes(ranks: 8) == 0)
    }

    /// The more ranks, the less each keeps.
    @Test func whatATimelineHolds() {
        let span = MemoryLayout<SpanLog.Span>.stride
        #expect(Trainer.timelineBytes(ranks: 2) == 4 * span << 19)
        #expect(Trainer.timelineBytes(ranks: 1 << 10) == 4 * span << 14)
    }
}
