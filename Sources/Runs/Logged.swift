// Members of log records that a line may lack.

/// A type whose values may be missing from a line of a log.
public protocol LogValue: Codable, Hashable, Sendable {
    /// The value that is read where none was written.
    static var untold: Self { get }
}

extension Double: LogValue { public static var untold: Double { .nan } }
extension Int: LogValue { public static var untold: Int { 0 } }
extension Bool: LogValue { public static var untold: Bool { false } }
extension String: LogValue { public static var untold: String { "" } }
extension Array: LogValue where Element: LogValue { public static var untold: [Element] { [] } }

/// A member of a record that a line may lack, or have as null: earlier versions did not write all that this one does.
///
/// It is always written.
@propertyWrapper
public struct Logged<Value: LogValue>: Codable, Hashable, Sendable {
    /// The member's value, or `untold` where the line lacks it.
    public var wrappedValue: Value

    /// Wraps a value.
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension KeyedDecodingContainer {
    /// Reads a member that may be missing; the decoders that the compiler makes for records call it.
    func decode<Value>(_ type: Logged<Value>.Type, forKey key: Key) throws -> Logged<Value> {
        try decodeIfPresent(type, forKey: key) ?? Logged(wrappedValue: Value.untold)
    }
}
