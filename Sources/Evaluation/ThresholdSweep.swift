// What to leave out of a detector's lists, chosen on scans that it was trained on. The scans that it was not trained on
// stay unseen: thresholds that were chosen on them would flatter the figures that they give.

import Basics
import FileIO

/// A trial of thresholds on a detector's candidates, and a choice by their competition performance metric.
///
/// For each overlap of findings the candidates are evaluated by LUNA16's rules, and the probability is sought below
/// which findings can be left out at no cost: the metric looks at 8 false positives a scan at most, and what is less
/// probable than what makes those does not count. A rate on a step of the curve is taken at its head, so that what is
/// left out does not move the metric; that of LUNA16's own rounding may differ by such steps.
public struct ThresholdSweep: Sendable {
    /// The result of one choice of thresholds.
    public struct Trial: Hashable, Sendable, Encodable {
        /// The overlap of cubes (intersection over union) from which on only the most probable is left; nil: all are.
        public var overlap: Double?
        /// The probability below which findings are left out, a multiple of 0.0001.
        public var minimumProbability: Double
        /// The mean sensitivity at the seven rates of what is left.
        public var cpm: Double
        /// The number of findings that are left.
        public var candidates: Int
    }

    /// The overlaps that are tried besides none.
    public static let overlaps = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01]

    /// The fold that the detector was not trained on; nil where it was trained on all of them.
    public let heldOut: Int?
    /// The folds of the scans.
    public let folds: [Int]
    /// The number of scans.
    public let scans: Int
    /// The trials: of no overlap first, then from the largest to the smallest.
    public let trials: [Trial]

    /// Tries thresholds.
    ///
    /// - Parameters:
    ///   - candidates: The detector's claims.
    ///   - reference: Scans that it was trained on, and their nodules.
    ///   - training: The scans' folds.
    ///   - separate: Leaves out candidates that overlap more probable ones by a part or more.
    public init(
        _ candidates: [Candidate], _ reference: ReferenceStandard, _ training: TrainingScans,
        separate: (_ candidates: [Candidate], _ overlap: Double) -> [Candidate]
    ) {
        (heldOut, folds, scans) = (training.heldOut, training.folds, reference.scans.count)
        let known = Set(reference.scans)
        let own = candidates.filter { known.contains($0.seriesUID) }
        trials = ([nil] + Self.overlaps).map { overlap in
            let apart = overlap.map { separate(own, $0) } ?? own
            let needed = Self.froc(apart, reference).neededThreshold ?? 0
            // Four digits are what people type, and a threshold that is a little lower costs nothing.
            let threshold = max(0, (needed * 10_000).rounded(.down) / 10_000)
            let left = apart.filter { $0.probability >= threshold }
            return Trial(
                overlap: overlap, minimumProbability: threshold,
                cpm: Self.froc(left, reference).cpm, candidates: left.count)
        }
    }

    private static func froc(_ candidates: [Candidate], _ reference: ReferenceStandard) -> FROC {
        let matching = Matching(candidates, reference)
        let counts = matching.counts
        return FROC(matching.marks, scans: counts.scans, nodules: counts.nodules, isExact: true)
    }

    /// The trial of the highest metric; of several, the one that changes the list least.
    public var best: Trial { trials.dropFirst().reduce(trials[0]) { $1.cpm > $0.cpm + 1e-9 ? $1 : $0 } }

    /// The description of the scans, in words.
    public var scope: String {
        let list = folds.map(String.init).joined(separator: ", ")
        return "\(scans) training scan\(scans == 1 ? "" : "s") of fold\(folds.count == 1 ? "" : "s") \(list)"
            + (heldOut.map { " (fold \($0) is held out)" } ?? " (no fold is held out)")
    }

    /// The table that a person reads: a line for each trial, and how `luna detect` takes the best.
    public var table: String {
        var table = TextTable(["overlap", "minimum probability", "findings a scan", "CPM"])
        for trial in trials {
            table.add([
                trial.overlap.map { "\($0)" } ?? "any", Decimal.text(trial.minimumProbability, places: 4),
                Decimal.text(Double(trial.candidates) / Double(max(1, scans)), places: 1),
                Decimal.text(trial.cpm, places: 3),
            ])
        }
        let overlap = best.overlap.map { "--overlap \($0) " } ?? ""
        let probability = "--minimum-probability \(Decimal.text(best.minimumProbability, places: 4))"
        return "thresholds on \(scope):\n\(table.text)\nbest: \(overlap)\(probability)"
    }

    /// The sentence about the scans that a reader of the figures must know.
    public var warning: String {
        "--sweep: thresholds are chosen on \(scope), and all figures here are of these scans, which the detector has "
            + "learnt: they are no measure of it"
    }
}

/// The scans that a detector was trained on, by their folds.
public struct TrainingScans: Sendable {
    /// The fold that the detector was not trained on; nil where it was trained on all of them.
    public let heldOut: Int?
    /// The folds that the candidates are from.
    public let folds: [Int]
    /// The scans of these folds, or those of the list that is given.
    public let scans: [String]

    /// Finds the training scans that candidates are from.
    ///
    /// - Parameters:
    ///   - candidates: The series of the candidates.
    ///   - file: The candidates' file, for messages.
    ///   - list: The scans that count, and their file; nil: all of the candidates' folds.
    ///   - foldOfSeries: The fold of each series.
    ///   - heldOut: The fold that the detector was not trained on.
    /// - Throws: `InputError` where a scan is of that fold, or of none that is known.
    public init(
        of candidates: [String], _ file: String, list: (series: [String], file: String)? = nil,
        folds foldOfSeries: [String: Int], heldOut: Int?
    ) throws {
        self.heldOut = heldOut
        try Self.check(candidates, file, foldOfSeries, heldOut)
        if let list { try Self.check(list.series, list.file, foldOfSeries, heldOut) }
        let found = Set((list?.series ?? candidates).compactMap { foldOfSeries[$0] })
        folds = found.sorted()
        scans = list?.series ?? foldOfSeries.filter { found.contains($0.value) }.map(\.key).sorted()
    }

    /// The nodules in these scans.
    ///
    /// - Parameters:
    ///   - findings: The nodules of any scans.
    ///   - file: Their list, for messages.
    /// - Throws: `InputError` where there is none: nothing would tell one threshold from another.
    public func nodules(_ findings: [Finding], _ file: String) throws -> [Finding] {
        let known = Set(scans)
        let own = findings.filter { known.contains($0.seriesUID) }
        if own.isEmpty {
            throw InputError(
                file, "names no nodule in the \(scans.count) training scans",
                remedy: "check for lost leading zeros, or take candidates of other scans")
        }
        return own
    }

    private static func check(_ series: [String], _ file: String, _ folds: [String: Int], _ heldOut: Int?) throws {
        let all = Set(series).sorted()
        let strange = all.filter { folds[$0] == nil }
        if let first = strange.first {
            throw InputError(
                file, "names \(strange.count) series of no known fold, such as \(first)",
                remedy: "give the data set or the list of folds that they are in: thresholds are chosen on training "
                    + "scans only")
        }
        let unseen = all.filter { heldOut != nil && folds[$0] == heldOut }
        if let heldOut, let first = unseen.first {
            throw InputError(
                file, "names \(unseen.count) series of fold \(heldOut), such as \(first), which was held out",
                remedy: "choose thresholds on training scans, which `luna detect --fold` finds: chosen on the held-out "
                    + "ones they would flatter its figures")
        }
    }
}
