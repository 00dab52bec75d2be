import FileIO

/// Detectors on one reference standard, each held against the first.
public struct Comparison: Sendable {
    /// A detector beside the first one.
    public struct Detector: Sendable {
        /// The detector's name.
        public var name: String
        /// The detector's evaluation.
        public var result: EvaluationResult
        /// The detector's CPM less the first one's; nil for the first.
        public var difference: Double?
        /// The interval of `difference` over resamples of the scans; nil for the first, and without a bootstrap.
        public var differenceInterval: Interval?

        /// The difference in words, such as `+0.012 (-0.004 to +0.030)`; empty for the first.
        public var differenceText: String {
            guard let difference else { return "" }
            let text = Decimal.signedText(difference, places: 3)
            guard let interval = differenceInterval else { return text }
            let (lower, upper) = (interval.lower, interval.upper)
            return "\(text) (\(Decimal.signedText(lower, places: 3)) to \(Decimal.signedText(upper, places: 3)))"
        }
    }

    /// The detectors in the order given.
    public let detectors: [Detector]

    /// Compares evaluations with the first of them.
    ///
    /// - Precondition: All results are of one reference standard, with one seed and number of resamples.
    public init(_ detectors: [(name: String, result: EvaluationResult)]) {
        let first = detectors.first?.result
        self.detectors = detectors.enumerated().map { index, detector in
            var entry = Detector(name: detector.name, result: detector.result)
            guard index > 0, let first else { return entry }
            entry.difference = detector.result.froc.cpm - first.froc.cpm
            if let own = detector.result.bootstrap, let other = first.bootstrap {
                entry.differenceInterval = own.difference(to: other)
            }
            return entry
        }
    }

    /// The table that a person reads: a line for each detector.
    public var table: String {
        var table = TextTable(["detector"] + FROC.rateNames + ["CPM", "95 % interval", "difference to the first"])
        for detector in detectors {
            let result = detector.result
            table.add(
                [detector.name] + result.froc.sensitivities.map { Decimal.text($0, places: 3) }
                    + [Decimal.text(result.froc.cpm, places: 3), result.bootstrap?.cpm.text ?? ""]
                    + [detector.differenceText])
        }
        return table.text
    }
}

extension Interval {
    /// The interval in words, such as `0.813 - 0.868`.
    public var text: String { "\(Decimal.text(lower, places: 3)) - \(Decimal.text(upper, places: 3))" }
}
