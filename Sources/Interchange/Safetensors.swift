import FileIO
import Foundation

/// Named tensors in one file, as PyTorch's users exchange them without pickle
/// (https://huggingface.co/docs/safetensors).
///
/// A file consists of 8 bytes with the length of a JSON header (little-endian), the header, then the tensors' values,
/// row-major and little-endian. Nothing that a file says of itself is believed before the file's length bears it out.
public struct Safetensors: Sendable {
    /// The path as the user gave it.
    public let file: String
    /// The texts that the file has beside its tensors (`__metadata__`), by name.
    public let metadata: [String: String]
    /// The tensors, in the order in which their values lie in the file.
    public let tensors: [Tensor]

    /// The values of all tensors.
    private let data: ArraySlice<UInt8>

    /// A tensor's description: where its values lie, and how to read them.
    public struct Tensor: Hashable, Sendable {
        /// The tensor's name.
        public let name: String
        /// The type of its elements: `F32`, `BF16`, `I64` and so on.
        public let type: String
        /// The extents, slowest axis first.
        public let shape: [Int]
        /// The bytes of its values, counted from the header's end.
        public let range: Range<Int>
    }

    /// The format's own limit for the header in bytes.
    static let headerLimit = 100_000_000
    /// The limit for a file in bytes: several times the size of the network in any type. It guards against a sparse
    /// file, which takes no room on a disk.
    private static let sizeLimit = 1 << 28

    /// Reads a file whole.
    ///
    /// - Throws: `InputError` naming the place and what is wrong there; `FileError` where reading fails.
    public init(contentsOf path: String) throws {
        let bytes = try FileContent.bytes(path, limit: Self.sizeLimit)
        guard bytes.count >= 8 else {
            throw InputError(path, "\(bytes.count) bytes, too few for a safetensors file")
        }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - 8), length <= UInt64(Self.headerLimit) else {
            throw InputError(
                path, at: "the header's length", "\(length) bytes in a file of \(bytes.count)",
                remedy:
                    "copy a truncated file again; pickled checkpoints are converted by scripts/convert_checkpoint.py"
            )
        }
        let header = try SafetensorsHeader(bytes[8..<8 + Int(length)], file: path)
        data = bytes[(8 + Int(length))...]
        tensors = try header.tensors(filling: data.count, file: path)
        metadata = header.metadata
        file = path
    }

    /// The values of a tensor as 32-bit floats: `F32` unchanged; `F64`, `F16` and `BF16` converted.
    ///
    /// - Throws: `InputError` for other types and values that are not finite.
    public func floats(_ tensor: Tensor) throws -> [Float] {
        let bytes = data[(data.startIndex + tensor.range.lowerBound)..<(data.startIndex + tensor.range.upperBound)]
        let values: [Float]
        switch tensor.type {
        case "F32": values = Self.convert(bytes) { Float(bitPattern: $0) }
        case "F64": values = Self.convert(bytes) { Float(Double(bitPattern: $0)) }
        case "F16": values = Self.convert(bytes) { Float(Float16(bitPattern: $0)) }
        case "BF16": values = Self.convert(bytes) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        default:
            throw InputError(
                file, at: tensor.name, "of type \(tensor.type), expected F32, F64, F16 or BF16")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw InputError(file, at: tensor.name, "holds a value that is not finite")
        }
        return values
    }

    private static func convert<Bits: FixedWidthInteger>(
        _ bytes: ArraySlice<UInt8>, _ value: (Bits) -> Float
    ) -> [Float] {
        bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: MemoryLayout<Bits>.size).map {
                value(Bits(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: Bits.self)))
            }
        }
    }

    /// Writes tensors of 32-bit floats, whole or not at all. The same content gives the same bytes.
    ///
    /// - Parameters:
    ///   - tensors: The tensors, in the order of their values in the file.
    ///   - metadata: Texts by name.
    ///   - path: The file, which is replaced if it exists.
    /// - Throws: `FileError`.
    /// - Precondition: Every tensor's values fill its shape, and no name comes twice.
    public static func write(
        _ tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String], to path: String
    ) throws {
        var entries: [String: SafetensorsHeader.Entry] = [:]
        var data: [UInt8] = []
        data.reserveCapacity(tensors.reduce(0) { $0 + 4 * $1.values.count })
        for tensor in tensors {
            precondition(tensor.shape.reduce(1, *) == tensor.values.count && entries[tensor.name] == nil, tensor.name)
            let start = data.count
            for value in tensor.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data += $0 }
            }
            entries[tensor.name] = SafetensorsHeader.Entry(
                dtype: "F32", shape: tensor.shape, dataOffsets: [start, data.count])
        }
        var header = try SafetensorsHeader.encoded(entries, metadata: metadata)
        // The values begin at a multiple of eight, so that they can be mapped.
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
        try AtomicFile.write(length + header + data, to: path)
    }
}
