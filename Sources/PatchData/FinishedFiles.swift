import FileIO

/// The files of a finished data set that nobody has touched since `dataset.json` was written: they need not be read
/// again to know that they are whole.
struct FinishedFiles: Sendable {
    private let directory: String
    /// The time at which `dataset.json` was written, ns since 1970.
    private let time: Int
    private let files: [String: DatasetManifest.File]

    /// Reads a directory's `dataset.json`; where there is none, nothing is finished.
    init(directory: String) {
        self.directory = directory
        let stamp = try? FileStamp(DatasetManifest.path(in: directory))
        let manifest = try? DatasetManifest(directory: directory)
        time = stamp?.modified ?? 0
        files = Dictionary(
            (manifest?.folds ?? []).flatMap { $0.volumes + $0.shards }.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
    }

    /// The description of a file in `dataset.json`, if the file is older than that and of the size that it says.
    subscript(path: String) -> DatasetManifest.File? {
        guard let file = files[path], let stamp = try? FileStamp("\(directory)/\(path)"), stamp.bytes == file.bytes,
            max(stamp.modified, stamp.changed) < time
        else { return nil }
        return file
    }
}
