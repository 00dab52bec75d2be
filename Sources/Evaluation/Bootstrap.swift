// How much the result owes to the choice of scans: the same evaluation on scans drawn with replacement.

import Compute
import Foundation

/// Mean and central 95 % of a quantity over resamples.
public struct Interval: Hashable, Sendable, Encodable {
    public var mean: Double
    public var lower: Double
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

public struct Bootstrap: Hashable, Sendable {
    public var resamples: Int
    public var cpm: Interval
    /// At the seven rates.
    public var sensitivities: [Interval]
    /// The curve's band: rates, spaced evenly in their logarithm, and the sensitivity there.
    public var band: [(rate: Double, interval: Interval)] { zip(Self.bandRates, bandIntervals).map { ($0, $1) } }
    private var bandIntervals: [Interval]

    /// 1/8 to 8 in steps of a sixth of an octave.
    private static let bandRates = (0...36).map { 0.125 * exp2(Double($0) / 6) }

    /// - Parameters:
    ///   - resamples: How many; the recipe takes 1,000.
    ///   - seed: Determines which scans each draws.
    public init(_ matching: Matching, resamples: Int, seed: UInt64) {
        self.resamples = resamples
        let scans = matching.counts.scans
        var cpms: [Double] = []
        var atRates = [[Double]](repeating: [], count: FROC.rates.count)
        var atBand = [[Double]](repeating: [], count: Self.bandRates.count)
        for resample in 0..<resamples {
            var generator = CounterGenerator(seed: seed, purpose: "bootstrap", UInt64(resample))
            var weights = [Int](repeating: 0, count: scans)
            for _ in 0..<scans { weights[generator.integer(in: 0..<scans)] += 1 }
            let nodules = zip(weights, matching.nodulesByScan).reduce(0) { $0 + $1.0 * $1.1 }
            // A draw of healthy scans only has no sensitivity.
            if nodules == 0 { continue }
            let curve = FROC(matching.marks, weights: weights, scans: scans, nodules: nodules)
            let sensitivities = curve.sensitivities
            cpms.append(sensitivities.reduce(0, +) / Double(sensitivities.count))
            for index in atRates.indices { atRates[index].append(sensitivities[index]) }
            for index in atBand.indices { atBand[index].append(curve.sensitivity(at: Self.bandRates[index])) }
        }
        cpm = Interval(cpms)
        sensitivities = atRates.map(Interval.init)
        bandIntervals = atBand.map(Interval.init)
    }
}
