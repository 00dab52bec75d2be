import Annotations
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
        /// The oddities in the values of scans that were converted all the same, each with the series' name.
        public var warnings: [String] = []
        /// The LUNA16 subsets that the input does not have.
        public var missingSubsets: [Int]
        /// The number of scans that were found converted already, from sources that have not changed since.
        public var keptScans: Int
        /// The number of scans that were converted now.
        public var convertedScans: Int
        /// The scans that were converted once more because what they are made from has changed.
        public var changedScans: [ChangedScan] = []
        /// The number of scans that were converted once more because no record told what they had been made from.
        public var unrecordedScans = 0
    }

    /// A scan whose sources are no longer those of its clean volume.
    public struct ChangedScan: Hashable, Sendable {
        /// The scan's series.
        public var seriesUID: String
        /// The difference, in words.
        public var change: String
    }

    /// The scans, masks and annotations to be converted.
    public let layout: LUNA16Layout
    /// The data set's directory.
    public let output: String
    /// The list of annotations; nil where there is none.
    public let annotations: AnnotationList?
    /// The options of the conversion, with the checksum of the annotations.
    public let options: ConversionOptions
    /// The number of scans that are converted at a time.
    public let jobs: Int
    /// Whether scans that cannot be read are left out.
    public let skipBad: Bool
    /// Whether to segment the lungs of a scan that has no mask though others have; where no scan has a mask it is done
    /// anyway.
    public let segmentLungs: Bool
    private let sources: @Sendable (LUNA16Layout.Scan) throws -> SourceList
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
    ///   - files: The files of a scan that is no `ScanFile`, such as the slices of a folder of DICOM.
    ///   - readScan: Reads a scan that is no `ScanFile`.
    ///   - geometry: The place of the voxels of a scan that is no `ScanFile`.
    /// - Throws: `InputError` where the list of annotations is not one; `FileError`.
    public init(
        layout: LUNA16Layout, output: String, options: ConversionOptions, jobs: Int, skipBad: Bool,
        segmentLungs: Bool = false, files: (@Sendable (LUNA16Layout.Scan) throws -> [String])? = nil,
        readScan: (@Sendable (LUNA16Layout.Scan) throws -> ScanVolume)? = nil,
        geometry: (@Sendable (LUNA16Layout.Scan) throws -> VolumeGeometry)? = nil
    ) throws {
        let list = try layout.annotationsPath.map { try AnnotationList(contentsOf: $0) }
        var options = options
        options.annotationsCRC32 = try list?.checksum()
        let annotations: @Sendable (LUNA16Layout.Scan) throws -> [NoduleAnnotation] = { scan in
            try list?.nodules(of: scan.seriesUID) {
                try geometry.map { ScanFrame(geometry: try $0(scan), source: scan.path) }
                    ?? ScanFrame(scanPath: scan.path)
            } ?? []
        }
        self.init(
            layout: layout, output: output, options: options, jobs: jobs, skipBad: skipBad, segmentLungs: segmentLungs,
            annotations: list,
            sources: { scan in
                // A mask that is missing is told where the scan is to be converted.
                let mask = try layout.maskPath(for: scan, segmentingLungs: true)
                let own = try files?(scan) ?? ScanFile(path: scan.path).files
                let others = try mask.map { try ScanFile(path: $0).files } ?? []
                return SourceList(paths: own + others, annotations: try annotations(scan))
            }
        ) { scan in
            let mask = try layout.maskPath(for: scan, segmentingLungs: segmentLungs)
            let nodules = try annotations(scan)
            return if let readScan {
                try Preprocessing.cleanVolume(
                    readScan(scan), maskPath: mask, seriesUID: scan.seriesUID, annotations: nodules)
            } else {
                try Preprocessing.cleanVolume(
                    scanPath: scan.path, maskPath: mask, seriesUID: scan.seriesUID, annotations: nodules)
            }
        }
    }

    /// - Parameters:
    ///   - sources: Lists what a scan is made from.
    ///   - prepare: Reads and cleans a scan; its errors, and those of `sources`, make the scan a bad one.
    init(
        layout: LUNA16Layout, output: String, options: ConversionOptions, jobs: Int, skipBad: Bool,
        segmentLungs: Bool = false, annotations: AnnotationList? = nil,
        sources: @escaping @Sendable (LUNA16Layout.Scan) throws -> SourceList = { SourceList(paths: [$0.path]) },
        prepare: @escaping @Sendable (LUNA16Layout.Scan) throws -> CleanVolume
    ) {
        self.layout = layout
        self.output = output
        self.options = options
        self.jobs = max(1, jobs)
        self.skipBad = skipBad
        self.segmentLungs = segmentLungs
        self.annotations = annotations
        self.sources = sources
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
            try FileContent.makeDirectory("\(output)/sources/fold\(fold)")
        }
        try FileContent.makeDirectory("\(output)/shards")

        let finished = FinishedFiles(directory: output)
        let results = try convertScans(finished, progress)
        var outcome = Outcome(
            badScans: [], outsideLabels: [], missingSubsets: layout.missingSubsets, keptScans: 0, convertedScans: 0)
        var volumes: [ConvertedVolume] = []
        for (scan, result) in zip(layout.scans, results) {
            switch result {
            case .good(let volume, let history):
                volumes.append(volume)
                outcome.outsideLabels += volume.outsideLabels
                if history == .kept { outcome.keptScans += 1 } else { outcome.convertedScans += 1 }
                if history == .unrecorded { outcome.unrecordedScans += 1 }
                if case .changed(let change) = history {
                    outcome.changedScans.append(ChangedScan(seriesUID: scan.seriesUID, change: change))
                }
                outcome.warnings += volume.warnings.map { "\(scan.seriesUID): \($0)" }
            case .bad(let reason):
                outcome.badScans.append(.init(seriesuid: scan.seriesUID, fold: scan.fold, reason: reason))
            }
        }
        guard outcome.badScans.isEmpty || skipBad, !volumes.isEmpty else {
            try OutputDirectory.invalidate(output, options: options)
            return outcome
        }
        let folds = try ShardAssembly(
            output: output, options: options, volumes: volumes, finished: finished, pool: ThreadPool(threads: jobs)
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
        case good(ConvertedVolume, History)
        case bad(String)
    }

    /// The way in which a clean volume came about.
    private enum History: Hashable, Sendable {
        /// It was there, made from these sources.
        case kept
        /// There was none, or none of these options.
        case new
        /// There was one, of which nothing told what it had been made from.
        case unrecorded
        /// There was one of other sources.
        case changed(String)
    }

    private struct State: Sendable {
        var next = 0
        var completed = 0
        var results: [ScanResult?]
        var failure: (any Error)?
    }

    private func convertScans(
        _ finished: FinishedFiles, _ progress: @escaping @Sendable (Progress) -> Void
    ) throws -> [ScanResult] {
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
                let result = Result { try convert(scan, finished) }
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

    /// Keeps a good file that is there and was made from these sources, or makes it.
    private func convert(_ scan: LUNA16Layout.Scan, _ finished: FinishedFiles) throws -> ScanResult {
        let path = "\(output)/\(Self.volumePath(scan))"
        let recordPath = ScanSources.path(scan, in: output)
        var history = History.new
        let record: ScanSources
        let volume: CleanVolume
        do {
            let list = try Self.reading { try sources(scan) }
            if let summary = summary(scan) {
                switch try Self.history(list, recordPath) {
                case .kept:
                    if let kept = try keep(scan, summary, finished) { return .good(kept, .kept) }
                case let other: history = other
                }
            }
            record = try Self.reading { try ScanSources(list) }
            volume = try Self.reading { try prepare(scan) }
        } catch let error as UnreadableSource { return .bad(error.reason) }
        try OutputDirectory.invalidate(output, options: options)
        // The record last: a volume without one, or with an older one, is made again.
        try CleanVolumeFile.write(volume, to: path, source: options.text)
        try record.write(to: recordPath)
        return .good(
            try ConvertedVolume(volume, fold: scan.fold, path: Self.volumePath(scan), directory: output), history)
    }

    /// The reason why a scan is a bad one.
    private struct UnreadableSource: Error { var reason: String }

    /// Has the sources of a scan read: what fails there is about this scan alone, and no reason to give up the others.
    private static func reading<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as InputError {
            throw UnreadableSource(reason: "\(error)")
        } catch let error as FileError { throw UnreadableSource(reason: "\(error)") }
    }

    /// Reads the facts about a scan's clean volume, where there is one of these options.
    private func summary(_ scan: LUNA16Layout.Scan) -> CleanVolumeFile.Summary? {
        let path = "\(output)/\(Self.volumePath(scan))"
        guard FileContent.size(path) != nil, let summary = try? CleanVolumeFile.summary(path),
            summary.seriesUID == scan.seriesUID, options.agrees(withText: summary.source)
        else { return nil }
        return summary
    }

    /// Compares a scan's sources with the record of what its volume was made from, and brings the record up to date
    /// where only the files' times or places are others.
    private static func history(_ list: SourceList, _ recordPath: String) throws -> History {
        guard let before = ScanSources(at: recordPath) else { return .unrecorded }
        var record = before
        if let change = try reading({ try record.change(to: list) }) { return .changed(change) }
        if record != before { try record.write(to: recordPath) }
        return .kept
    }

    /// A volume that is there, if it is whole; its text is brought up to date where the list of annotations has
    /// changed for other scans.
    private func keep(
        _ scan: LUNA16Layout.Scan, _ summary: CleanVolumeFile.Summary, _ finished: FinishedFiles
    ) throws -> ConvertedVolume? {
        let relative = Self.volumePath(scan)
        if summary.source == options.text, let file = finished[relative] {
            return ConvertedVolume(summary, fold: scan.fold, file: file)
        }
        guard let volume = try? CleanVolumeFile.read("\(output)/\(relative)") else { return nil }
        if summary.source != options.text {
            try OutputDirectory.invalidate(output, options: options)
            try CleanVolumeFile.write(volume, to: "\(output)/\(relative)", source: options.text)
        }
        return try ConvertedVolume(volume, fold: scan.fold, path: relative, directory: output)
    }
}
