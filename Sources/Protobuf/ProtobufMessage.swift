// The wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/), which ONNX models and
// TensorBoard's event files are written in. Both need a dozen messages whose field numbers never change: swift-protobuf
// would bring generated code and the 815 C++ files of its compiler.

/// A message under construction: fields are written in the order in which they are added.
///
///     var point = ProtobufMessage()
///     point.add(1, integer: 150)
///     point.bytes                     // [0x08, 0x96, 0x01]
public struct ProtobufMessage: Hashable, Sendable {
    /// The message as it is stored.
    public private(set) var bytes: [UInt8] = []

    /// Makes a message without fields.
    public init() {}

    /// Makes a message in one expression.
    ///
    /// - Parameter build: Adds the fields.
    public init(_ build: (inout ProtobufMessage) -> Void) { build(&self) }

    /// Adds a field of type `int64`, `int32` or an enumeration: negative numbers take ten bytes.
    ///
    /// - Precondition: A field's number is 1 to 2²⁹ − 1, here and below.
    public mutating func add(_ field: Int, integer value: Int) {
        key(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// Adds a field of type `float`.
    public mutating func add(_ field: Int, float value: Float) {
        key(field, .fixed32)
        fixed(value.bitPattern)
    }

    /// Adds a field of type `double`.
    public mutating func add(_ field: Int, double value: Double) {
        key(field, .fixed64)
        fixed(value.bitPattern)
    }

    /// Adds a field of type `string`, in UTF-8.
    public mutating func add(_ field: Int, string value: String) { add(field, bytes: Array(value.utf8)) }

    /// Adds a field of type `bytes`.
    public mutating func add(_ field: Int, bytes value: [UInt8]) {
        key(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes += value
    }

    /// Adds a field that is itself a message.
    public mutating func add(_ field: Int, message: ProtobufMessage) { add(field, bytes: message.bytes) }

    /// Adds a field that is itself a message, made here.
    public mutating func add(_ field: Int, message build: (inout ProtobufMessage) -> Void) {
        add(field, message: ProtobufMessage(build))
    }

    /// Adds a repeated field of integers, packed into one; nothing where there are none.
    public mutating func add(_ field: Int, packed values: [Int]) {
        guard !values.isEmpty else { return }
        var content = ProtobufMessage()
        for value in values { content.varint(UInt64(bitPattern: Int64(value))) }
        add(field, message: content)
    }

    /// Writes a field's number and how its value is stored.
    private mutating func key(_ field: Int, _ type: WireType) {
        precondition(1..<1 << 29 ~= field, "a field's number is 1 to 2^29 - 1, not \(field)")
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    /// Writes a number, seven bits a byte, the lowest first; the high bit says that more follow.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func fixed(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
}

/// The ways in which a field's value is stored: the low three bits of its key. Groups (3 and 4) are long out of use.
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}
