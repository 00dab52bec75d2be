import Basics
import CT
import FileIO

/// A CT series in a folder of DICOM files: a scan.
///
/// The series' UID and the geometry are all of a header that leaves this type. In a message to the user, who has the
/// files, the series' description can stand too; names and dates of persons are never read.
public struct DICOMSeries: Sendable {
    /// The series' UID (SeriesInstanceUID); where the files have none, the folder's name.
    public let uid: String
    /// The place of the voxels, in LPS as MetaImage's: origin and directions are the first slice's, and the slice
    /// distance is that of the positions.
    public let geometry: VolumeGeometry
    /// The other things that the folder holds and that were left out, a few words each.
    public let notes: [String]
    /// The oddities of the files that were read all the same, a sentence each.
    public let warnings: [String]

    /// The slices' files, in their order along the normal.
    public var files: [String] { stack.slices.map(\.path) }

    private let folder: String
    private let stack: SliceStack

    /// Finds the CT series in a folder and the folders in it.
    ///
    /// - Parameters:
    ///   - folder: Any files may be in it: one that is not DICOM, not CT or no slice is left out and counted in
    ///     `notes`.
    ///   - uid: The series to read; nil where there is but one.
    ///   - acquisition: The acquisition's number (AcquisitionNumber) of the images to read; nil for all.
    /// - Returns: Nil where the folder holds no DICOM file.
    /// - Throws: `InputError` where there is not one such series, its slices do not make a regular grid, a file of it
    ///   is damaged, or this build has no DICOM; `FileError` where reading fails.
    public init?(folder: String, uid: String? = nil, acquisition: String? = nil) throws {
        guard FileContent.isDirectory(folder) else {
            guard try DataSet.isDICOM(folder) else { return nil }
            throw InputError(folder, "one DICOM file", remedy: "give the folder that holds its whole series")
        }
        let found = try DICOMFolder(folder)
        guard !found.files.isEmpty else { return nil }
        // Uncompressed files would not need GDCM; but what a build can read must not depend on how an archive
        // stores it.
        guard FrameDecoder.isBuiltIn else { throw FrameDecoder.absence(folder) }
        try self.init(found, folder: folder, uid: uid, acquisition: acquisition)
    }

    /// Whether a file is DICOM by its first bytes.
    ///
    /// - Throws: `FileError` where it cannot be read.
    public static func isDICOM(_ path: String) throws -> Bool { try DataSet.isDICOM(path) }

    /// Describes the CT series in a folder; nil where there is none. This needs no decoders.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - isDeep: Whether to look through the folders in it, too.
    /// - Throws: `InputError` where there are too many files; `FileError` where a folder cannot be read.
    public static func description(of folder: String, isDeep: Bool) throws -> String? {
        FolderContents(try DICOMFolder(folder, isDeep: isDeep)).description
    }

    init(_ found: DICOMFolder, folder: String, uid: String?, acquisition: String? = nil) throws {
        self.folder = folder
        var contents = FolderContents(found)
        let images: [DataSet]
        do {
            images = try contents.choose(uid, acquisition: acquisition, folder: folder)
            let selection = try ImageSelection(images)
            contents.captureCount += selection.captureCount
            contents.scoutCount += selection.scoutCount
            stack = try SliceStack(selection.slices, source: folder)
        } catch {
            throw contents.explaining(error)
        }
        geometry = stack.geometry
        contents.scoutCount += stack.scoutCount
        contents.copyCount = stack.copyCount
        notes = contents.notes
        warnings = stack.warnings

        let name = images.first?.text(.seriesInstanceUID) ?? ""
        self.uid = name.isEmpty ? FileContent.absoluteName(folder) : name
        // It becomes the name of files.
        guard name.utf8.allSatisfy({ 48...57 ~= $0 || $0 == 46 }), name.utf8.count <= 64, name.first != "." else {
            throw InputError(
                images.first?.path ?? folder, at: Tag.seriesInstanceUID.description,
                "is \(name), expected digits and dots", remedy: "export the series again from its source")
        }
    }

    /// Reads the voxels, HU, in 16 bits where these hold whatever the files can store.
    ///
    /// - Throws: `InputError` where a file is damaged or has changed; `FileError` where reading fails.
    public func scanVolume() throws -> ScanVolume {
        stack.slices.allSatisfy(\.format.fitsInt16)
            ? .short(try volume(as: Int16.self)) : .float(try volume(as: Float.self))
    }

    /// Reads the voxels, HU, `[z, y, x]`: stored number times RescaleSlope plus RescaleIntercept, each slice with its
    /// own, in the nearest value that `Voxel` holds. Padding is not treated otherwise.
    ///
    /// - Throws: `InputError` where a file is damaged or has changed; `FileError` where reading fails.
    public func volume<Voxel: VoxelScalar>(as type: Voxel.Type) throws -> Volume<Voxel> {
        let perSlice = geometry.extent.y * geometry.extent.x
        let voxels = try [Voxel](unsafeUninitializedCapacity: geometry.extent.product) { voxels, count in
            for (index, slice) in stack.slices.enumerated() {
                let words = try PixelData.words(of: slice)
                for (offset, word) in words.enumerated() {
                    voxels[index * perSlice + offset] = Voxel(clampingVoxel: slice.format.value(of: word))
                }
            }
            count = geometry.extent.product
        }
        return Volume(geometry: geometry, voxels: voxels, source: folder)
    }
}
