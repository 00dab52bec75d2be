import Basics
import FileIO
import HDF5
import Synchronization

/// The content of one of our files, or of a data set directory; made while every checksum in it is verified.
public struct Inspection: Hashable, Sendable, Codable {
    /// A dataset of an HDF5 file.
    public struct Object: Hashable, Sendable, Codable {
        /// The dataset's path in the file.
        public var path: String
        /// The type of its elements, such as `uint8`.
        public var type: String
        /// The extents, slowest axis first.
        public var shape: [Int]
        /// The size in bytes after compression.
        public var storedBytes: Int
        /// The filters that its chunks went through, such as `deflate`.
        public var filters: [String]
        /// Whether its content carries a checksum, which was found to be right.
        public var isChecksummed: Bool

        enum CodingKeys: String, CodingKey {
            case path, type, shape, filters
            case storedBytes = "stored_bytes"
            case isChecksummed = "checksummed"
        }
    }

    /// A named property of the file or data set.
    public struct Fact: Hashable, Sendable, Codable {
        /// The property's name.
        public var name: String
        /// The property's value as text.
        public var value: String
    }

    /// The path that was inspected.
    public var path: String
    /// The kind: `data set`, `patch shard`, `clean volume`, `checkpoint`, `weights` or `HDF5 file`.
    public var kind: String
    /// The properties: a file's attributes, a data set's counts and options.
    public var facts: [Fact]
    /// The datasets of a file; empty for a data set directory.
    public var objects: [Object]
    /// The files of a data set directory.
    public var files: [DatasetManifest.File]
    /// The folds of a data set directory.
    public var folds: [Fold]

    /// The scans that a conversion left out of a data set, and why.
    public var skippedScans: [DatasetManifest.SkippedScan]
    /// The annotations that a conversion found outside their clean volumes.
    public var outsideLabels: [DatasetManifest.OutsideLabel]

    /// The counts of one fold.
    public struct Fold: Hashable, Sendable, Codable {
        /// The fold's number, 0 ..< 10.
        public var fold: Int
        /// The number of scans.
        public var scans: Int
        /// The number of nodules.
        public var nodules: Int
        /// The number of patches.
        public var patches: Int
        /// The number of shards.
        public var shards: Int
        /// The size in bytes of shards and volumes together.
        public var bytes: Int
    }

    /// Reads all of a file or of a data set's files.
    ///
    /// - Parameters:
    ///   - path: A file, or a data set's directory.
    ///   - threads: The number of a data set's files that are read at a time. The outcome does not depend on it.
    ///   - progress: Called after each file of a data set with how many of how many are done; one call at a time, from
    ///     any thread.
    /// - Throws: `InputError` naming file and object at the first that is damaged or missing.
    public init(
        _ path: String, threads: Int = ThreadPool.availableCores, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        if FileContent.isDirectory(path) {
            try self.init(directory: path, threads: threads, progress: progress)
        } else {
            try self.init(file: path)
        }
    }

    private init(directory: String, threads: Int, progress: (Int, Int) -> Void) throws {
        let manifest = try DatasetManifest(directory: directory)
        let files = manifest.folds.flatMap { $0.shards + $0.volumes }
        let pool = ThreadPool(threads: max(1, min(threads, files.count)))
        defer { pool.stop() }
        let done = Mutex(0)
        try pool.runThrowing(files.count) { index in
            try Self.verify(files[index], in: directory)
            done.withLock {
                $0 += 1
                progress($0, files.count)
            }
        }
        // The parts against one another, once they are known to be whole.
        let consistency = try DatasetConsistency(PatchDataset(directory: directory))
        self.path = directory
        kind = "data set"
        let options = manifest.options
        facts = [
            Fact(name: "format", value: "\(manifest.format) \(manifest.version)"),
            Fact(name: "scans", value: "\(manifest.scans)"), Fact(name: "nodules", value: "\(manifest.nodules)"),
            Fact(name: "diameters", value: Self.range(consistency.diameters)),
            Fact(name: "patches", value: "\(manifest.patches) of side \(manifest.patchSide)"),
            Fact(name: "folds", value: "every series in one fold only, every nodule inside its volume"),
            Fact(name: "options", value: options.text),
            Fact(
                name: "missing subsets",
                value: manifest.missingSubsets.isEmpty
                    ? "none" : manifest.missingSubsets.map(String.init).joined(separator: ", ")),
            Fact(name: "labels outside", value: "\(manifest.outsideLabels.count)"),
            Fact(name: "skipped scans", value: "\(manifest.skippedScans.count)"),
            Fact(name: "lungs segmented", value: "\(manifest.segmentedScans?.count ?? 0) scans"),
        ]
        objects = []
        self.files = files
        skippedScans = manifest.skippedScans
        outsideLabels = manifest.outsideLabels
        folds = manifest.folds.map { fold in
            Fold(
                fold: fold.fold, scans: fold.scans, nodules: fold.nodules, patches: fold.patches,
                shards: fold.shards.count, bytes: (fold.shards + fold.volumes).reduce(0) { $0 + $1.bytes })
        }
    }

