import Basics
import FileIO

/// An NRRD header (<https://teem.sourceforge.net/nrrd/format.html>), attached to its data or beside them, checked
/// against the file before anything is allocated.
struct NRRDHeader {
    let geometry: VolumeGeometry
    let storage: VoxelStorage

    /// Reads and checks a header.
    ///
    /// - Throws: `InputError` naming the field, what was expected and the remedy; `FileError` where reading fails.
    init(path: String) throws {
        let fields = try HeaderFields(nrrd: path)
        let dimension = try fields.require("dimension")
        guard dimension.value == "3" else {
            throw fields.error(
                dimension, "is \(dimension.value), expected 3", remedy: "a scan is one three-dimensional image")
        }
        if let kinds = fields["kinds"] {
            let spatial = ["domain", "space", "none", "???"]
            guard kinds.value.split(separator: " ").allSatisfy({ spatial.contains($0.lowercased()) }) else {
                throw fields.error(
                    kinds, "is \(kinds.value), expected domain or space three times",
                    remedy: "a scan has three axes of space and one value per voxel")
            }
        }
        let extent = try Self.extent(fields)
        geometry = try Self.geometry(fields, extent: extent)
        storage = try Self.storage(fields, extent: extent)
        try storage.check(header: path, at: fields.place("sizes"), typeName: fields.require("type").value)
    }

    private static func extent(_ fields: HeaderFields) throws -> ZYX<Int> {
        guard let size = try fields.integers("sizes", count: 3) else { throw fields.missing("sizes") }
        guard size.allSatisfy({ $0 > 0 }) else {
            throw InputError(fields.path, at: fields.place("sizes"), "is \(size), expected three positive counts")
        }
        guard VoxelStorage.canCount(size) else {
            throw InputError(
                fields.path, at: fields.place("sizes"), "\(size) voxels are more than any file holds",
                remedy: "correct the header")
        }
        return ZYX(size[2], size[1], size[0])
    }

    private static let elementTypes: [(type: ElementType, names: [String])] = [
        (.char, ["signed char", "int8", "int8_t"]),
        (.unsignedChar, ["uchar", "unsigned char", "uint8", "uint8_t"]),
        (.short, ["short", "short int", "signed short", "signed short int", "int16", "int16_t"]),
        (.unsignedShort, ["ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"]),
        (.int, ["int", "signed int", "int32", "int32_t"]),
        (.unsignedInt, ["uint", "unsigned int", "uint32", "uint32_t"]),
        (
            .longLong,
            [
                "longlong", "long long", "long long int", "signed long long", "signed long long int", "int64",
                "int64_t",
            ]
        ),
        (
            .unsignedLongLong,
            ["ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"]
        ),
        (.float, ["float"]),
        (.double, ["double"]),
    ]

    private static func storage(_ fields: HeaderFields, extent: ZYX<Int>) throws -> VoxelStorage {
        let typeName = try fields.require("type")
        guard let type = elementTypes.first(where: { $0.names.contains(typeName.value.lowercased()) })?.type else {
            let names = elementTypes.compactMap(\.names.first).joined(separator: ", ")
            throw fields.error(typeName, "is \(typeName.value), expected one of \(names)")
        }
        var byteOrder = ByteOrder.native
        if let endian = fields["endian"] {
            switch endian.value.lowercased() {
            case "little": byteOrder = .little
            case "big": byteOrder = .big
            default: throw fields.error(endian, "is \(endian.value), expected little or big")
            }
        } else if type.size > 1 {
            throw fields.missing("endian")
        }
        let encoding = try fields.require("encoding")
        guard ["raw", "gzip", "gz"].contains(encoding.value.lowercased()) else {
            throw fields.error(
                encoding, "is \(encoding.value), expected raw or gzip", remedy: "write the scan anew in one of them")
        }
        var storage = VoxelStorage(
            path: fields.path, offset: fields.byteCount, storedByteCount: 0,
            isCompressed: encoding.value.lowercased() != "raw", extent: extent, elementType: type,
            byteOrder: byteOrder)
        try locate(&storage, fields)
        return storage
    }

    /// Finds the data's file, and the byte in it at which they begin.
    private static func locate(_ storage: inout VoxelStorage, _ fields: HeaderFields) throws {
        if let file = fields["data file"] {
            storage.path = Path.beside(fields.path, file.value)
            // A name with % is a pattern of names, unless a file has it.
            let isPattern = file.value.contains("%") && FileContent.size(storage.path) == nil
            guard file.value != "LIST", !file.value.hasPrefix("LIST "), !isPattern else {
                throw fields.error(
                    file, "several data files are not read", remedy: "write the scan anew as one .nrrd")
            }
            storage.offset = 0
            guard FileContent.size(storage.path) != nil else {
                throw fields.error(
                    file, "there is no file \(storage.path)",
                    remedy: "put it beside the header; download the pair again")
            }
        }
        let fileSize = FileContent.size(storage.path) ?? 0
        let lines = try fields.integers("line skip", count: 1)?[0] ?? 0
        let bytes = try fields.integers("byte skip", count: 1)?[0] ?? 0
        guard lines >= 0 else {
            throw InputError(
                fields.path, at: fields.place("line skip"), "is \(lines), expected a count of lines")
        }
        try skip(lines, &storage, fields)
        // Teem and ITK count -1, -2 and so on from the end, also that of the inflated data: so many bytes less one are
        // behind the voxels.
        let behind = bytes < 0 ? -(bytes + 1) : 0
        guard behind <= fileSize else {
            throw InputError(
                fields.path, at: fields.place("byte skip"), "is \(bytes), but the data file has \(fileSize) bytes")
        }
        if storage.isCompressed {
            storage.inflatedOffset = max(0, bytes)
            storage.inflatedTail = bytes < 0 ? behind : nil
        } else if bytes < 0 {
            storage.offset = max(storage.offset, fileSize - storage.byteCount - behind)
            storage.storedByteCount = max(0, fileSize - storage.offset - behind)
            return
        } else {
            guard bytes <= fileSize - storage.offset else {
                throw InputError(
                    fields.path, at: fields.place("byte skip"), "is \(bytes), but the data file has \(fileSize) bytes")
            }
            storage.offset += bytes
        }
        storage.storedByteCount = max(0, fileSize - storage.offset)
    }

    /// Moves the data's start behind as many lines of text.
    private static func skip(_ lines: Int, _ storage: inout VoxelStorage, _ fields: HeaderFields) throws {
        guard lines > 0 else { return }
        var source = try FileSource(path: storage.path, offset: storage.offset, count: nil)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var left = lines
        while left > 0 {
            let count = try piece.withUnsafeMutableBytes { try source.read(into: $0) }
            guard count > 0 else {
                throw InputError(
                    fields.path, at: fields.place("line skip"), "is \(lines), but \(storage.path) has fewer lines")
            }
            var used = 0
            while used < count && left > 0 {
                if piece[used] == UInt8(ascii: "\n") { left -= 1 }
                used += 1
            }
            storage.offset += used
        }
    }
}
