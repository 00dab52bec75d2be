import CHDF5

/// A number that datasets and attributes hold: little-endian in files, native in memory.
public protocol HDF5Element: Hashable, Sendable, BitwiseCopyable {
    /// The type's name in messages, such as `float32`.
    static var hdf5Name: String { get }
    /// The library's identifier of the type in memory.
    static var hdf5MemoryType: Int64 { get }
    /// The library's identifier of the type in files.
    static var hdf5FileType: Int64 { get }
    /// Whether the type is an integer, signed or not.
    static var hdf5IsInteger: Bool { get }
    /// The number 0, with which buffers begin.
    static var hdf5Zero: Self { get }
}

extension Float: HDF5Element {
    public static var hdf5Name: String { "float32" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_float() }
    public static var hdf5FileType: Int64 { luna_h5_file_float() }
    public static var hdf5IsInteger: Bool { false }
    public static var hdf5Zero: Float { 0 }
}

extension Double: HDF5Element {
    public static var hdf5Name: String { "float64" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_double() }
    public static var hdf5FileType: Int64 { luna_h5_file_double() }
    public static var hdf5IsInteger: Bool { false }
    public static var hdf5Zero: Double { 0 }
}

extension Int32: HDF5Element {
    public static var hdf5Name: String { "int32" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_int32() }
    public static var hdf5FileType: Int64 { luna_h5_file_int32() }
    public static var hdf5IsInteger: Bool { true }
    public static var hdf5Zero: Int32 { 0 }
}

extension Int64: HDF5Element {
    public static var hdf5Name: String { "int64" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_int64() }
    public static var hdf5FileType: Int64 { luna_h5_file_int64() }
    public static var hdf5IsInteger: Bool { true }
    public static var hdf5Zero: Int64 { 0 }
}

extension UInt64: HDF5Element {
    public static var hdf5Name: String { "uint64" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_uint64() }
    public static var hdf5FileType: Int64 { luna_h5_file_uint64() }
    public static var hdf5IsInteger: Bool { true }
    public static var hdf5Zero: UInt64 { 0 }
}

extension UInt8: HDF5Element {
    public static var hdf5Name: String { "uint8" }
    public static var hdf5MemoryType: Int64 { luna_h5_native_uint8() }
    public static var hdf5FileType: Int64 { luna_h5_file_uint8() }
    public static var hdf5IsInteger: Bool { true }
    public static var hdf5Zero: UInt8 { 0 }
}

/// The kind of the elements of a dataset or an attribute, as far as they are read.
public enum HDF5Kind: Hashable, Sendable, CustomStringConvertible {
    /// An integer of 1, 2, 4 or 8 bytes.
    case integer(bytes: Int, signed: Bool)
    /// A floating-point number of 2, 4 or 8 bytes (IEEE 754).
    case float(bytes: Int)
    /// A text of so many bytes; nil for texts of variable length.
    case string(bytes: Int?)
    /// A type that is not read, of so many bytes.
    case other(bytes: Int)

    public var description: String {
        switch self {
        case .integer(let bytes, let signed): "\(signed ? "int" : "uint")\(bytes * 8)"
        case .float(let bytes): "float\(bytes * 8)"
        case .string(let bytes): bytes == nil ? "string of variable length" : "string"
        case .other: "a type that is not used here"
        }
    }

    /// The bytes of one element; a string of variable length stands as a reference.
    public var elementBytes: Int {
        switch self {
        case .integer(let bytes, _), .float(let bytes), .other(let bytes): bytes
        case .string(let bytes): bytes ?? 16
        }
    }

    /// Finds the kind of an open datatype. To be called inside `Library.run`.
    ///
    /// A number whose bits lie otherwise than in a processor's own is of another kind: the library would convert it bit
    /// by bit, wherever the file says that they are.
    init(type: hid_t) {
        let bytes = Int(H5Tget_size(type))
        switch H5Tget_class(type) {
        case H5T_INTEGER where Self.isPlain(type, bytes, among: [1, 2, 4, 8]):
            self = .integer(bytes: bytes, signed: H5Tget_sign(type) == H5T_SGN_2)
        case H5T_FLOAT where Self.isPlain(type, bytes, among: [2, 4, 8]) && Self.isIEEE754(type, bytes):
            self = .float(bytes: bytes)
        case H5T_STRING where bytes > 0: self = .string(bytes: H5Tis_variable_str(type) > 0 ? nil : bytes)
        default: self = .other(bytes: max(1, bytes))
        }
    }

    private static func isPlain(_ type: hid_t, _ bytes: Int, among widths: [Int]) -> Bool {
        let order = H5Tget_order(type)
        return widths.contains(bytes) && H5Tget_precision(type) == 8 * bytes && H5Tget_offset(type) == 0
            && (order == H5T_ORDER_LE || order == H5T_ORDER_BE)
    }

    private static func isIEEE754(_ type: hid_t, _ bytes: Int) -> Bool {
        let exponentBits = bytes == 2 ? 5 : bytes == 4 ? 8 : 11
        let fraction = 8 * bytes - 1 - exponentBits
        var (sign, exponent, exponentSize, mantissa, mantissaSize) = (0, 0, 0, 0, 0)
        return H5Tget_fields(type, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize) >= 0
            && [sign, exponent, exponentSize, mantissa, mantissaSize] == [
                8 * bytes - 1, fraction, exponentBits, 0, fraction,
            ]
            && H5Tget_ebias(type) == 1 << (exponentBits - 1) - 1 && H5Tget_norm(type) == H5T_NORM_IMPLIED
    }

    /// Whether values of this kind are read as `Element`: floats of any width as floats, integers as integers at
    /// least as wide.
    func converts<Element: HDF5Element>(to element: Element.Type) -> Bool {
        switch self {
        case .integer(let bytes, _): Element.hdf5IsInteger && bytes <= MemoryLayout<Element>.size
        case .float: !Element.hdf5IsInteger
        default: false
        }
    }
}
