import MPI
import MPITestSupport
import Testing

@testable import Exchange

/// The reduction in buckets beside the tree's definition, written out.
@Suite struct OverlapTests {
    private static let count = 1003
    private static let gradients = 990

    /// Numbers whose sum depends on the order of its additions.
    private static func value(_ replica: Int, _ index: Int) -> Float {
        Float(1 + (index * 7919 + replica * 104_729) % 1009) * (replica % 3 == 0 ? 1e4 : -1e-3)
    }

    /// The nearest of all bfloat16 numbers, or the one whose last bit is 0, as the definition says.
    private static func rounded(_ value: Float) -> Float {
        let lower = Float(bitPattern: value.bitPattern & 0xFFFF_0000)
        let upper = Float(bitPattern: (value.bitPattern & 0xFFFF_0000) &+ 0x1_0000)
        let (below, above) = (abs(Double(value) - Double(lower)), abs(Double(upper) - Double(value)))
        if below != above { return below < above ? lower : upper }
        return lower.bitPattern & 0x1_0000 == 0 ? lower : upper
    }

    /// The tree over some replicas, value by value.
    private static func tree(_ replicas: Range<Int>, _ index: Int, _ round: Int, _ exchange: GradientExchange) -> Float
    {
        let isRounded = exchange == .bfloat16 && index < gradients
        let sum: Float
        if replicas.count == 1 {
            sum = value(replicas.lowerBound, index + round)
        } else {
            let middle = (replicas.lowerBound + replicas.upperBound) / 2
            sum =
                tree(replicas.lowerBound..<middle, index, round, exchange)
                + tree(middle..<replicas.upperBound, index, round, exchange)
        }
        return isRounded ? rounded(sum) : sum
    }

    /// The order of a network's backward pass: the last parts first, of odd sizes.
    private static let order = [700..<990, 690..<700, 401..<690, 400..<401, 0..<400]

    struct Case: CustomTestStringConvertible, Sendable {
        let ranks: Int
        let overlap: OverlapMode
        let exchange: GradientExchange
        let bytes: Int
        var testDescription: String { "\(ranks) ranks, \(overlap), \(exchange), \(bytes) bytes" }
    }

    private static let cases: [Case] = [1, 2, 4, 8].flatMap { ranks in
        OverlapMode.allCases.flatMap { overlap in
            GradientExchange.allCases.flatMap { exchange in
                [1, 44, 1000, 1 << 20].map { Case(ranks: ranks, overlap: overlap, exchange: exchange, bytes: $0) }
            }
        }
    }

