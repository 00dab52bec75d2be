import Basics
import CZlib
import FileIO

extension MetaImage {
    /// Writes a volume, each file in one piece or not at all; the header last, so that it never speaks of absent data.
    ///
    /// - Parameters:
    ///   - volume: The voxels and their place.
    ///   - path: A name ending in `.mhd` (voxels beside it in `.raw`, or `.zraw` when compressed) or `.mha` (all in one
    ///     file).
    ///   - compressed: Whether to deflate the voxels.
    ///   - byteOrder: The order of the bytes of one element.
    ///   - extraFields: Further header lines, before the data file's.
    /// - Throws: `UsageError` for another ending; `FileError` where writing fails.
    public static func write<Voxel: VoxelScalar>(
        _ volume: Volume<Voxel>, to path: String, compressed: Bool = false, byteOrder: ByteOrder = .little,
        extraFields: [(key: String, value: String)] = []
    ) throws {
        guard let type = ElementType.writing(Voxel.self), path.hasSuffix(".mhd") || path.hasSuffix(".mha") else {
            throw UsageError("\(path): a MetaImage is written to a name that ends in .mhd or .mha")
        }
        var data =
            byteOrder == .native
            ? volume.voxels.withUnsafeBytes { Array($0) }
            : volume.voxels.map(\.byteSwappedVoxel).withUnsafeBytes { Array($0) }
        if compressed { data = try deflated(data, for: path) }
        let base = String(path.dropLast(4))
        let name = Path.name(of: path).dropLast(4)
        let isLocal = path.hasSuffix(".mha")
        let ending = compressed ? "zraw" : "raw"
        let geometry = volume.geometry
        func text(_ values: [some CustomStringConvertible]) -> String {
            values.map(\.description).joined(separator: " ")
        }
        var header = """
            ObjectType = Image
            NDims = 3
            BinaryData = True
            BinaryDataByteOrderMSB = \(byteOrder == .big ? "True" : "False")
            CompressedData = \(compressed ? "True\nCompressedDataSize = \(data.count)" : "False")
            TransformMatrix = \(geometry.orientation.map { number($0) }.joined(separator: " "))
            Offset = \(geometry.origin.array.reversed().map { number($0) }.joined(separator: " "))
            CenterOfRotation = 0 0 0
            AnatomicalOrientation = RAI
            ElementSpacing = \(geometry.spacing.array.reversed().map { number($0) }.joined(separator: " "))
            DimSize = \(text(geometry.extent.array.reversed()))

            """
        for field in extraFields { header += "\(field.key) = \(field.value)\n" }
        header += "ElementType = \(type.rawValue)\nElementDataFile = \(isLocal ? "LOCAL" : "\(name).\(ending)")\n"
        if isLocal {
            try AtomicFile.write(Array(header.utf8) + data, to: path)
        } else {
            try AtomicFile.write(data, to: "\(base).\(ending)")
            try AtomicFile.write(header, to: path)
        }
    }

    /// Writes the shortest text that reads back as the same number; whole numbers without `.0`.
    private static func number(_ value: Double) -> String {
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func deflated(_ bytes: [UInt8], for path: String) throws -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        let capacity = Int(length)
        var status = Z_OK
        let result = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            status = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), 6)
            count = status == Z_OK ? Int(length) : 0
        }
        guard status == Z_OK else { throw FileError(path, "compress", reason: "zlib answers \(status)") }
        return result
    }
}
