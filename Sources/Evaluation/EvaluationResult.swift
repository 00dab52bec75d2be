import FileIO

/// A detector's evaluation against a reference standard.
public struct EvaluationResult: Sendable {
    /// The candidates, matched with the reference.
    public let matching: Matching
    /// The curve of all scans.
    public let froc: FROC
    /// The bootstrap over scans; nil where no resamples were asked for, or there is no nodule.
    public let bootstrap: Bootstrap?
    /// The seed of the bootstrap.
    public let seed: UInt64
    /// The evaluation fold by fold; nil where the scans are not of two folds at least.
    public let folds: FoldSummary?

    /// Evaluates candidates.
    ///
    /// - Parameters:
    ///   - candidates: The detector's claims.
    ///   - reference: The scans and their nodules.
    ///   - folds: The fold of each series, as far as known.
    ///   - resamples: The draws of the bootstrap; 0 for none.
    ///   - seed: The seed of the bootstrap.
    public init(
        _ candidates: [Candidate], _ reference: ReferenceStandard, folds: [String: Int] = [:], resamples: Int = 1000,
        seed: UInt64 = 0
    ) {
        matching = Matching(candidates, reference)
        froc = FROC(matching.marks, scans: matching.counts.scans, nodules: matching.counts.nodules)
        let isPossible = resamples > 0 && matching.counts.nodules > 0
        bootstrap = isPossible ? Bootstrap(matching, resamples: resamples, seed: seed) : nil
        self.seed = seed
        let foldOfScan = reference.scans.map { folds[$0] }
        let isDivided = Set(foldOfScan.compactMap(\.self)).count > 1
        self.folds = isDivided ? FoldSummary(matching, foldOfScan: foldOfScan) : nil
    }

    /// The table that a person reads; its last line is `CPM 0.842`.
    public var table: String {
        var lines = ["FP/scan  sensitivity" + (bootstrap == nil ? "" : "  95 % interval")]
        for (index, rate) in FROC.rates.enumerated() {
            let name = FROC.rateNames[index]
            var line = String(repeating: " ", count: 7 - name.count) + name + "        "
            line += Decimal.text(froc.sensitivity(at: rate), places: 3)
            if let interval = bootstrap?.sensitivities[index] { line += "  \(interval.text)" }
            lines.append(line)
        }
        lines.append("CPM " + Decimal.text(froc.cpm, places: 3))
        return lines.joined(separator: "\n")
    }

    /// The rule by which a candidate hits a nodule, in words.
    public static let hitRule = "a candidate hits a nodule whose middle is nearer than the nodule's radius"

    /// The ways of counting without which the figures cannot be compared with others', each a sentence.
    ///
    /// - Parameter excluded: The path of the list of excluded findings; nil where there was none.
    public func terms(excluded: String?) -> [String] {
        let c = matching.counts
        return [
            "Scans: \(c.scans), with nodules: \(matching.scansWithNodules); nodules: \(c.nodules)",
            "Hit rule: \(Self.hitRule)",
            "Excluded findings: \(excluded ?? "none")",
            "Candidates in a scan: \(Decimal.text(matching.meanCandidates, places: 1)) in the mean, "
                + "\(matching.mostCandidates) at most",
        ]
    }

    /// The table of the folds: a line for each, then mean and standard deviation, then all scans at once; nil without
    /// folds.
    public var foldTable: String? {
        guard let folds else { return nil }
        func texts(_ values: [Double]?) -> [String] {
            values.map { $0.map { Decimal.text($0, places: 3) } } ?? Array(repeating: "-", count: 8)
        }
        var table = TextTable(["fold", "scans", "nodules", "detected"] + FROC.rateNames + ["CPM"])
        for fold in folds.folds {
            let cpm = fold.cpm.map { [$0] } ?? []
            table.add(
                ["\(fold.fold)", "\(fold.scans)", "\(fold.nodules)", "\(fold.detected)"]
                    + texts(fold.sensitivities.map { $0 + cpm }))
        }
        if let cpm = folds.cpm {
            let spreads = folds.sensitivities + [cpm]
            table.add(["mean", "", "", ""] + texts(spreads.map(\.mean)))
            let deviations = spreads.compactMap(\.standardDeviation)
            if deviations.count == spreads.count { table.add(["deviation", "", "", ""] + texts(deviations)) }
        }
        let c = matching.counts
        table.add(
            ["pooled", "\(c.scans)", "\(c.nodules)", "\(c.detected)"] + texts(froc.sensitivities + [froc.cpm]))
        return table.text
    }

    /// The facts that a reader must know to trust the figures, each a sentence.
    public var warnings: [String] {
        var texts: [String] = []
        if matching.counts.nodules == 0 {
            texts.append("the annotations name no nodule in these scans: there is no sensitivity to speak of")
        }
        let unknown = matching.unknownSeries
        if let first = unknown.first {
            texts.append(
                "\(unknown.count) series are not among the scans and are left out, such as \(first): "
                    + "check for lost leading zeros or another fold")
        }
        if matching.scansWithoutCandidates > 0 {
            let count = matching.scansWithoutCandidates
            texts.append(count == 1 ? "1 scan has no candidate" : "\(count) scans have no candidate")
        }
        return texts
    }
}
