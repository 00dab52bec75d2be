// Exponential, logarithm, sine and cosine that are the same on every processor.
//
// The functions of a C library differ in their last bit between processors, because it has variants with and without
// fused multiply-adds and picks one at run time, and between libraries. These are sums and products of IEEE doubles in
// one order, which Swift neither fuses nor reorders. Each takes its argument to a small interval around zero, where a
// power series converges fast, and keeps what the reduction rounds off: J.-M. Muller, "Elementary Functions", 3rd
// edition, 2016, chapters 4 and 11; the splitting of ln 2 and π/2 is that of fdlibm (Sun Microsystems, 1993).

/// Elementary functions whose results are within one unit in the last place, and equal on all processors.
public enum Elementary {
    /// The constant ln 2 in two parts: the first has 20 zeros at its end, so that its product with an exponent is
    /// exact.
    private static let ln2 = (high: 0x1.62e42feep-1, low: 0x1.a39ef35793c76p-33)
    /// The constant π/2 in three parts of 33 bits, 33 bits and the rest.
    private static let halfPi = (high: 0x1.921fb544p+0, middle: 0x1.0b4611a6p-34, low: 0x1.3198a2e037073p-69)

    /// The exponential eˣ: infinity above 709.78…, 0 below −745.13…
    ///
    /// With x = k ln 2 + r and |r| ≤ ½ ln 2 it is 2ᵏ times the series of eʳ.
    public static func exp(_ x: Double) -> Double {
        if x.isNaN { return x }
        if x > 710 { return .infinity }
        if x < -746 { return 0 }
        let k = (x * 0x1.71547652b82fep+0).rounded()
        let high = x - k * ln2.high
        let low = k * ln2.low
        let r = high - low
        let lost = (high - r) - low
        // Σ rⁿ/n! from n = 2 on, over r².
        let series = horner(r, inverseFactorials)
        return Double(sign: .plus, exponent: Int(k), significand: 1 + (r + (r * r * series + lost)))
    }

    /// The natural logarithm: minus infinity of 0, not a number of anything below.
    ///
    /// With x = 2ᵏ (1 + f), 1 + f between √½ and √2, and s = f/(2 + f) it is k ln 2 + 2 (s + s³/3 + s⁵/5 + …), where 2
    /// s is written as f − s f, since f is exact.
    public static func log(_ x: Double) -> Double {
        if x == 0 { return -.infinity }
        guard x > 0, x < .infinity else { return x > 0 ? x : .nan }
        var k = Double(x.exponent)
        var m = x.significand
        if m > 0x1.6a09e667f3bcdp+0 {
            m *= 0.5
            k += 1
        }
        let f = m - 1
        let s = f / (2 + f)
        let z = s * s
        let halfSquare = 0.5 * f * f
        let small = s * (halfSquare + z * horner(z, doubledOddInverses)) + k * ln2.low
        return k * ln2.high - ((halfSquare - small) - f)
    }

    /// The cosine of an angle in radians.
    ///
    /// - Precondition: |x| ≤ 2²⁰; no digits would be left beyond.
    public static func cos(_ x: Double) -> Double { circular(x, quarterTurns: 1) }

    /// The sine of an angle in radians.
    ///
    /// - Precondition: |x| ≤ 2²⁰; no digits would be left beyond.
    public static func sin(_ x: Double) -> Double { circular(x, quarterTurns: 0) }

    /// The value of sin(x + n π/2), from sine or cosine of what is left of x after whole quarter turns.
    private static func circular(_ x: Double, quarterTurns n: Int) -> Double {
        guard x.isFinite else { return .nan }
        precondition(abs(x) <= 0x1p20, "an angle of \(x) radians has no digits left")
        let k = (x * 0x1.45f306dc9c883p-1).rounded()
        let exact = x - k * halfPi.high
        let middle = k * halfPi.middle
        let rest = exact - middle
        let low = k * halfPi.low - ((exact - rest) - middle)
        let r = rest - low
        let lost = (rest - r) - low
        let z = r * r
        let turns = (Int(k) + n) & 3
        let value: Double
        if turns & 1 == 0 {
            let tail = z * r * horner(z, sineSeries) + lost * (1 - 0.5 * z)
            value = r + tail
        } else {
            let half = 0.5 * z
            let near = 1 - half
            value = near + (((1 - near) - half) + (z * z * horner(z, cosineSeries) - r * lost))
        }
        return turns < 2 ? value : -value
    }

    /// The series of eˣ from its third term on: 1/2!, 1/3!, …
    private static let inverseFactorials = InlineArray<13, Double> { 1 / factorial($0 + 2) }
    /// The series of 2 artanh s beyond 2 s: 2/3, 2/5, 2/7, …
    private static let doubledOddInverses = InlineArray<12, Double> { 2 / Double(2 * $0 + 3) }
    /// The series of the sine beyond x: −1/3!, 1/5!, −1/7!, …
    private static let sineSeries = InlineArray<9, Double> { ($0 % 2 == 0 ? -1 : 1) / factorial(2 * $0 + 3) }
    /// The series of the cosine beyond 1 − x²/2: 1/4!, −1/6!, 1/8!, …
    private static let cosineSeries = InlineArray<9, Double> { ($0 % 2 == 0 ? 1 : -1) / factorial(2 * $0 + 4) }

    /// The product n!, exact up to 22!.
    private static func factorial(_ n: Int) -> Double { (1...n).reduce(1) { $0 * Double($1) } }

    /// The polynomial c₀ + c₁ x + c₂ x² + …, from the last term to the first.
    private static func horner<let count: Int>(_ x: Double, _ coefficients: InlineArray<count, Double>) -> Double {
        var sum = 0.0
        for power in coefficients.indices.reversed() { sum = sum * x + coefficients[power] }
        return sum
    }
}
