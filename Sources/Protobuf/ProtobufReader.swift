/// A reader that takes a message apart, field by field. Bytes that cannot be a message end with nil, whatever they are:
/// nothing is allocated, and nothing is read beyond the slice.
public struct ProtobufReader {
    /// A field's value as it is stored.
    public enum Value: Hashable, Sendable {
        /// A number of as many bytes as it needs: an integer or an enumeration.
        case varint(UInt64)
        /// A number of eight bytes: a `double`, say.
        case fixed64(UInt64)
        /// A number of four bytes: a `float`, say.
        case fixed32(UInt32)
        /// Bytes of a given length: a text, bytes, a message, or packed numbers.
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    /// Makes a reader of a message.
    public init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// Returns all fields of a message in its order, or nil where the bytes are none.
    public static func fields(_ bytes: ArraySlice<UInt8>) -> [(number: Int, value: Value)]? {
        var reader = ProtobufReader(bytes)
        var fields: [(number: Int, value: Value)] = []
        while !reader.rest.isEmpty {
            guard let field = reader.next() else { return nil }
            fields.append(field)
        }
        return fields
    }

    /// Reads the next field; nil at the end and where the bytes are no field.
    public mutating func next() -> (number: Int, value: Value)? {
        guard let key = varint(), let type = WireType(rawValue: UInt8(key & 7)), 1..<1 << 29 ~= key >> 3 else {
            return nil
        }
        let value: Value? =
            switch type {
            case .varint: varint().map(Value.varint)
            case .fixed64: take(8).map { .fixed64(Self.number($0)) }
            case .fixed32: take(4).map { .fixed32(UInt32(truncatingIfNeeded: Self.number($0))) }
            case .lengthDelimited: varint().flatMap { take($0) }.map(Value.bytes)
            }
        return value.map { (Int(key >> 3), $0) }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            let bits = UInt64(byte & 0x7F)
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 { return nil }
            value |= bits << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    /// The number that little-endian bytes stand for.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
