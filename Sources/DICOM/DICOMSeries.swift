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
    /// The other things that the folder holds, a sentence each.
    public let notes: [String]

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
    /// - Returns: Nil where the folder holds no DICOM file.
    /// - Throws: `InputError` where there is not one such series, its slices do not make a regular grid, a file is
    ///   damaged, or this build has no DICOM; `FileError` where reading fails.
    public init?(folder: String, uid: String? = nil) throws {
        guard FileContent.isDirectory(folder) else {
            guard try DataSet.isDICOM(folder) else { return nil }
            throw InputError(folder, "one DICOM file", remedy: "give the folder that holds its whole series")
        }
        let found = try DICOMFolder(folder)
        guard !found.files.isEmpty else { return nil }
        // Uncompressed files would not need GDCM; but what a build can read must not depend on how an archive
        // stores it.
        guard FrameDecoder.isBuiltIn else { throw FrameDecoder.absence(folder) }
        try self.init(found, folder: folder, uid: uid)
    }

    init(_ found: DICOMFolder, folder: String, uid: String?) throws {
        self.folder = folder
        var contents = try FolderContents(found)
        let images = try contents.choose(uid, folder: folder)
        stack = try SliceStack(try images.map(Slice.init), source: folder)
        geometry = stack.geometry
        contents.scoutCount += stack.scoutCount
        notes = contents.notes

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
