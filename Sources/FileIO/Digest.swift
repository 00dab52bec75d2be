/// A 64-bit digest that finds a changed bit: for comparing what ranks hold and for checking what a file held when it
/// was written. Not a protection against malice.
public struct Digest: Hashable, Sendable {
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    /// FNV-1a's step on a word, with the high bits folded in so that each word reaches every later bit.
    private mutating func mix(_ word: UInt64) {
        value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
        value ^= value >> 29
    }

    public mutating func add(_ text: String) {
        mix(UInt64(text.utf8.count))
        for byte in text.utf8 { mix(UInt64(byte)) }
    }

    public mutating func add(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    /// Adds the floats' bits.
    public mutating func add(_ values: [Float]) {
        mix(UInt64(values.count))
        values.withUnsafeBufferPointer { for value in $0 { mix(UInt64(value.bitPattern)) } }
    }

    /// Sixteen hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
