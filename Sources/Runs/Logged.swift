// Members of log records that a line may lack.

/// A kind of value that stands for what a line of a log does not tell.
public protocol LogValue: Codable, Hashable, Sendable {
    /// What is read where nothing was written.
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
    public var wrappedValue: Value

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
