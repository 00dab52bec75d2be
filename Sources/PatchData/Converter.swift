import Basics
import CT
import FileIO
import Foundation
import Synchronization

/// A conversion of a directory in LUNA16's layout into a data set directory.
///
/// It goes scan by scan, several at a time, each into a file of its own; then fold by fold into shards. Every file
/// appears complete or not at all, and its bytes depend on the scan and the options alone: a conversion killed at any
/// instant and started again ends with the same bytes.
public struct Converter: Sendable {
    /// The progress of a conversion.
    public struct Progress: Sendable {
        /// The two stages of a conversion, one after the other.
        public enum Stage: String, Sendable {
            /// Scans become clean volumes.
            case scans
            /// Clean volumes are cut into shards.
            case shards
        }
        /// The stage that the conversion is in.
        public var stage: Stage
        /// The number of the stage's files that are finished.
        public var completed: Int
        /// The number of the stage's files.
        public var total: Int
        /// The file or series that was just finished.
        public var detail: String
    }

    /// The result of a conversion.
    public struct Outcome: Sendable {
        /// The content of `dataset.json`; nil where scans could not be read and were not to be skipped.
        public var manifest: DatasetManifest?
        /// The scans that could not be read, with reason and remedy.
        public var badScans: [DatasetManifest.SkippedScan]
        /// The annotations that lie outside their clean volumes, and are left out.
        public var outsideLabels: [DatasetManifest.OutsideLabel]
        /// The LUNA16 subsets that the input does not have.
        public var missingSubsets: [Int]
        /// The number of scans that were found converted already.
        public var keptScans: Int
        /// The number of scans that were converted now.
        public var convertedScans: Int
    }

    /// The scans, masks and annotations to be converted.
    public let layout: LUNA16Layout
    /// The data set's directory.
    public let output: String
    /// The options of the conversion, with the checksum of the annotations.
    public let options: ConversionOptions
    /// The number of scans that are converted at a time.
    public let jobs: Int
    /// Whether scans that cannot be read are left out.
    public let skipBad: Bool
    /// Whether to segment the lungs of a scan that has no mask though others have; where no scan has a mask it is done
    /// anyway.
    public let segmentLungs: Bool
    private let prepare: @Sendable (LUNA16Layout.Scan) throws -> CleanVolume

    /// Creates a conversion; nothing is written before it runs.
    ///
    /// - Parameters:
    ///   - layout: The scans, masks and annotations.
    ///   - output: The data set's directory.
    ///   - options: The options; the checksum of the annotations is added.
    ///   - jobs: The number of scans that are converted at a time.
    ///   - skipBad: Whether scans that cannot be read are left out.
    ///   - segmentLungs: Whether to segment the lungs of a scan that has no mask though others have.
    ///   - readScan: Reads a scan that is no `ScanFile`, such as a folder of DICOM.
    /// - Throws: `InputError` where the list of annotations is not one; `FileError`.
    public init(
        layout: LUNA16Layout, output: String, options: ConversionOptions, jobs: Int, skipBad: Bool,
        segmentLungs: Bool = false, readScan: (@Sendable (LUNA16Layout.Scan) throws -> ScanVolume)? = nil
    ) throws {
        let annotations = try layout.annotationsPath.map { try ScanAnnotations.read($0) } ?? [:]
        var options = options
        options.annotationsCRC32 = try layout.annotationsPath.map { try FileContent.crc32($0) }
        self.init(
            layout: layout, output: output, options: options, jobs: jobs, skipBad: skipBad, segmentLungs: segmentLungs
        ) { scan in
            let mask = try layout.maskPath(for: scan, segmentingLungs: segmentLungs)
            let nodules = annotations[scan.seriesUID] ?? []
            return if let readScan {
                try Preprocessing.cleanVolume(
                    readScan(scan), maskPath: mask, seriesUID: scan.seriesUID, annotations: nodules)
            } else {
                try Preprocessing.cleanVolume(
                    scanPath: scan.path, maskPath: mask, seriesUID: scan.seriesUID, annotations: nodules)
            }
        }
    }

    /// - Parameter prepare: Reads and cleans a scan; its errors make the scan a bad one.
    init(
        layout: LUNA16Layout, output: String, options: ConversionOptions, jobs: Int, skipBad: Bool,
        segmentLungs: Bool = false, prepare: @escaping @Sendable (LUNA16Layout.Scan) throws -> CleanVolume
    ) {
        self.layout = layout
        self.output = output
        self.options = options
        self.jobs = max(1, jobs)
        self.skipBad = skipBad
        self.segmentLungs = segmentLungs
        self.prepare = prepare
    }

