import CT
import FileIO

/// A list of a data set's nodules, in whichever of the forms that luna reads: known by its content, never by its name.
///
/// Every form's places become world millimetres in LPS and its names those of scans, so that what is made of a list
/// does not depend on its form.
public struct AnnotationList: Sendable {
    /// The readers of the forms; another form is another entry.
    static let readers: [any AnnotationReader.Type] = [
        DecathlonList.self, DLCSList.self, InstanceMaskList.self, LIDCList.self, LUNA16List.self,
    ]

    /// The file or folder as the caller gave it.
    public let path: String
    private let reader: any AnnotationReader
    private let listed: Set<String>

    /// Reads a list, as far as it can be read without scans.
    ///
    /// - Parameter path: A file, or a folder of such files.
    /// - Throws: `InputError` naming the file, the place in it and what was expected, also where the form is not known;
    ///   `FileError` where reading fails.
    public init(contentsOf path: String) throws {
        self.path = path
        let content = try ListContent(of: path)
        guard let form = Self.readers.first(where: { $0.reads(content) }) else { throw content.refusal(of: path) }
        reader = try form.init(contentsOf: path)
        listed = Set(reader.scans)
    }

    /// The name of the list's form, such as `MONAI's JSON`.
    public var form: String { type(of: reader).form }

    /// Whether the list has LUNA16's own form, `seriesuid,coordX,coordY,coordZ,diameter_mm`.
    public var isLUNA16: Bool { reader is LUNA16List }

    /// Returns the scans that the list names: those of `scans` by their names there, others by the list's own.
    ///
    /// - Throws: `InputError` where a name of the list could be that of two scans, or a scan has two in the list.
    public func series(among scans: [String]) throws -> [String] {
        var owners: [String: String] = [:]
        for scan in scans {
            guard let name = try name(of: scan) else { continue }
            if let other = owners.updateValue(scan, forKey: name), other != scan {
                throw InputError(path, at: name, "could be the scan \(other) or \(scan)", remedy: "rename one of them")
            }
        }
        return reader.scans.map { owners[$0] ?? $0 }
    }

    /// Returns a scan's nodules in the order of the list; none where it does not name the scan.
    ///
    /// - Parameters:
    ///   - scan: The scan's name.
    ///   - frame: The place of the scan's voxels; asked for only by a list that tells places in voxels of the scan.
    /// - Throws: `InputError` where what the list says of this scan is wrong; what `frame` throws; `FileError`.
    public func nodules(of scan: String, frame: () throws -> ScanFrame) throws -> [NoduleAnnotation] {
        guard let name = try name(of: scan) else { return [] }
        return try reader.nodules(of: name, frame: frame)
    }

    /// The CRC-32 by which a changed list is noticed: of the file where it is LUNA16's, of the same list in LUNA16's
    /// form where the list's rows can be written so, and else of the names and sums of the list's files.
    ///
    /// - Throws: `FileError` where reading fails.
    public func checksum() throws -> UInt32 { try reader.checksum() }

    /// The list's name of a scan.
    private func name(of scan: String) throws -> String? {
        let found = reader.names(of: scan).filter(listed.contains)
        if found.count > 1 {
            throw InputError(
                path, at: found[0], "and \(found[1]) could both be the scan \(scan)", remedy: "rename one of them")
        }
        return found.first
    }
}

/// The place of a scan's voxels, for lists that tell places in voxels.
public struct ScanFrame: Sendable {
    /// The place of the voxels, in LPS and mm.
    public let geometry: VolumeGeometry
    /// Whether columns and rows are in the order of the scanner's images; programs that write NIfTI turn them without
    /// telling.
    public let keepsColumnsAndRows: Bool
    /// The scan's file, for messages.
    public let source: String

    /// Makes a frame of a scan whose columns and rows are the scanner's, such as a folder of DICOM.
    public init(geometry: VolumeGeometry, source: String) {
        self.geometry = geometry
        self.source = source
        keepsColumnsAndRows = true
    }

    /// Reads the frame of a `ScanFile`.
    ///
    /// - Throws: What reading its header throws.
    public init(scanPath: String) throws {
        let file = try ScanFile(path: scanPath)
        geometry = file.geometry
        source = scanPath
        keepsColumnsAndRows = file.format != .nifti
    }
}
