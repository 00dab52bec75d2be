/// MetaImage's element types.
public enum ElementType: String, CaseIterable, Sendable {
    case char = "MET_CHAR"
    case unsignedChar = "MET_UCHAR"
    case short = "MET_SHORT"
    case unsignedShort = "MET_USHORT"
    case int = "MET_INT"
    case unsignedInt = "MET_UINT"
    // MetaIO writes `long` as four bytes on every system and eight as `long long`.
    case long = "MET_LONG"
    case unsignedLong = "MET_ULONG"
    case longLong = "MET_LONG_LONG"
    case unsignedLongLong = "MET_ULONG_LONG"
    case float = "MET_FLOAT"
    case double = "MET_DOUBLE"

    /// The voxel type that holds it exactly.
    public var voxelType: any VoxelScalar.Type {
        switch self {
        case .char: Int8.self
        case .unsignedChar: UInt8.self
        case .short: Int16.self
        case .unsignedShort: UInt16.self
        case .int, .long: Int32.self
        case .unsignedInt, .unsignedLong: UInt32.self
        case .longLong: Int64.self
        case .unsignedLongLong: UInt64.self
        case .float: Float.self
        case .double: Double.self
        }
    }

    /// The name under which a voxel type is written.
    public static func writing<Voxel: VoxelScalar>(_ type: Voxel.Type) -> ElementType? {
        allCases.first { $0.voxelType == type }
    }

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .char, .unsignedChar: 1
        case .short, .unsignedShort: 2
        case .int, .unsignedInt, .long, .unsignedLong, .float: 4
        case .longLong, .unsignedLongLong, .double: 8
        }
    }
}

/// The order of the bytes of one element.
public enum ByteOrder: Sendable, CaseIterable {
    case little, big

    /// This machine's.
    public static var native: ByteOrder { 1.littleEndian == 1 ? .little : .big }
}
