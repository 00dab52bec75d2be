import Basics
import Foundation

/// The mean and the central 95 % of a quantity over resamples.
public struct Interval: Hashable, Sendable, Encodable {
    /// The mean over the resamples.
    public var mean: Double
    /// The quantile at 2.5 %.
    public var lower: Double
    /// The quantile at 97.5 %.
    public var upper: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        mean = values.reduce(0, +) / Double(max(1, values.count))
        func quantile(_ q: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            let position = q * Double(sorted.count - 1)
            let low = Int(position)
            let high = min(low + 1, sorted.count - 1)
            return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
        }
        lower = quantile(0.025)
        upper = quantile(0.975)
    }
}

/// A bootstrap over scans: how much an evaluation owes to the choice of scans, which are drawn again with replacement.
public struct Bootstrap: Hashable, Sendable {
    /// The number of draws.
    public var resamples: Int
    /// The CPM over the draws.
    public var cpm: Interval
    /// The sensitivity at each of the seven rates of `FROC.rates`.
    public var sensitivities: [Interval]
    /// The curve's band: false positives per scan, spaced evenly in their logarithm, and the sensitivity there.
    public var band: [(rate: Double, interval: Interval)] { zip(Self.bandRates, bandIntervals).map { ($0, $1) } }
    private var bandIntervals: [Interval]
    /// The CPM of each resample; nil where only scans without nodules were drawn, which have no sensitivity.
    let cpms: [Double?]

    /// The band's rates: 1/8 to 8 in steps of a sixth of an octave.
    private static let bandRates = (0...36).map { 0.125 * exp2(Double($0) / 6) }

    /// Evaluates matched candidates on scans drawn with replacement.
    ///
    /// - Parameters:
    ///   - matching: Candidates and nodules of the scans.
    ///   - resamples: The number of draws; 1,000 are usual.
    ///   - seed: Determines which scans each draw takes.
    ///   - threads: At least 1; they change nothing but the time.
    public init(_ matching: Matching, resamples: Int, seed: UInt64, threads: Int = ThreadPool.availableCores) {
        self.resamples = resamples
        let pool = ThreadPool(threads: max(1, min(threads, resamples)))
        defer { pool.stop() }
        let scans = matching.counts.scans
        let rates = FROC.rates + Self.bandRates
        // A row of sensitivities for each resample, empty where it has no nodule.
        var rows = [[Double]](repeating: [], count: resamples)
        rows.withUnsafeMutableBufferPointer { rows in
            // Each item writes its own row only.
            nonisolated(unsafe) let rows = rows
            pool.run(resamples) { resample, _ in
                let weights = Self.draw(resample, seed: seed, scans: scans)
                let nodules = zip(weights, matching.nodulesByScan).reduce(0) { $0 + $1.0 * $1.1 }
                if nodules == 0 { return }
                let curve = FROC(matching.marks, weights: weights, scans: scans, nodules: nodules)
                rows[resample] = rates.map(curve.sensitivity(at:))
            }
        }
        let count = FROC.rates.count
        cpms = rows.map { $0.isEmpty ? nil : $0[..<count].reduce(0, +) / Double(count) }
        let drawn = rows.filter { !$0.isEmpty }
        let intervals = rates.indices.map { rate in Interval(drawn.map { $0[rate] }) }
        cpm = Interval(cpms.compactMap(\.self))
        sensitivities = Array(intervals[..<count])
        bandIntervals = Array(intervals[count...])
    }

    /// Draws scans with replacement, the same ones for every detector, which is what makes differences paired.
    ///
    /// - Returns: How often the resample counts each scan.
    static func draw(_ resample: Int, seed: UInt64, scans: Int) -> [Int] {
        var generator = CounterGenerator(seed: seed, purpose: "bootstrap", UInt64(resample))
        var weights = [Int](repeating: 0, count: scans)
        for _ in 0..<scans { weights[generator.integer(in: 0..<scans)] += 1 }
        return weights
    }

    /// Compares the CPM with another detector's on the same scans, resample by resample.
    ///
    /// - Returns: The interval of this one's CPM less the other's.
    /// - Precondition: Both were made for the same scans and nodules, with one seed and number of resamples.
    public func difference(to other: Bootstrap) -> Interval {
        precondition(resamples == other.resamples, "\(resamples) resamples beside \(other.resamples)")
        return Interval(zip(cpms, other.cpms).compactMap { a, b in a.flatMap { a in b.map { a - $0 } } })
    }
}