    /// Verifies a file of a data set: its own sums first, since they name the object.
    private static func verify(_ file: DatasetManifest.File, in directory: String) throws {
        let path = "\(directory)/\(file.path)"
        guard let bytes = FileContent.size(path) else {
            throw InputError(path, "no such file", remedy: "run luna convert again")
        }
        _ = try Inspection(file: path)
        guard bytes == file.bytes, try FileContent.crc32(path) == file.crc32 else {
            throw InputError(
                path, "not the \(file.bytes) bytes that dataset.json describes",
                remedy: "remove it and run luna convert again")
        }
    }

    private static func range(_ diameters: [Double]) -> String {
        guard let least = diameters.first, let most = diameters.last else { return "none" }
        func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        return "\(text(least)) to \(text(most)) mm, median \(text(diameters.median ?? least))"
    }

    private init(file path: String) throws {
        let file = try HDF5File(reading: path)
        self.path = path
        files = []
        folds = []
        skippedScans = []
        outsideLabels = []
        let names = try file.attributeNames()
        facts = try names.map { Fact(name: $0, value: try Self.text(of: $0, file)) }
        let format = names.contains("format") ? facts.first { $0.name == "format" }?.value ?? "" : ""
        kind =
            switch format {
            case ShardFile.format: "patch shard"
            case CleanVolumeFile.format: "clean volume"
            default: file.isGroup("/optimizer") ? "checkpoint" : file.isGroup("/model") ? "weights" : "HDF5 file"
            }
        objects = try file.datasetPaths().map { object in
            let dataset = try file.dataset(object)
            try dataset.verify()
            return Object(
                path: object, type: "\(dataset.kind)", shape: dataset.shape, storedBytes: dataset.storedBytes,
                filters: dataset.filters.map { "\($0)" }, isChecksummed: dataset.isChecksummed)
        }
    }

    private static func text(of name: String, _ file: borrowing HDF5File) throws -> String {
        func list<Value>(_ values: [Value], isScalar: Bool) -> String {
            let text = values.map { "\($0)" }.joined(separator: ", ")
            return isScalar ? text : "[\(text)]"
        }
        let (shape, kind) = try file.attributeInfo(name)
        switch kind {
        case .string(nil): return "\(kind)"
        case .string: return list(try file.attribute(name, as: [String].self), isScalar: shape.isEmpty)
        case .float: return list(try file.attribute(name, as: [Double].self), isScalar: shape.isEmpty)
        case .integer(8, false): return list(try file.attribute(name, as: [UInt64].self), isScalar: shape.isEmpty)
        case .integer: return list(try file.attribute(name, as: [Int64].self), isScalar: shape.isEmpty)
        case .other: return "\(kind)"
        }
    }
}

extension HDF5Dataset {
    /// Reads everything once, some rows at a time, so that every checksum is verified.
    ///
    /// - Throws: `InputError` naming file, dataset and row.
    func verify() throws {
        if chunk != nil, !filters.isEmpty { return try verifyChunks() }
        switch kind {
        case .string(nil): break
        case .string: _ = try readStrings()
        case .integer(1, _): try readAll(as: UInt8.self)
        case .integer(8, false): try readAll(as: UInt64.self)
        case .integer: try readAll(as: Int64.self)
        case .float(4): try readAll(as: Float.self)
        case .float: try readAll(as: Double.self)
        case .other: break
        }
    }

    private func readAll<Element: HDF5Element>(as element: Element.Type) throws {
        guard let rows = shape.first, count > 0 else {
            _ = try read(as: element)
            return
        }
        let step = max(1, (chunk?.first ?? 1), (1 << 23) / max(1, count / rows))
        for start in stride(from: 0, to: rows, by: step) {
            _ = try read(rows: start..<min(rows, start + step), as: element)
        }
    }
}
