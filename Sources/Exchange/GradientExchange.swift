// The numbers that a gradient is made of on its way into the sum.
//
// If only what crosses between ranks were rounded, the bits would depend on where the ranks' borders lie. So rounding
// belongs to the tree, not to the wire: every replica's gradient is rounded before its first addition, and every sum
// after it, whether its halves lie in one rank or in two. Then whatever crosses fits into two bytes exactly.

/// The numbers that gradients are summed in.
public enum GradientExchange: String, Codable, CaseIterable, Sendable {
    /// Floats of 32 bits, exchanged unchanged.
    case float32
    /// Floats of 16 bits, the upper half of one of 32: 8 bits of precision, half of the traffic. Additions are made in
    /// float32 and rounded.
    case bfloat16

    /// The size in bytes of a value on its way.
    var width: Int { self == .float32 ? 4 : 2 }
}

typealias FloatBuffer = UnsafeMutableBufferPointer<Float>
typealias BFloat16Buffer = UnsafeMutableBufferPointer<UInt16>

/// Floats of 16 bits: the upper half of one of 32.
enum BFloat16 {
    /// The bits of the nearest float of 16 bits; of two equally near ones the even.
    @inline(__always)
    static func bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
        // A NaN's payload might round to infinity, or overflow.
        let quiet = (bits >> 16) | 0x40
        return UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : rounded)
    }

    @inline(__always)
    static func value(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    @inline(__always)
    static func rounded(_ value: Float) -> Float { Self.value(bits(value)) }
}

extension GradientExchange {
    /// Rounds a replica's gradient to the numbers that the tree adds.
    func round(_ values: FloatBuffer) {
        guard self == .bfloat16, let start = values.baseAddress else { return }
        for index in 0..<values.count { start[index] = BFloat16.rounded(start[index]) }
    }

    /// Makes one addition of the tree: a ← a + b.
    func add(_ b: FloatBuffer, to a: FloatBuffer) {
        precondition(a.count == b.count)
        guard let b = b.baseAddress, let target = a.baseAddress else { return }
        switch self {
        case .float32: for index in 0..<a.count { target[index] += b[index] }
        case .bfloat16:
            for index in 0..<a.count { target[index] = BFloat16.rounded(target[index] + b[index]) }
        }
    }

    /// Makes the additions of the tree's upper levels: adds up the ranks' values, which lie one after another by rank,
    /// into the first's.
    ///
    /// - Parameters:
    ///   - values: `ranks` times as many as each rank has.
    ///   - ranks: The number of ranks.
    func addUp(_ values: FloatBuffer, ranks: Int) {
        let count = values.count / ranks
        var distance = 1
        while distance < ranks {
            for left in stride(from: 0, to: ranks - distance, by: 2 * distance) {
                let right = left + distance
                add(
                    values[part: right * count..<(right + 1) * count],
                    to: values[part: left * count..<(left + 1) * count])
            }
            distance *= 2
        }
    }

    /// Writes values as bfloat16, which they already are.
    static func pack(_ values: FloatBuffer, into packed: BFloat16Buffer) {
        guard let values = values.baseAddress, let target = packed.baseAddress else { return }
        for index in 0..<packed.count { target[index] = UInt16(truncatingIfNeeded: values[index].bitPattern >> 16) }
    }

    static func unpack(_ packed: BFloat16Buffer, into values: FloatBuffer) {
        guard let packed = packed.baseAddress, let target = values.baseAddress else { return }
        for index in 0..<values.count { target[index] = BFloat16.value(packed[index]) }
    }
}

extension UnsafeMutableBufferPointer {
    /// A part of the elements, in place.
    subscript(part range: Range<Int>) -> UnsafeMutableBufferPointer {
        UnsafeMutableBufferPointer(rebasing: self[range])
    }
}

/// The memory of a vector of floats, for as long as somebody refers to it.
public final class VectorStorage {
    /// The vector's elements.
    public let buffer: UnsafeMutableBufferPointer<Float>

    /// Creates a vector of zeros.
    public init(_ count: Int) {
        buffer = .allocate(capacity: count)
        buffer.initialize(repeating: 0)
    }

    deinit { buffer.deallocate() }
}
