import MPI
import Testing

@testable import Exchange

@Suite struct ExchangeRoundsTests {
    private final class Arrival: Transfer {
        var isThere = false
        func isDone() -> Bool { isThere }
    }

    private func rounds(_ counts: [Int], ranks: Int, window: Int) -> ExchangeRounds {
        var start = 0
        let buckets = counts.map { count in
            defer { start += count }
            return GradientBuckets.Bucket(range: start..<start + count, isGradient: true)
        }
        let rounds = ExchangeRounds(
            buckets, bytesPerValue: counts.map { _ in 4 }, ranks: ranks, window: window)
        rounds.begin()
        return rounds
    }

    /// Every slice goes to every other rank in pieces that MPI sends at once, bucket after bucket.
    @Test func stepsCoverAllSlices() throws {
        let rounds = rounds([400_000, 5], ranks: 4, window: 1000)
        var steps: [ExchangeRounds.Step] = []
        var finished: [Int] = []
        while !rounds.isComplete {
            _ = try rounds.advance(limit: 2) { step in
                steps.append(step)
                return nil
            } finish: {
                finished.append($0)
            }
        }
        // 400,000 bytes of a slice are seven pieces; two values of one are a piece.
        #expect(steps.count == 3 * 7 + 3 && finished == [0, 1])
        #expect(steps.map(\.bucket) == Array(repeating: 0, count: 21) + [1, 1, 1])
        #expect(steps.prefix(21).map(\.distance) == (1...3).flatMap { Array(repeating: $0, count: 7) })
        #expect(steps.prefix(7).map(\.piece) == Array(0..<7) && steps[0].pieces == 7)
        #expect(steps.filter(\.isLast).count == 2 && steps[20].isLast && steps[23].isLast)
        #expect(400_000 / 7 <= ExchangeRounds.pieceBytes)
    }

    /// No more than the window is under way, nothing of a bucket that may not start, and no step overtakes another.
    @Test func keepsItsWindowAndOrder() throws {
        let rounds = rounds([400_000, 400_000], ranks: 2, window: 3)
        var arrivals: [Arrival] = []
        var finished: [Int] = []
        func advance(_ limit: Int) throws -> Bool {
            try rounds.advance(limit: limit) { _ in
                arrivals.append(Arrival())
                return arrivals.last
            } finish: {
                finished.append($0)
            }
        }
        #expect(try !advance(0) && rounds.isIdle)
        #expect(try advance(1) && arrivals.count == 3)
        #expect(try !advance(1))
        arrivals[1].isThere = true
        #expect(try !advance(1) && arrivals.count == 3)
        arrivals[0].isThere = true
        #expect(try advance(1) && arrivals.count == 5)
        while finished.isEmpty {
            for arrival in arrivals { arrival.isThere = true }
            _ = try advance(1)
        }
        #expect(arrivals.count == 13 && rounds.isIdle && !rounds.isComplete)
        while !rounds.isComplete {
            _ = try advance(2)
            for arrival in arrivals { arrival.isThere = true }
        }
        #expect(arrivals.count == 26 && finished == [0, 1])
    }
}
