import Basics
import FileIO

/// A volume in a file, of whichever format its name's ending says: MetaImage (`.mhd`, `.mha`), NIfTI (`.nii`,
/// `.nii.gz`) or NRRD (`.nrrd`, `.nhdr`).
///
/// The header is read and checked against the file's size; voxels are read on demand.
public struct ScanFile: Sendable {
    /// The formats that are read.
    public enum Format: Sendable, CaseIterable {
        /// MetaImage, in one file or two.
        case metaImage
        /// NIfTI-1 or NIfTI-2 in one file.
        case nifti
        /// NRRD, in one file or two.
        case nrrd

        /// The endings of the format's file names.
        public var endings: [String] {
            switch self {
            case .metaImage: [".mhd", ".mha"]
            case .nifti: [".nii.gz", ".nii"]
            case .nrrd: [".nrrd", ".nhdr"]
            }
        }
    }

    /// The path as the caller gave it.
    public let path: String
    /// The format that the name's ending says.
    public let format: Format
    /// The place of the voxels, in LPS and mm.
    public let geometry: VolumeGeometry
    let storage: VoxelStorage

    /// Reads a file's header.
    ///
    /// - Throws: `InputError` naming the field, what was expected and the remedy; `FileError` where reading fails.
    public init(path: String) throws {
        guard let (format, _) = Self.ending(of: path) else { throw Self.refusal(of: path) }
        self.path = path
        self.format = format
        switch format {
        case .metaImage:
            let header = try MetaImageHeader(path: path)
            (geometry, storage) = (header.geometry, header.storage)
        case .nifti:
            let header = try NIfTIHeader(path: path)
            (geometry, storage) = (header.geometry, header.storage)
        case .nrrd:
            let header = try NRRDHeader(path: path)
            (geometry, storage) = (header.geometry, header.storage)
        }
    }

    /// The files that hold the scan: its header's, and that of the voxels where it is another.
    public var files: [String] { storage.path == path ? [path] : [path, storage.path] }

    /// The format's name, for messages.
    public var formatName: String {
        switch format {
        case .metaImage: "MetaImage"
        case .nifti: "NIfTI"
        case .nrrd: "NRRD"
        }
    }

    /// The type of the stored elements.
    public var elementType: ElementType { storage.elementType }
    /// The way from stored values to HU; nil where they are HU.
    public var rescale: Rescale? { storage.rescale }
    /// The number of bytes of the voxels, inflated.
    public var byteCount: Int { storage.byteCount }

    /// Whether Int16 holds every value exactly.
    public var fitsInt16: Bool { rescale == nil && [.char, .unsignedChar, .short].contains(elementType) }

    /// Reads the voxels, converting them to `Voxel` where they are of another type or to be rescaled: to the nearest
    /// value that `Voxel` holds, not-a-number to 0.
    ///
    /// - Throws: `InputError` where the data are damaged or cut off; `FileError` where reading fails.
    public func read<Voxel: VoxelScalar>(as type: Voxel.Type) throws -> Volume<Voxel> {
        Volume(geometry: geometry, voxels: try storage.voxels(as: type), source: path)
    }

    /// Reads header and voxels, converting these to `Voxel` where they are of another type or to be rescaled.
    ///
    /// - Throws: `InputError` where the header is wrong, or the data are damaged or cut off; `FileError` where reading
    ///   fails.
    public static func read<Voxel: VoxelScalar>(_ path: String, as type: Voxel.Type) throws -> Volume<Voxel> {
        try ScanFile(path: path).read(as: type)
    }

    /// Returns a path's file name without directory and ending; nil where the ending is of no format.
    public static func name(of path: String) -> String? {
        guard let (_, ending) = ending(of: path) else { return nil }
        return String(Path.name(of: path).dropLast(ending.count))
    }

    private static func ending(of path: String) -> (Format, String)? {
        let lowercased = path.lowercased()
        for format in Format.allCases {
            if let ending = format.endings.first(where: lowercased.hasSuffix) { return (format, ending) }
        }
        return nil
    }

    /// The reason why a file is not taken for a scan.
    static func refusal(of path: String) -> InputError {
        let pairs = [".hdr", ".img", ".hdr.gz", ".img.gz"]
        if pairs.contains(where: path.lowercased().hasSuffix) {
            return InputError(
                path, "a pair of .hdr and .img is not read", remedy: "write the scan anew as one .nii or .nii.gz")
        }
        let endings = Format.allCases.flatMap(\.endings).joined(separator: ", ")
        return InputError(path, "not a scan's file", remedy: "give one that ends in \(endings)")
    }
}
