// Ranks that are slower than the others and hold them up.

import Basics
import Runs

/// The work of all ranks in some steps.
struct WorkShares {
    /// Mean seconds per step, by rank: everything but waiting for other ranks.
    let seconds: [Double]
    /// Mean seconds per step of these that went by waiting for data, by rank.
    let dataSeconds: [Double]

    /// The share by which a rank may take longer than the median before it counts as slow.
    static let tolerance = 0.2

    var slowest: Int { seconds.indices.max { (seconds[$0], $1) < (seconds[$1], $0) } ?? 0 }
    var minimum: Double { seconds.min() ?? 0 }
    var mean: Double { Self.mean(seconds) }
    var meanData: Double { Self.mean(dataSeconds) }
    var maximum: Double { seconds.max() ?? 0 }
    /// The lower of the two in the middle where their number is even, so that of two ranks the slower one is noticed.
    var median: Double { seconds.lowerMedian ?? 0 }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

    /// The slowest rank, if it holds the others up.
    var straggler: Int? { maximum > (1 + Self.tolerance) * median ? slowest : nil }
}

/// The sum of a rank's work, which all ranks exchange every so many steps: as additional places of a sum that they make
/// anyway.
struct WorkExchange {
    /// Steps between exchanges.
    static let interval = 20

    private let rank: Int
    private let ranks: Int
    private var lastStep: Int

    /// - Parameter step: Completed steps.
    init(rank: Int, ranks: Int, step: Int) {
        self.rank = rank
        self.ranks = ranks
        lastStep = step
    }

    /// Whether to exchange before the step that follows `step`: the same on all ranks.
    func isDue(step: Int) -> Bool { ranks > 1 && step > lastStep && step % Self.interval == 0 }

    /// Places for every rank's seconds, this one's filled in.
    func slots(_ seconds: [TrainingPhase: Double]) -> [Int] {
        let load = seconds[.load] ?? 0
        let work = [.forward, .backward, .update].reduce(load) { $0 + (seconds[$1] ?? 0) }
        var slots = [Int](repeating: 0, count: 2 * ranks)
        slots[2 * rank] = Int((work * 1e6).rounded())
        slots[2 * rank + 1] = Int((load * 1e6).rounded())
        return slots
    }

    /// The work in the steps up to `step`, from the slots summed over the ranks.
    mutating func shares(_ slots: some Collection<Int>, step: Int) -> (shares: WorkShares, steps: Int) {
        let steps = max(1, step - lastStep)
        lastStep = step
        let seconds = slots.map { Double($0) / 1e6 / Double(steps) }
        return (
            WorkShares(
                seconds: (0..<ranks).map { seconds[2 * $0] }, dataSeconds: (0..<ranks).map { seconds[2 * $0 + 1] }),
            steps
        )
    }
}

extension RanksRecord {
    /// Creates the record of some steps' work.
    ///
    /// - Parameters:
    ///   - steps: The number of steps.
    ///   - step: The last of them.
    ///   - host: The name of a rank's host.
    init(_ shares: WorkShares, steps: Int, epoch: Int, step: Int, host: (Int) -> String) {
        self.init(
            epoch: epoch, step: step, steps: steps, minimumSeconds: shares.minimum, meanSeconds: shares.mean,
            medianSeconds: shares.median, maximumSeconds: shares.maximum, slowestRank: shares.slowest,
            slowestHost: host(shares.slowest), slowestDataSeconds: shares.dataSeconds[shares.slowest],
            meanDataSeconds: shares.meanData)
    }
}
