import ArgumentParser
import Evaluation
import FileIO
import Foundation

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Compute the LUNA16 FROC of a detector's candidates.",
        discussion: """
            EXAMPLES
              luna evaluate --candidates candidates.csv --annotations annotations.csv --series seriesuids.csv \\
                  --excluded annotations_excluded.csv --output evaluation

            Writes froc.json, froc.csv (the curve) and report.html (one page, no network), and prints the table. \
            Candidates: seriesuid,coordX,coordY,coordZ,probability, in world millimetres.
            """)

    @Option(help: ArgumentHelp("The detector's candidates.", valueName: "csv"))
    var candidates: String

    @Option(help: ArgumentHelp("The nodules: seriesuid,coordX,coordY,coordZ,diameter_mm.", valueName: "csv"))
    var annotations: String

    @Option(help: ArgumentHelp("The scans, one identifier a line.", valueName: "csv"))
    var series: String?

    @Option(help: ArgumentHelp("Findings that count neither way.", valueName: "csv"))
    var excluded: String?

    @Option(help: ArgumentHelp("The directory for the results.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("Resamples of the bootstrap; 0 for none.", valueName: "n"))
    var bootstrap = 1000

    @Option(help: ArgumentHelp("Of the bootstrap.", valueName: "n"))
    var seed: UInt64 = 0

    func validate() throws {
        if !(0...1_000_000 ~= bootstrap) { throw ValidationError("--bootstrap is 0 to 1000000, not \(bootstrap)") }
    }

    func run() throws {
        let found = try CandidateFile.read(candidates)
        let nodules = try ReferenceStandard.findings(annotations)
        let ignored = try excluded.map(ReferenceStandard.findings) ?? []
        let scans =
            try series.map(ReferenceStandard.series)
            ?? Set(found.map(\.seriesUID) + nodules.map(\.seriesUID)).sorted()
        if scans.isEmpty { throw InputError(candidates, "names no scan, and neither does \(annotations)") }
        let result = EvaluationResult(
            found, ReferenceStandard(scans: scans, nodules: nodules, excluded: ignored), resamples: bootstrap,
            seed: seed)
        let warnings = result.warnings(hasExcluded: excluded != nil, hasSeries: series != nil)
        for warning in warnings { FileHandle.standardError.write(Data("warning: \(warning)\n".utf8)) }
        try result.write(to: output)
        try result.writeReport(
            to: output,
            sources: [
                ("candidates", "\(candidates) (\(found.count))"), ("annotations", "\(annotations) (\(nodules.count))"),
                ("series", series ?? "those named in candidates and annotations"), ("excluded", excluded ?? "none"),
                ("bootstrap", "\(bootstrap) resamples, seed \(seed)"),
            ], warnings: warnings)
        let c = result.matching.counts
        print("\(c.scans) scans, \(c.nodules) nodules, \(c.detected) detected, \(c.falsePositives) false positives")
        print("report: \(output)/report.html")
        print(result.table)
    }
}