    /// Converts the scans, then writes the shards and `dataset.json`; a run after an interruption goes on where that
    /// one stopped.
    ///
    /// - Parameter progress: Called from one thread at a time.
    /// - Returns: The result, in which a scan that could not be read is a bad one and no error.
    /// - Throws: `UsageError` where the output directory holds something else; `FileError` where it cannot be written.
    public func run(progress: @escaping @Sendable (Progress) -> Void = { _ in }) throws -> Outcome {
        let directory = try OutputDirectory(output, options: options)
        try requireNoStrangers(directory)
        for fold in Set(layout.scans.map(\.fold)).sorted() {
            try FileContent.makeDirectory("\(output)/volumes/fold\(fold)")
        }
        try FileContent.makeDirectory("\(output)/shards")

        let results = try convertScans(progress)
        var outcome = Outcome(
            badScans: [], outsideLabels: [], missingSubsets: layout.missingSubsets, keptScans: 0, convertedScans: 0)
        var volumes: [ConvertedVolume] = []
        for (scan, result) in zip(layout.scans, results) {
            switch result {
            case .good(let volume, let isNew):
                volumes.append(volume)
                outcome.outsideLabels += volume.outsideLabels
                if isNew { outcome.convertedScans += 1 } else { outcome.keptScans += 1 }
            case .bad(let reason):
                outcome.badScans.append(.init(seriesuid: scan.seriesUID, fold: scan.fold, reason: reason))
            }
        }
        guard outcome.badScans.isEmpty || skipBad, !volumes.isEmpty else {
            try OutputDirectory.invalidate(output, options: options)
            return outcome
        }
        let folds = try ShardAssembly(
            output: output, options: options, volumes: volumes, pool: ThreadPool(threads: jobs)
        ).run(progress)
        let kept = Set(folds.flatMap { $0.shards.map(\.path) })
        for stale in try directory.strangers(in: "shards", expected: kept) {
            try OutputDirectory.remove("\(output)/\(stale)")
        }
        let manifest = DatasetManifest(
            options: options, folds: folds, missingSubsets: layout.missingSubsets,
            outsideLabels: outcome.outsideLabels, skippedScans: outcome.badScans,
            segmentedScans: volumes.filter(\.hasSegmentedLungs).map(\.seriesUID))
        try directory.finish(manifest)
        outcome.manifest = manifest
        return outcome
    }

    /// Volumes of scans that the input does not have would silently stay out of `dataset.json`.
    private func requireNoStrangers(_ directory: borrowing OutputDirectory) throws {
        let expected = Set(layout.scans.map(Self.volumePath))
        if let stranger = try directory.strangers(in: "volumes", expected: expected).first {
            throw UsageError(
                "\(output): holds \(stranger), a scan that this input does not have; choose another --output, or "
                    + "remove that file")
        }
    }

    static func volumePath(_ scan: LUNA16Layout.Scan) -> String { "volumes/fold\(scan.fold)/\(scan.seriesUID).h5" }

    private enum ScanResult: Sendable {
        case good(ConvertedVolume, isNew: Bool)
        case bad(String)
    }

    private struct State: Sendable {
        var next = 0
        var completed = 0
        var results: [ScanResult?]
        var failure: (any Error)?
    }

    private func convertScans(_ progress: @escaping @Sendable (Progress) -> Void) throws -> [ScanResult] {
        let state = Mutex(State(results: Array(repeating: nil, count: layout.scans.count)))
        // Never more at a time than there are cores: that would take memory and gain nothing.
        DispatchQueue.concurrentPerform(iterations: min(jobs, layout.scans.count)) { _ in
            while true {
                let claimed = state.withLock { state -> Int? in
                    guard state.failure == nil, state.next < layout.scans.count else { return nil }
                    state.next += 1
                    return state.next - 1
                }
                guard let index = claimed else { return }
                let scan = layout.scans[index]
                let result = Result { try convert(scan) }
                state.withLock { state in
                    switch result {
                    case .success(let value): state.results[index] = value
                    case .failure(let error): state.failure = state.failure ?? error
                    }
                    state.completed += 1
                    progress(
                        Progress(
                            stage: .scans, completed: state.completed, total: layout.scans.count,
                            detail: scan.seriesUID))
                }
            }
        }
        let end = state.withLock { $0 }
        if let failure = end.failure { throw failure }
        return end.results.map { $0 ?? .bad("not converted") }
    }

    /// Keeps a good file that is there, or makes it.
    private func convert(_ scan: LUNA16Layout.Scan) throws -> ScanResult {
        let relative = Self.volumePath(scan)
        let path = "\(output)/\(relative)"
        let source = options.text
        if FileContent.size(path) != nil, let summary = try? CleanVolumeFile.summary(path),
            summary.source == source, summary.seriesUID == scan.seriesUID, let volume = try? CleanVolumeFile.read(path),
            // A mask that has come since is better than what luna found without.
            try !volume.hasSegmentedLungs || layout.maskPath(for: scan, segmentingLungs: true) == nil
        {
            return .good(try ConvertedVolume(volume, fold: scan.fold, path: relative, directory: output), isNew: false)
        }
        let volume: CleanVolume
        do { volume = try prepare(scan) } catch let error as InputError { return .bad("\(error)") }
        try OutputDirectory.invalidate(output, options: options)
        try CleanVolumeFile.write(volume, to: path, source: source)
        return .good(try ConvertedVolume(volume, fold: scan.fold, path: relative, directory: output), isNew: true)
    }
}

/// The facts about a converted scan that are known without its voxels.
struct ConvertedVolume: Sendable {
    var fold: Int
    var extent: ZYX<Int>
    var nodules: [Nodule]
    var outsideLabels: [DatasetManifest.OutsideLabel]
    var hasSegmentedLungs: Bool
    var file: DatasetManifest.File

    init(_ volume: CleanVolume, fold: Int, path: String, directory: String) throws {
        self.fold = fold
        extent = volume.extent
        nodules = volume.nodules
        hasSegmentedLungs = volume.hasSegmentedLungs
        outsideLabels = volume.outsideLabels.map {
            .init(seriesuid: volume.seriesUID, x: $0.center.x, y: $0.center.y, z: $0.center.z, diameter: $0.diameter)
        }
        let file = "\(directory)/\(path)"
        self.file = DatasetManifest.File(
            path: path, bytes: FileContent.size(file) ?? 0, crc32: try FileContent.crc32(file),
            seriesuid: volume.seriesUID, nodules: volume.nodules.count)
    }

    var seriesUID: String { file.seriesuid ?? "" }
}
