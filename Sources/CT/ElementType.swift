/// The types of an element that MetaImage has.
public enum ElementType: String, CaseIterable, Sendable {
    /// A signed integer of 8 bits.
    case char = "MET_CHAR"
    /// An unsigned integer of 8 bits.
    case unsignedChar = "MET_UCHAR"
    /// A signed integer of 16 bits.
    case short = "MET_SHORT"
    /// An unsigned integer of 16 bits.
    case unsignedShort = "MET_USHORT"
    /// A signed integer of 32 bits.
    case int = "MET_INT"
    /// An unsigned integer of 32 bits.
    case unsignedInt = "MET_UINT"
    /// A signed integer of 32 bits: MetaIO writes `long` as four bytes on every system, and eight as `long long`.
    case long = "MET_LONG"
    /// An unsigned integer of 32 bits, as `long` is a signed one.
    case unsignedLong = "MET_ULONG"
    /// A signed integer of 64 bits.
    case longLong = "MET_LONG_LONG"
    /// An unsigned integer of 64 bits.
    case unsignedLongLong = "MET_ULONG_LONG"
    /// A floating-point number of 32 bits.
    case float = "MET_FLOAT"
    /// A floating-point number of 64 bits.
    case double = "MET_DOUBLE"

    /// The voxel type that holds an element exactly.
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

    /// Returns the type as which voxels are written; nil where there is none.
    public static func writing<Voxel: VoxelScalar>(_ type: Voxel.Type) -> ElementType? {
        allCases.first { $0.voxelType == type }
    }

    /// The number of bytes of one element.
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
    /// The least significant byte first.
    case little
    /// The most significant byte first.
    case big

    /// The order of this machine.
    public static var native: ByteOrder { 1.littleEndian == 1 ? .little : .big }
}
