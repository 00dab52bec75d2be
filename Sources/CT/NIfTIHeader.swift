import Basics
import FileIO

/// A NIfTI-1 or NIfTI-2 header (<https://nifti.nimh.nih.gov>), checked against its file before anything is allocated.
///
/// It is read as ITK reads it, in ITK's world (LPS, mm), so that voxels and positions are those that SimpleITK gives.
/// Where ITK guesses, this refuses: spacings that are not positive, and an sform that contradicts them.
struct NIfTIHeader {
    let geometry: VolumeGeometry
    let storage: VoxelStorage

    /// Reads and checks a header.
    ///
    /// - Throws: `InputError` naming the field, what was expected and the remedy; `FileError` where reading fails.
    init(path: String) throws {
        guard let fileSize = FileContent.size(path) else { throw InputError(path, "no such file") }
        let isCompressed = try FileSource(path: path, offset: 0, count: nil).prefix(2) == [0x1f, 0x8b]
        let fields = try NIfTIFields(path: path, isCompressed: isCompressed)

        let extent = try Self.extent(fields)
        let (elementType, typeName) = try Self.elementType(fields)
        let offset = try Self.offset(fields)
        geometry = try Self.geometry(fields, extent: extent)
        var storage = VoxelStorage(
            path: path, offset: isCompressed ? 0 : offset, storedByteCount: fileSize, isCompressed: isCompressed,
            inflatedOffset: isCompressed ? offset : 0, extent: extent, elementType: elementType,
            byteOrder: fields.byteOrder, rescale: Self.rescale(fields))
        if !isCompressed { storage.storedByteCount = max(0, fileSize - offset) }
        if Double(offset) != fields.offset, !isCompressed, storage.storedByteCount != storage.byteCount {
            throw InputError(
                path, at: "vox_offset",
                "is \(fields.offset), which stands for \(offset), where the header ends; \(storage.storedByteCount) "
                    + "bytes follow, expected \(storage.byteCount) for the voxels",
                remedy: "write into it where the voxels begin, mostly 352; or download the file again")
        }
        try storage.check(header: path, at: "dim", typeName: typeName)
        self.storage = storage
    }

    /// The byte at which the voxels begin. A smaller number than the header's size stands for that, as ITK reads it.
    private static func offset(_ fields: NIfTIFields) throws -> Int {
        guard abs(fields.offset) <= Double(Int32.max), fields.offset == fields.offset.rounded() else {
            throw InputError(
                fields.path, at: "vox_offset", "is \(fields.offset), expected a count of bytes",
                remedy: "correct the header, or download the file again")
        }
        return max(fields.byteCount, Int(fields.offset))
    }

    private static func extent(_ fields: NIfTIFields) throws -> ZYX<Int> {
        let dim = fields.dim
        guard 3...7 ~= dim[0] else {
            throw InputError(
                fields.path, at: "dim[0]", "is \(dim[0]), expected 3", remedy: "a scan is one three-dimensional image")
        }
        for axis in 4..<8 where axis <= dim[0] && dim[axis] != 1 {
            throw InputError(
                fields.path, at: "dim[\(axis)]",
                "is \(dim[axis]), expected 1: a scan is one image of one value per voxel",
                remedy: "write one of the images to a file of its own")
        }
        let size = Array(dim[1...3])
        guard size.allSatisfy({ $0 > 0 }) else {
            throw InputError(fields.path, at: "dim", "is \(size), expected three positive counts")
        }
        guard VoxelStorage.canCount(size) else {
            throw InputError(
                fields.path, at: "dim", "\(size) voxels are more than any file holds", remedy: "correct the header")
        }
        return ZYX(size[2], size[1], size[0])
    }

    private static let elementTypes: [Int: (type: ElementType, name: String)] = [
        2: (.unsignedChar, "UINT8"), 4: (.short, "INT16"), 8: (.int, "INT32"), 16: (.float, "FLOAT32"),
        64: (.double, "FLOAT64"), 256: (.char, "INT8"), 512: (.unsignedShort, "UINT16"), 768: (.unsignedInt, "UINT32"),
        1024: (.longLong, "INT64"), 1280: (.unsignedLongLong, "UINT64"),
    ]
    private static let otherTypes: [Int: String] = [
        1: "BINARY", 32: "COMPLEX64", 128: "RGB24", 1536: "FLOAT128", 1792: "COMPLEX128", 2048: "COMPLEX256",
        2304: "RGBA32",
    ]

    private static func elementType(_ fields: NIfTIFields) throws -> (ElementType, String) {
        guard let known = elementTypes[fields.datatype] else {
            let found = otherTypes[fields.datatype].map { "\(fields.datatype) (\($0))" } ?? "\(fields.datatype)"
            throw InputError(
                fields.path, at: "datatype", "is \(found), expected whole or real numbers of 8 to 64 bits",
                remedy: "write the scan anew as INT16 or FLOAT32")
        }
        return known
    }

    /// The header's rescaling. A slope of 0 stands for 1, and a number that is none for 0.
    private static func rescale(_ fields: NIfTIFields) -> Rescale? {
        let slope = fields.slope.isFinite && abs(fields.slope) >= .ulpOfOne ? fields.slope : 1
        let intercept = fields.intercept.isFinite ? fields.intercept : 0
        let isIdentity = abs(slope - 1) <= .ulpOfOne && abs(intercept) <= .ulpOfOne
        return isIdentity ? nil : Rescale(slope: slope, intercept: intercept)
    }

    private static func geometry(_ fields: NIfTIFields, extent: ZYX<Int>) throws -> VolumeGeometry {
        // Metres, millimetres, micrometres; not said: millimetres.
        let unit =
            switch fields.units & 7 {
            case 1: 1e3
            case 3: 1e-3
            default: 1.0
            }
        let spacing = fields.pixdim[1...3].map { $0 * unit }
        guard spacing.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw InputError(
                fields.path, at: "pixdim", "is \(Array(fields.pixdim[1...3])), expected three positive distances",
                remedy: "correct the header")
        }
        let frame = try fields.frame()
        let origin = frame.origin.map { $0 * unit }
        guard origin.allSatisfy(\.isFinite) else {
            throw InputError(fields.path, at: frame.name, "the first voxel's position is not a number")
        }
        // From NIfTI's world, where x grows to the right and y to the front (RAS), to the scan's (LPS).
        return VolumeGeometry(
            extent: extent, spacing: ZYX(spacing[2], spacing[1], spacing[0]),
            origin: ZYX(origin[2], -origin[1], -origin[0]),
            orientation: frame.axes.flatMap { [-$0[0], -$0[1], $0[2]] })
    }
}
