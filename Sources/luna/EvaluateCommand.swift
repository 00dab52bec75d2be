import ArgumentParser
import Evaluation
import FileIO
import Foundation
import Inference
import PatchData
import Report

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Compute the LUNA16 FROC of a detector's candidates, or of several detectors'.",
        discussion: """
            EXAMPLES
              luna evaluate --candidates candidates.csv --annotations annotations.csv --series seriesuids.csv \\
                  --excluded annotations_excluded.csv --output evaluation
              luna evaluate --candidates fold0.csv,fold1.csv,fold2.csv --data luna16-patches --run runs/fold0 \\
                  --annotations annotations.csv --output evaluation
              luna evaluate --candidates old=old.csv --candidates new=new.csv --annotations annotations.csv \\
                  --series seriesuids.csv --output comparison
              luna evaluate --sweep --candidates fold1.csv,fold2.csv --data luna16-patches --run runs/fold0 \\
                  --annotations annotations.csv --output thresholds

            Writes froc.json, froc.csv (the curve) and report.html (one page, no network), and prints the table. \
            Candidates: seriesuid,coordX,coordY,coordZ,probability, in world millimetres. With several detectors, \
            files and page are about the first, and each other one is held against it on the same resamples of scans.

            With --sweep the candidates are of scans that the detector was trained on, and options of `luna detect` \
            are chosen by their CPM. Candidates of the fold that it was not trained on are refused: thresholds that \
            were chosen on them would flatter its figures.
            """)

    @Option(
        help: ArgumentHelp(
            "A detector's candidates, in one file or in several such as those of ten folds; may be repeated.",
            valueName: "[name=]csv[,csv...]"))
    var candidates: [String]

    @Option(
        help: ArgumentHelp(
            "The nodules: seriesuid,coordX,coordY,coordZ,diameter_mm, or a form of luna convert's but LIDC-IDRI's.",
            valueName: "path"))
    var annotations: String

    @Option(help: ArgumentHelp("The scans, one identifier a line.", valueName: "csv"))
    var series: String?

    @Option(help: ArgumentHelp("Findings that count neither way.", valueName: "csv"))
    var excluded: String?

    @Option(
        help: ArgumentHelp(
            "The data set that the scans are in, for their folds and for pictures of findings.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("The scans' folds, in place of the data set's: seriesuid,fold.", valueName: "csv"))
    var folds: String?

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("The run that the first detector comes from, for the report.", valueName: "dir"))
    var runDirectory: String?

    @OptionGroup var choosing: SweepOptions

    @Option(help: ArgumentHelp("The directory for the results.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("Resamples of the bootstrap; 0 for none.", valueName: "n"))
    var bootstrap = 1000

    @Option(help: ArgumentHelp("The seed of the bootstrap.", valueName: "n"))
    var seed: UInt64 = 0

    func validate() throws {
        if !(0...1_000_000 ~= bootstrap) { throw ValidationError("--bootstrap is 0 to 1000000, not \(bootstrap)") }
        if candidates.isEmpty { throw ValidationError("--candidates names no file") }
    }

    func run() throws {
        let detectors = try DetectorFiles.all(candidates)
        try checkOutputs(detectors)
        let manifest = try data.map(DatasetManifest.init(directory:))
        let log = try runDirectory.map(RunLog.init(directory:))
        let found = try detectors.map { try $0.read() }
        let foldOfSeries = try folds.map(FoldList.read) ?? manifest.map(Self.folds) ?? [:]
        let listed = try series.map(ReferenceStandard.series)
        let training = try choosing.training(
            detectors, found.map(\.candidates), folds: foldOfSeries, list: listed.map { ($0, series ?? "") },
            run: runDirectory)
        let scans = training?.scans ?? listed
        let (annotated, outside) = try ListedFindings.read(
            annotations, scans: scans, or: Set(found.flatMap { $0.candidates.map(\.seriesUID) }),
            training != nil ? "training scans" : series.map { "scans of \($0)" } ?? "scans of the candidates")
        let nodules = try training?.nodules(annotated, annotations) ?? annotated
        let reference = ReferenceStandard(
            scans: scans
                ?? Set(found.flatMap { $0.candidates.map(\.seriesUID) } + nodules.map(\.seriesUID)).sorted(),
            nodules: nodules,
            excluded: try excluded.map { try ReferenceStandard.findings($0, countsNeitherWay: true) } ?? [])
        if reference.scans.isEmpty {
            throw InputError(detectors[0].paths[0], "names no scan, and neither does \(annotations)")
        }
        let listNotes = try compareLists(detectors, found.map(\.candidates), reference, foldOfSeries)
        let results = found.map {
            EvaluationResult($0.candidates, reference, folds: foldOfSeries, resamples: bootstrap, seed: seed)
        }
        let comparison = Comparison(zip(detectors, results).map { ($0.name, $1) })
        let sweep = training.map {
            ThresholdSweep(found[0].candidates, reference, $0) { Separation.separate($0, overlap: $1) }
        }
        var warnings =
            (sweep.map { [$0.warning] } ?? []) + listWarnings + listNotes + [outside].compactMap(\.self)
        if let unassigned = results[0].folds?.unassigned, unassigned > 0 {
            warnings.append("scans in no fold: \(unassigned); the pooled figures alone count them")
        }
        for (index, detector) in detectors.enumerated() {
            var own = results[index].warnings
            if let first = found[index].repeated.first {
                own.append(
                    "\(found[index].repeated.count) series have candidates in more than one of the files joined, "
                        + "such as \(first): all of them count")
            }
            warnings += detectors.count > 1 ? own.map { "\(detector.name): \($0)" } : own
        }
        for warning in warnings { FileHandle.standardError.write(Data("warning: \(warning)\n".utf8)) }

        let others = detectors.count > 1 ? comparison : nil
        try results[0].write(to: output, comparison: others, sweep: sweep, excluded: excluded)
        var report = Report(results[0], comparison: others)
        report.warnings = warnings
        report.version = Luna.configuration.version
        report.run = log
        report.excluded = excluded
        report.volumes = manifest.map { volumes(of: $0) } ?? [:]
        report.inputs = try inputs(detectors, log)
        try report.write(to: output)
        printResult(results[0], others, sweep)
    }

    private func checkOutputs(_ detectors: [DetectorFiles]) throws {
        var plan = OutputPlan()
        for path in detectors.flatMap(\.paths) { plan.read(path, as: "--candidates") }
        let inputs = [
            (annotations, "--annotations"), (series, "--series"), (excluded, "--excluded"), (folds, "--folds"),
            (data, "--data"), (runDirectory, "--run"),
        ]
        for (path, name) in inputs { plan.read(path, as: name) }
        try plan.write(directory: output, as: "--output", files: EvaluationResult.fileNames + [Report.fileName])
    }

    /// Compares the series of all lists.
    ///
    /// - Returns: What of which list does not apply; candidates and nodules are counted with the results.
    /// - Throws: `InputError` where nothing of a list does.
    private func compareLists(
        _ detectors: [DetectorFiles], _ found: [[Candidate]], _ reference: ReferenceStandard, _ folds: [String: Int]
    ) throws -> [String] {
        let nodules = reference.nodules.map(\.seriesUID)
        // Without a list of scans all are scans that candidates and nodules name: they are held against each other.
        let scans = series == nil ? Set(nodules) : Set(reference.scans)
        let what = "scans of \(series ?? annotations)"
        for (detector, candidates) in zip(detectors, found) {
            _ = try SeriesOverlap(
                of: detector.paths.joined(separator: ", "), candidates.map(\.seriesUID), with: scans, what)
        }
        _ = try SeriesOverlap(of: annotations, nodules, with: scans, what)
        let all = Set(reference.scans)
        if self.folds == nil, let data {
            _ = try SeriesOverlap(
                of: DatasetManifest.path(in: data), folds.keys, with: all, "scans", remedy: "name their data set")
        }
        return [
            try excluded.flatMap {
                try SeriesOverlap(of: $0, reference.excluded.map(\.seriesUID), with: all, "scans").note
            },
            try self.folds.flatMap { try SeriesOverlap(of: $0, folds.keys, with: all, "scans").note },
        ].compactMap(\.self)
    }

    /// The facts about the lists that a reader must know to trust the figures.
    private var listWarnings: [String] {
        var texts: [String] = []
        if excluded == nil {
            texts.append(
                "no --excluded list: findings that LUNA16 counts neither way count as false positives; "
                    + "published figures leave them out")
        }
        if series == nil && !choosing.sweep {
            texts.append(
                "no --series list: only scans named in the candidates or annotations are counted, "
                    + "so scans without either are missing from the false positives per scan")
        }
        return texts
    }

    private func printResult(_ result: EvaluationResult, _ comparison: Comparison?, _ sweep: ThresholdSweep?) {
        let c = result.matching.counts
        print("\(c.scans) scans, \(c.nodules) nodules, \(c.detected) detected, \(c.falsePositives) false positives")
        for term in result.terms(excluded: excluded) { print(term) }
        print("report: \(output)/report.html")
        if let table = result.foldTable { print("\n\(table)\n") }
        if let comparison { print("\n\(comparison.table)\n") }
        if let sweep { print("\n\(sweep.table)\n") }
        print(result.table)
    }

    /// The fold of each series of a data set.
    private static func folds(_ manifest: DatasetManifest) -> [String: Int] {
        var folds: [String: Int] = [:]
        for fold in manifest.folds {
            for series in fold.volumes.compactMap(\.seriesuid) { folds[series] = fold.fold }
        }
        return folds
    }

    /// The clean volume of each series; those that are not there are not drawn.
    private func volumes(of manifest: DatasetManifest) -> [String: String] {
        var paths: [String: String] = [:]
        for file in manifest.folds.flatMap(\.volumes) {
            let path = "\(data ?? "")/\(file.path)"
            if let series = file.seriesuid, FileContent.size(path) != nil { paths[series] = path }
        }
        return paths
    }

    /// The files and settings that the report names as its sources.
    private func inputs(_ detectors: [DetectorFiles], _ log: RunLog?) throws -> [Report.Input] {
        var inputs: [Report.Input] = []
        for detector in detectors {
            let role = detectors.count > 1 ? "candidates of \(detector.name)" : "candidates"
            inputs += try detector.paths.map { try Report.Input(role, file: $0) }
        }
        let lists = [
            ("annotations", annotations), ("series", series), ("excluded findings", excluded), ("folds", folds),
        ]
        for case (let role, let path?) in lists {
            inputs.append(
                FileContent.isDirectory(path) ? Report.Input(role, path) : try Report.Input(role, file: path))
        }
        if series == nil {
            let scans = choosing.sweep ? "those of the candidates' folds" : "those named in candidates and annotations"
            inputs.append(Report.Input("series", scans))
        }
        if excluded == nil { inputs.append(Report.Input("excluded findings", "none")) }
        if let data { inputs.append(try Report.Input("data set", file: DatasetManifest.path(in: data))) }
        inputs += try log?.files.map { try Report.Input("run", file: $0) } ?? []
        inputs.append(Report.Input("bootstrap", "\(bootstrap) resamples, seed \(seed)"))
        return inputs
    }
}
