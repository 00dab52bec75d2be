import Compute
import Network
import Testing

@testable import Training

@Suite struct MemoryTests {
    @Test func whatARankHolds() {
        var configuration = TrainingConfiguration()
        let vector = 4 * TrainingConfiguration.reductionCount
        let crop = 4 * (96 * 96 * 96 + 24 * 24 * 24 * 18)
        // One replica: no sums, two vectors of a checkpoint, one for the other ranks' values, and four crops.
        #expect(configuration.memoryBesideStep(ranks: 8) == 3 * vector + 4 * crop)
        // All eight: the tree's three levels wait for their right halves.
        #expect(configuration.memoryBesideStep(ranks: 1) == 5 * vector + 25 * crop)
        #expect(configuration.memoryBesideStep(ranks: 3) == 4 * vector + 10 * crop)

        let few = configuration.memory(ranks: 8, threads: 1)
        #expect(configuration.memory(ranks: 8, threads: 8) > few)
        configuration.evaluateEveryEpochs = 1
        #expect(configuration.memory(ranks: 8, threads: 1) > few + (500 << 20))
    }

    @Test func whatAnExchangeHolds() {
        let buckets = GradientBuckets(order: [100..<160, 0..<100], gradients: 160, bytes: 400)
        // Four buckets of 100 values on their way, and up to one more for each rank where slices are uneven.
        #expect(BucketExchange.bytes(buckets, exchange: .float32, ranks: 2) == 4 * 102 * 4)
        #expect(BucketExchange.bytes(buckets, exchange: .bfloat16, ranks: 2) == 4 * 102 * 8)
        var configuration = TrainingConfiguration()
        // Few ranks have buckets of 1 MiB, which together are less than the vector that is counted.
        for ranks in [1, 8] { #expect(configuration.exchangeBytes(ranks: ranks) == 0) }
        let many = configuration.exchangeBytes(ranks: 4096)
        #expect(many > 0)
        configuration.gradientExchange = .bfloat16
        #expect(configuration.exchangeBytes(ranks: 4096) > many)
        configuration.gradientExchange = .float32
        configuration.overlap = .off
        #expect(configuration.exchangeBytes(ranks: 4096) == 0)
    }

    /// The more ranks, the less each keeps.
    @Test func whatATimelineHolds() {
        let span = MemoryLayout<SpanLog.Span>.stride
        #expect(Trainer.timelineBytes(ranks: 2) == 4 * span << 19)
        #expect(Trainer.timelineBytes(ranks: 1 << 10) == 4 * span << 14)
    }
}
