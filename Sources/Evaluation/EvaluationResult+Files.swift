import Basics
import FileIO

extension EvaluationResult {
    /// The names of the files that `write` writes.
    public static let fileNames = ["froc.json", "froc.csv"]

    /// Writes `froc.json` and `froc.csv` into a directory, which is made where missing.
    ///
    /// - Parameters:
    ///   - directory: Where the files go.
    ///   - comparison: The comparison of this detector, the first, with others; `froc.json` then tells of them, too.
    ///   - sweep: The choice of thresholds on these candidates; `froc.json` then tells of it, too.
    ///   - excluded: The path of the list of excluded findings; nil where there was none.
    /// - Throws: `FileError` where the system refuses.
    public func write(
        to directory: String, comparison: Comparison? = nil, sweep: ThresholdSweep? = nil, excluded: String? = nil
    ) throws {
        try FileContent.makeDirectory(directory)
        let content = FROCFile(self, comparison, sweep, excluded)
        try AtomicFile.write(try JSON.encode(content, isIndented: true) + [10], to: "\(directory)/\(Self.fileNames[0])")
        var csv = "false_positives_per_scan,sensitivity,threshold\n"
        for point in froc.corners {
            let threshold = point.threshold.isFinite ? "\(point.threshold)" : ""
            csv += "\(point.falsePositivesPerScan),\(point.sensitivity),\(threshold)\n"
        }
        try AtomicFile.write(csv, to: "\(directory)/\(Self.fileNames[1])")
    }
}

/// The content of `froc.json`; its names are a contract with scripts.
private struct FROCFile: Encodable {
    struct Counts: Encodable {
        let scans, nodules, detected, falsePositives, irrelevant, double, beyondLimit: Int

        init(_ c: MatchCounts) {
            (scans, nodules, detected, falsePositives) = (c.scans, c.nodules, c.detected, c.falsePositives)
            (irrelevant, double, beyondLimit) = (c.irrelevant, c.double, c.beyondLimit)
        }
    }

    struct Resampled: Encodable {
        let resamples: Int
        let seed: UInt64
        let mean, lower, upper: Double
        let sensitivity: [Interval]

        init?(_ result: EvaluationResult) {
            guard let bootstrap = result.bootstrap else { return nil }
            (resamples, seed, sensitivity) = (bootstrap.resamples, result.seed, bootstrap.sensitivities)
            (mean, lower, upper) = (bootstrap.cpm.mean, bootstrap.cpm.lower, bootstrap.cpm.upper)
        }
    }

    struct Fold: Encodable {
        let fold, scans, nodules, detected, falsePositives: Int
        let sensitivity: [Double]?
        let cpm: Double?

        init(_ f: FoldSummary.Fold) {
            (fold, scans, nodules, detected, falsePositives) = (
                f.fold, f.scans, f.nodules, f.detected, f.falsePositives
            )
            (sensitivity, cpm) = (f.sensitivities, f.cpm)
        }
    }

    struct Folds: Encodable {
        let byFold: [Fold]
        let cpm: FoldSummary.Spread?
        let sensitivity: [FoldSummary.Spread]
        let pooledCpm: Double

        init?(_ result: EvaluationResult) {
            guard let folds = result.folds else { return nil }
            (byFold, cpm, sensitivity) = (folds.folds.map(Fold.init), folds.cpm, folds.sensitivities)
            pooledCpm = result.froc.cpm
        }
    }

    struct Detector: Encodable {
        let name: String
        let sensitivity: [Double]
        let cpm: Double
        let bootstrap: Resampled?
        let counts: Counts
        let folds: Folds?
        let difference: Double?
        let differenceInterval: Interval?

        init(_ detector: Comparison.Detector) {
            let result = detector.result
            (name, sensitivity, cpm) = (detector.name, result.froc.sensitivities, result.froc.cpm)
            (bootstrap, counts, folds) = (Resampled(result), Counts(result.matching.counts), Folds(result))
            (difference, differenceInterval) = (detector.difference, detector.differenceInterval)
        }
    }

    struct Sweep: Encodable {
        let chosenOn: String
        let heldOutFold: Int?
        let folds: [Int]
        let scans: Int
        let best: ThresholdSweep.Trial
        let trials: [ThresholdSweep.Trial]

        init(_ sweep: ThresholdSweep) {
            chosenOn = sweep.scope
            (heldOutFold, folds, scans) = (sweep.heldOut, sweep.folds, sweep.scans)
            (best, trials) = (sweep.best, sweep.trials)
        }
    }

    /// The numbers that the figures are shares of.
    struct Denominator: Encodable {
        let scans, nodules, scansWithNodules: Int
    }

    /// The candidates of a scan that count.
    struct Marks: Encodable {
        let mean: Double
        let max: Int
    }

    /// A text that stands as `null`, and is not left out, where there is none.
    struct TextOrNull: Encodable {
        let text: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }

    let denominator: Denominator
    let hitRule = EvaluationResult.hitRule
    let excluded: TextOrNull
    let marksPerScan: Marks
    let rates = FROC.rates
    let sensitivity: [Double]
    let cpm: Double
    let bootstrap: Resampled?
    let counts: Counts
    let folds: Folds?
    let comparison: [Detector]?
    let sweep: Sweep?

    init(_ result: EvaluationResult, _ comparison: Comparison?, _ sweep: ThresholdSweep?, _ excluded: String?) {
        let matching = result.matching
        denominator = Denominator(
            scans: matching.counts.scans, nodules: matching.counts.nodules,
            scansWithNodules: matching.scansWithNodules)
        self.excluded = TextOrNull(text: excluded)
        marksPerScan = Marks(mean: matching.meanCandidates, max: matching.mostCandidates)
        (sensitivity, cpm, bootstrap) = (result.froc.sensitivities, result.froc.cpm, Resampled(result))
        (counts, folds) = (Counts(result.matching.counts), Folds(result))
        self.comparison = comparison?.detectors.map(Detector.init)
        self.sweep = sweep.map(Sweep.init)
    }
}
