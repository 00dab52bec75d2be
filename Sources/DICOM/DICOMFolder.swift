import FileIO

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The files of a folder and of those in it, sorted into DICOM and others by their first bytes.
///
/// Archives and scanners nest studies, series and files, so folders in folders are searched; links to folders are not
/// followed, and names that begin with a dot are passed over.
struct DICOMFolder {
    /// The DICOM files, by name.
    private(set) var files: [String] = []
    /// The files that cannot be read, which may be anything.
    private(set) var unreadable: [DamagedFile] = []
    private(set) var otherCount = 0

    /// The number of files beyond which a folder is no scan's: a series has some hundreds, a study a few thousand.
    private static let fileLimit = 50_000
    private static let depthLimit = 16

    /// Looks through a folder.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - isDeep: Whether to look through the folders in it, too.
    /// - Throws: `InputError` where there are too many files; `FileError` where a folder cannot be read.
    init(_ path: String, isDeep: Bool = true) throws {
        try add(path, root: path, depth: isDeep ? 0 : Self.depthLimit - 1)
    }

    private mutating func add(_ folder: String, root: String, depth: Int) throws {
        guard depth < Self.depthLimit else { return }
        for name in try FileContent.names(inDirectory: folder) where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if FileContent.isDirectory(path) {
                if !Self.isLink(path) { try add(path, root: root, depth: depth + 1) }
            } else {
                do {
                    if try DataSet.isDICOM(path) { files.append(path) } else { otherCount += 1 }
                } catch {
                    unreadable.append(DamagedFile(path: path, error: error, seriesUID: "", modality: ""))
                }
            }
            guard files.count + otherCount <= Self.fileLimit else {
                throw InputError(
                    root, "holds more than \(Self.fileLimit) files", remedy: "give the folder of one scan")
            }
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}