    @Test(arguments: cases) func isTheTreesSum(_ c: Case) {
        let sums = RankGroup.run(c.ranks) { communicator -> [[Float]] in
            guard
                let reduction = try? GradientReduction(
                    mode: .tree, replicas: 8, count: Self.count, communicator: communicator, exchange: c.exchange,
                    gradients: Self.gradients),
                (try? reduction.connect(c.overlap, order: Self.order, bucketBytes: c.bytes)) != nil
            else { return [] }
            // Three times: memory is used again, and with it the messages' tags.
            return (0..<3).map { round in
                for replica in reduction.replicas {
                    reduction.add(reporting: { vector, finished in
                        // As the trainer does: what lies behind the gradients comes first.
                        for part in [Self.gradients..<Self.count] + Self.order {
                            for index in part { vector[index] = Self.value(replica, index + round) }
                            // In the second round a part is left for the end, and in the third all are.
                            if round == 0 || round == 1 && part != Self.order[2] { finished(part) }
                        }
                    })
                }
                return (try? reduction.finish()).map { Array($0) } ?? []
            }
        }
        for round in 0..<3 {
            let truth = (0..<Self.count).map { Self.tree(0..<8, $0, round, c.exchange) }
            for sum in sums { #expect(sum.count == 3 && sum[round] == truth) }
        }
    }

    /// The numbers are such that rounding matters, and that another order gives other bits: the tests can fail.
    @Test func numbersAreTelling() {
        let indices = 0..<Self.gradients
        let exact = indices.map { Self.tree(0..<8, $0, 0, .float32) }
        let rounded = indices.map { Self.tree(0..<8, $0, 0, .bfloat16) }
        let inOrder = indices.map { index in (0..<8).reduce(Float(0)) { $0 + Self.value($1, index) } }
        #expect(exact != rounded && exact != inOrder)
    }

    @Test func roundsToNearestEven() {
        let numbers: [Float] = [
            0, -0.0, 1, -1, 1.00390625, 1.01171875, 3.3895314e38, -1.2345678, Float(bitPattern: 0x1_8001),
            .leastNonzeroMagnitude,
        ]
        for number in numbers { #expect(BFloat16.rounded(number) == Self.rounded(number)) }
        #expect(BFloat16.rounded(1.00390625) == 1 && BFloat16.rounded(1.01171875) == 1.015625)
        #expect(BFloat16.rounded(.infinity) == .infinity)
        #expect(BFloat16.rounded(.greatestFiniteMagnitude) == .infinity)
        #expect(BFloat16.rounded(-.infinity) == -.infinity)
        for bits: UInt32 in [0x7F80_0001, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF] {
            #expect(BFloat16.rounded(Float(bitPattern: bits)).isNaN)
        }
    }

    @Test func fallsBackTogetherWithoutThreads() {
        let modes = RankGroup.run(2) { communicator -> OverlapMode? in
            communicator.servesOtherThreads = communicator.rank == 0
            let reduction = try? GradientReduction(mode: .tree, replicas: 2, count: 8, communicator: communicator)
            try? reduction?.connect(.thread)
            return reduction?.overlap
        }
        #expect(modes == [.off, .off])
    }

    /// An error of MPI reaches who waits, in every mode, and whoever else waits can be stopped.
    @Test(arguments: OverlapMode.allCases, [0, 1, 3]) func errorsAreThrownByFinish(_ mode: OverlapMode, _ looks: Int) {
        let outcomes = RankGroup.run(2) { communicator -> String in
            communicator.looksUntilFailure = looks
            do {
                let reduction = try GradientReduction(
                    mode: .tree, replicas: 4, count: Self.count, communicator: communicator, exchange: .bfloat16)
                try reduction.connect(mode, bucketBytes: 400)
                for _ in reduction.replicas { reduction.add { $0.update(repeating: 1) } }
                _ = try reduction.finish()
                return "finished"
            } catch { return error is MPIError ? "MPIError" : "\(error)" }
        }
        #expect(outcomes == ["MPIError", "MPIError"])
    }

    /// One rank never comes: the other's thread ends with the reduction.
    @Test func stopsWhileMessagesAreOnTheirWay() {
        struct Stop: Error {}
        let outcomes = RankGroup.run(2) { communicator -> Bool in
            guard
                let reduction = try? GradientReduction(
                    mode: .tree, replicas: 2, count: Self.count, communicator: communicator)
            else { return false }
            try? reduction.connect(.thread, bucketBytes: 400)
            if communicator.rank == 1 { return true }
            do {
                try reduction.add(reporting: { vector, finished in
                    vector.update(repeating: 1)
                    finished(0..<500)
                    throw Stop()
                })
                return false
            } catch { return error is Stop }
        }
        #expect(outcomes == [true, true])
    }

    @Test func bucketsFollowTheOrder() {
        let order = [80..<100, 78..<80, 30..<78, 29..<30, 0..<29]
        let cut = GradientBuckets(order: [100..<103] + order, gradients: 100, bytes: 4 * 20).buckets
        // Up to five values are joined, never across the gradients' end; none is longer than twenty.
        #expect(
            cut.map(\.range) == [100..<103, 80..<100, 78..<80, 30..<46, 46..<62, 62..<78, 29..<30, 0..<14, 14..<29])
        #expect(cut.map(\.isGradient) == [false] + Array(repeating: true, count: 8))
        let joined = GradientBuckets(order: [9..<12, 6..<9, 0..<3, 3..<6], gradients: 12, bytes: 400).buckets
        #expect(joined.map(\.range) == [6..<12, 0..<6])

        var progress = GradientBuckets.Progress(GradientBuckets(order: order, gradients: 100, bytes: 4 * 20))
        let whole = [70..<100, 0..<14, 29..<70].map { progress.finish($0) }
        #expect(whole == [[0, 1], [6], [2, 3, 4, 5]])
        #expect(progress.unfinished == [7])
    }

    @Test func whatAnExchangeHolds() {
        let buckets = GradientBuckets(order: [100..<160, 0..<100], gradients: 160, bytes: 400)
        // All values, and up to one more of each bucket for each rank where slices are uneven.
        #expect(buckets.buckets.count == 2)
        #expect(buckets.exchangeBytes(.float32, ranks: 2) == (160 + 2 * 2) * 4)
        #expect(buckets.exchangeBytes(.bfloat16, ranks: 2) == (160 + 2 * 2) * 8)
    }

    @Test func bucketsGrowWithTheRanks() {
        #expect(GradientBuckets.bytes(ranks: 2) == 1 << 20)
        #expect(GradientBuckets.bytes(ranks: 1024) == 16 << 20)
    }
}
