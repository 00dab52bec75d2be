import Basics
import FileIO

/// A MetaImage header, every field of it checked against its file before anything is allocated.
///
/// Fields are those of the MetaIO documentation; lines with other names are passed over.
public struct MetaImageHeader: Sendable {
    /// The place of the voxels in the world, mm.
    public var geometry: VolumeGeometry
    /// The type of the stored elements.
    public var elementType: ElementType
    /// The order of the bytes of one element.
    public var byteOrder: ByteOrder
    /// Whether the voxels are deflated.
    public var isCompressed: Bool
    /// The file that holds the voxels: the header's own for `LOCAL`.
    public var dataPath: String
    /// The byte of that file at which the voxels, or their compressed form, begin.
    public var dataOffset: Int
    /// The number of bytes that are stored there.
    public var storedByteCount: Int
    /// The header's own path.
    public var path: String

    /// The number of bytes of the voxels once inflated.
    public var byteCount: Int { storage.byteCount }

    /// The voxels' place, for reading them.
    var storage: VoxelStorage {
        VoxelStorage(
            path: dataPath, offset: dataOffset, storedByteCount: storedByteCount, isCompressed: isCompressed,
            extent: geometry.extent, elementType: elementType, byteOrder: byteOrder)
    }

    /// Reads and checks the header at `path`, and that the voxels it speaks of can be there.
    ///
    /// - Throws: `InputError` naming the field, what was expected and the remedy; `FileError` where reading fails.
    public init(path: String) throws {
        let fields = try HeaderFields(path: path)
        self.path = path
        if let kind = fields["ObjectType"], kind.value != "Image" {
            throw fields.error(kind, "is \(kind.value), expected Image")
        }
        if let binary = try fields.boolean("BinaryData"), !binary {
            throw InputError(
                path, at: "BinaryData", "voxels are written as text", remedy: "write the image anew in binary form")
        }
        let dimensions = try fields.integers("NDims", count: 1)
        guard let dimensions, dimensions == [3] else {
            throw InputError(
                path, at: "NDims", dimensions.map { "is \($0[0]), expected 3" } ?? "missing, expected 3",
                remedy: "a scan is one three-dimensional image")
        }
        guard try fields.integers("ElementNumberOfChannels", count: 1) ?? [1] == [1] else {
            throw InputError(
                path, at: "ElementNumberOfChannels", "more than one channel", remedy: "a scan has one value per voxel")
        }
        geometry = try Self.geometry(fields)
        let typeName = try fields.require("ElementType")
        guard let type = ElementType(rawValue: typeName.value) else {
            throw fields.error(
                typeName,
                "is \(typeName.value), expected one of \(ElementType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        elementType = type
        let bigEndian = try fields.boolean("BinaryDataByteOrderMSB", "ElementByteOrderMSB") ?? false
        byteOrder = bigEndian ? .big : .little
        isCompressed = try fields.boolean("CompressedData") ?? false
        (dataPath, dataOffset, storedByteCount) = ("", 0, 0)
        try locateData(fields)
    }

    private static func geometry(_ fields: HeaderFields) throws -> VolumeGeometry {
        guard let size = try fields.integers("DimSize", count: 3) else { throw fields.missing("DimSize") }
        let place = fields.place("DimSize")
        guard size.allSatisfy({ $0 > 0 }) else {
            throw InputError(fields.path, at: place, "is \(size), expected three positive counts")
        }
        guard VoxelStorage.canCount(size) else {
            throw InputError(
                fields.path, at: place, "\(size) voxels are more than any file holds", remedy: "correct the header")
        }
        guard let spacing = try fields.numbers("ElementSpacing", "ElementSize", count: 3) else {
            throw fields.missing("ElementSpacing")
        }
        guard spacing.allSatisfy({ $0 > 0 }) else {
            throw InputError(
                fields.path, at: fields.place("ElementSpacing", "ElementSize"),
                "is \(spacing), expected three positive millimetres")
        }
        let origin = try fields.numbers("Offset", "Position", "Origin", count: 3) ?? [0, 0, 0]
        let orientation =
            try fields.numbers("TransformMatrix", "Rotation", "Orientation", count: 9) ?? VolumeGeometry.upright
        return VolumeGeometry(
            extent: ZYX(size[2], size[1], size[0]), spacing: ZYX(spacing[2], spacing[1], spacing[0]),
            origin: ZYX(origin[2], origin[1], origin[0]), orientation: orientation)
    }

    private mutating func locateData(_ fields: HeaderFields) throws {
        let file = try fields.require("ElementDataFile")
        let skip = try fields.integers("HeaderSize", count: 1)?[0] ?? 0
        if file.value == "LOCAL" {
            dataPath = path
            dataOffset = fields.byteCount
        } else {
            dataPath = Path.beside(path, file.value)
            // A name with % is a pattern of names, unless a file has it.
            guard file.value != "LIST", !file.value.contains("%") || FileContent.size(dataPath) != nil else {
                throw fields.error(
                    file, "one file per slice is not read", remedy: "write the image as .mhd with one .raw, or as .mha")
            }
        }
        guard let fileSize = FileContent.size(dataPath) else {
            throw fields.error(
                file, "there is no file \(dataPath)", remedy: "put it beside the header; download the pair again")
        }
        guard skip >= -1, skip == -1 || skip <= fileSize - dataOffset else {
            throw InputError(
                path, at: fields.place("HeaderSize"), "is \(skip), but the data file has \(fileSize) bytes")
        }
        if skip > 0 { dataOffset += skip }
        storedByteCount = fileSize - dataOffset
        if isCompressed {
            guard skip != -1 else {
                throw InputError(path, at: fields.place("HeaderSize"), "-1 cannot be used with compressed data")
            }
            try locateCompressed(fields)
        } else if skip == -1 {
            // −1 says: the voxels are the last bytes of the file.
            dataOffset = max(dataOffset, fileSize - byteCount)
            storedByteCount = fileSize - dataOffset
        }
        try storage.check(header: path, at: fields.place("DimSize"), typeName: elementType.rawValue)
    }

    private mutating func locateCompressed(_ fields: HeaderFields) throws {
        guard let size = try fields.integers("CompressedDataSize", count: 1)?[0], size != 0 else { return }
        guard size > 0 else {
            throw InputError(path, at: fields.place("CompressedDataSize"), "is \(size), expected a count of bytes")
        }
        guard size <= storedByteCount else {
            throw InputError(
                dataPath, "\(storedByteCount) bytes, expected \(size) of compressed data",
                remedy: "the file is cut off: download it again")
        }
        storedByteCount = size
    }
}
