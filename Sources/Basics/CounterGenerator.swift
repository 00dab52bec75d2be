// Random numbers that depend on where they are used, not on what was drawn before: Philox4x32-10 from J. Salmon,
// M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

/// A counter-based random generator for one place: (seed, purpose, epoch, step, replica, …).
///
/// Two generators made from the same coordinates give the same numbers on every machine, rank and thread; different
/// coordinates give independent ones. The distributions are written out here since those of the standard library may
/// change between releases.
public struct CounterGenerator: RandomNumberGenerator, Sendable {
    private let key: (UInt32, UInt32)
    private var counter: UInt64 = 0
    private let stream: UInt64
    private var second: UInt64?

    /// Creates the generator of one place.
    ///
    /// - Parameters:
    ///   - seed: The experiment's seed.
    ///   - purpose: What the numbers are for (`"dropout"`): keeps uses apart that share coordinates.
    ///   - coordinates: Where they are used, such as epoch, step and replica.
    public init(seed: UInt64, purpose: StaticString, _ coordinates: UInt64...) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a of the purpose
        purpose.withUTF8Buffer { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 } }
        for coordinate in coordinates { hash = Self.mix(hash &+ 0x9E37_79B9_7F4A_7C15 ^ Self.mix(coordinate)) }
        let mixed = Self.mix(seed)
        key = (UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
        stream = hash
    }

    /// SplitMix64's finaliser (S. Vigna): every input bit reaches every output bit.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Ten rounds of Philox4x32.
    static func block(
        _ input: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var (x0, x1, x2, x3) = input
        var (k0, k1) = key
        for _ in 0..<10 {
            let a = UInt64(x0) &* 0xD251_1F53
            let b = UInt64(x2) &* 0xCD9E_8D57
            (x0, x1, x2, x3) = (
                UInt32(truncatingIfNeeded: b >> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: a)
            )
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
        }
        return (x0, x1, x2, x3)
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        if let value = second {
            second = nil
            return value
        }
        let x = Self.block(
            (
                UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
                UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
            ), key: key)
        counter &+= 1
        second = UInt64(x.2) | UInt64(x.3) << 32
        return UInt64(x.0) | UInt64(x.1) << 32
    }

    /// A number drawn uniformly from [0, 1), with 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number drawn uniformly from [low, high).
    public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// A number drawn from the normal distribution of mean 0 and deviation 1 (G. Box and M. Muller, 1958).
    public mutating func normal() -> Double {
        let radius = (-2 * Elementary.log(1 - uniform())).squareRoot()
        return radius * Elementary.cos(2 * Double.pi * uniform())
    }

    /// Fills a buffer with numbers drawn uniformly from [low, high).
    public mutating func fill(_ values: UnsafeMutableBufferPointer<Float>, uniformFrom low: Double, to high: Double) {
        for index in values.indices { values[index] = Float(uniform(low, high)) }
    }

    /// Fills a buffer with numbers drawn from the normal distribution of mean 0.
    public mutating func fill(_ values: UnsafeMutableBufferPointer<Float>, normalOfDeviation deviation: Double) {
        for index in values.indices { values[index] = Float(deviation * normal()) }
    }

    /// A uniformly drawn element of a half-open range (Lemire's multiplication with rejection: no bias).
    ///
    /// - Precondition: The range is not empty.
    public mutating func integer(in range: Range<Int>) -> Int {
        precondition(!range.isEmpty, "an integer is drawn from an empty range")
        let count = UInt64(range.count)
        let threshold = (0 &- count) % count
        while true {
            let (high, low) = next().multipliedFullWidth(by: count)
            if low >= threshold { return range.lowerBound + Int(high) }
        }
    }

    /// A fair coin.
    public mutating func coin() -> Bool { next() >> 63 == 1 }

    /// Puts the elements into a uniformly drawn order (Fisher and Yates).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, integer(in: 0..<last + 1))
        }
    }
}
