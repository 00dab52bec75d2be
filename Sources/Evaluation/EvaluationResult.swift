import FileIO
import Foundation

/// A detector's evaluation, as it is written to files.
public struct EvaluationResult: Sendable {
    public let matching: Matching
    public let froc: FROC
    /// Nil where no resamples were asked for.
    public let bootstrap: Bootstrap?
    public let seed: UInt64

    /// - Parameter resamples: Of the bootstrap; 0 for none.
    public init(_ candidates: [Candidate], _ reference: ReferenceStandard, resamples: Int = 1000, seed: UInt64 = 0) {
        matching = Matching(candidates, reference)
        froc = FROC(matching.marks, scans: matching.counts.scans, nodules: matching.counts.nodules)
        let isPossible = resamples > 0 && matching.counts.detected + matching.missed.count > 0
        bootstrap = isPossible ? Bootstrap(matching, resamples: resamples, seed: seed) : nil
        self.seed = seed
    }

    private struct Summary: Encodable {
        struct Counts: Encodable {
            let scans, nodules, detected, false_positives, irrelevant, double, beyond_limit: Int
        }
        struct Resampled: Encodable {
            let resamples: Int
            let seed: UInt64
            let mean, lower, upper: Double
            let sensitivity: [Interval]
        }
        let rates, sensitivity: [Double]
        let cpm: Double
        let bootstrap: Resampled?
        let counts: Counts
    }

    /// Writes `froc.json` and `froc.csv` into a directory, which is made where missing.
    ///
    /// - Throws: `FileError`.
    public func write(to directory: String) throws {
        try FileContent.makeDirectory(directory)
        let c = matching.counts
        let summary = Summary(
            rates: FROC.rates, sensitivity: froc.sensitivities, cpm: froc.cpm,
            bootstrap: bootstrap.map {
                .init(
                    resamples: $0.resamples, seed: seed, mean: $0.cpm.mean, lower: $0.cpm.lower, upper: $0.cpm.upper,
                    sensitivity: $0.sensitivities)
            },
            counts: .init(
                scans: c.scans, nodules: c.nodules, detected: c.detected, false_positives: c.falsePositives,
                irrelevant: c.irrelevant, double: c.double, beyond_limit: c.beyondLimit))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write([UInt8](encoder.encode(summary)) + [10], to: "\(directory)/froc.json")
        var csv = "false_positives_per_scan,sensitivity,threshold\n"
        for point in froc.corners {
            let threshold = point.threshold.isFinite ? "\(point.threshold)" : ""
            csv += "\(point.falsePositivesPerScan),\(point.sensitivity),\(threshold)\n"
        }
        try AtomicFile.write(csv, to: "\(directory)/froc.csv")
    }

    /// The table that a person reads; its last line is `CPM 0.842`.
    public var table: String {
        var lines = ["FP/scan  sensitivity" + (bootstrap == nil ? "" : "  95 % interval")]
        for (index, rate) in FROC.rates.enumerated() {
            let name = ["1/8", "1/4", "1/2", "1", "2", "4", "8"][index]
            var line = String(repeating: " ", count: 7 - name.count) + name + "        "
            line += Decimal.text(froc.sensitivity(at: rate), places: 3)
            if let interval = bootstrap?.sensitivities[index] {
                line += "  \(Decimal.text(interval.lower, places: 3)) - \(Decimal.text(interval.upper, places: 3))"
            }
            lines.append(line)
        }
        lines.append("CPM " + Decimal.text(froc.cpm, places: 3))
        return lines.joined(separator: "\n")
    }

    /// What a reader must know to trust the figures, each a sentence.
    public func warnings(hasExcluded: Bool, hasSeries: Bool) -> [String] {
        var texts: [String] = []
        if !hasExcluded {
            texts.append(
                "no --excluded list: findings that LUNA16 counts neither way count as false positives; "
                    + "published figures leave them out")
        }
        if !hasSeries {
            texts.append(
                "no --series list: only scans named in the candidates or annotations are counted, "
                    + "so scans without either are missing from the false positives per scan")
        }
        let unknown = matching.unknownSeries
        if let first = unknown.first {
            texts.append(
                "\(unknown.count) series are not among the scans and are left out, such as \(first): "
                    + "check for lost leading zeros or another fold")
        }
        if matching.scansWithoutCandidates > 0 {
            texts.append("\(matching.scansWithoutCandidates) scans have no candidate")
        }
        return texts
    }
}
