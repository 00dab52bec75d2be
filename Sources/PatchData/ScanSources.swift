import Basics
import CT
import FileIO

/// The things that a clean volume is made from.
struct SourceList: Sendable {
    /// The scan's and the mask's files: headers and voxels, or every slice.
    var paths: [String]
    /// The scan's nodules.
    var annotations: [NoduleAnnotation] = []

    /// The rows of the list of annotations, as the record keeps them.
    fileprivate var rows: [String] {
        annotations.map { "\($0.center.x) \($0.center.y) \($0.center.z) \($0.diameter)" }
    }
}

/// The record of what a clean volume was made from, kept beside the volumes as `sources/fold<N>/<seriesuid>.json`.
///
/// A volume's own bytes depend on content alone, so the files' times cannot stand in it.
struct ScanSources: Hashable, Sendable, Codable {
    /// A file as it was before it was read.
    struct File: Hashable, Sendable, Codable {
        /// The file's name without its directory.
        var name: String
        var stamp: FileStamp
        /// The CRC-32 of all its bytes.
        var crc32: UInt32

        init(_ path: String) throws {
            name = Path.name(of: path)
            // The stamp first: what changes after it is noticed the next time, by another stamp.
            stamp = try FileStamp(path)
            crc32 = try FileContent.crc32(path)
        }
    }

    private(set) var files: [File]
    private(set) var annotations: [String]

    /// The record of sources as they are now; every byte of them is read.
    ///
    /// - Throws: `InputError` where a file is missing; `FileError`.
    init(_ list: SourceList) throws {
        files = try list.paths.map(File.init)
        annotations = list.rows
    }

    /// The path of a scan's record in a data set's directory.
    static func path(_ scan: LUNA16Layout.Scan, in directory: String) -> String {
        "\(directory)/sources/fold\(scan.fold)/\(scan.seriesUID).json"
    }

    /// Reads a record; nil where there is none that can be read.
    init?(at path: String) {
        guard let bytes = try? FileContent.bytes(path, limit: 1 << 28),
            let record = try? JSON.decode(Self.self, from: bytes)
        else { return nil }
        self = record
    }

    /// - Throws: `FileError`.
    func write(to path: String) throws {
        try AtomicFile.write(JSON.encode(self, isIndented: true) + [10], to: path)
    }

    /// Compares the sources as they are now: by their stamps, and by their bytes where those differ. Files that were
    /// moved or only touched are known by their bytes; their stamps are taken over.
    ///
    /// - Returns: What has changed, in words; nil where nothing has.
    /// - Throws: `InputError` where a file is missing; `FileError`.
    mutating func change(to list: SourceList) throws -> String? {
        guard files.count == list.paths.count else {
            return "it is made of \(list.paths.count) files, not of \(files.count)"
        }
        for (index, path) in list.paths.enumerated() {
            let stamp = try FileStamp(path)
            if stamp == files[index].stamp { continue }
            guard stamp.bytes == files[index].stamp.bytes else { return "\(path) has another size" }
            let now = try File(path)
            guard now.crc32 == files[index].crc32 else { return "\(path) has changed" }
            files[index] = now
        }
        return annotations == list.rows ? nil : "its annotations have changed"
    }
}
