// What a synchronous step waits for is the slowest rank: the largest of many draws from one distribution.

/// A distribution of the time that a rank computes in a step, s: as measured, with an exponential tail where
/// measurements are few.
///
/// Draws of ranks and steps are taken as independent. What slows all ranks at once, or one rank for good, is not in
/// here.
public struct ComputeTimes: Sendable {
    /// The measurements, s, ascending.
    public let sorted: [Double]

    /// The share of the measurements that the tail stands for.
    private static let tailShare = 0.1

    /// Makes a distribution from measurements.
    ///
    /// - Parameter seconds: At least one, s; of equal ranks doing equal work.
    public init(_ seconds: [Double]) {
        precondition(!seconds.isEmpty, "a distribution needs a measurement")
        sorted = seconds.sorted()
    }

    /// The mean of the measurements, s.
    public var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }

    /// Returns the largest of `count` independent draws on average, s.
    ///
    /// With F the distribution this is ∫ 1 − F(x)ⁿ dx. Up to the tail F is the measurements' own. Beyond, where it is 1
    /// − p exp(−(x − u)/s), the integral is s Σ (1 − (1 − p)ᵏ)/k over k = 1 … n.
    public func expectedMaximum(of count: Int) -> Double {
        let (body, tail) = (sorted.count - tailCount, Double(tailCount) / Double(sorted.count))
        let start = body > 0 ? sorted[body - 1] : sorted[0]
        var total = sorted[0]
        for index in 1..<max(1, body) {
            let below = Double(index) / Double(sorted.count)
            total += (sorted[index] - sorted[index - 1]) * (1 - Self.power(below, count))
        }
        let excess = sorted[body...].reduce(0) { $0 + $1 - start } / Double(tailCount)
        var sum = 0.0
        var missed = 1.0
        for k in 1...max(1, count) {
            missed *= 1 - tail
            sum += (1 - missed) / Double(k)
        }
        return total + excess * sum
    }

    /// The number of measurements in the tail: at least one, and so few only where there are few at all.
    private var tailCount: Int { max(1, Int((Double(sorted.count) * Self.tailShare).rounded())) }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, factor, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
