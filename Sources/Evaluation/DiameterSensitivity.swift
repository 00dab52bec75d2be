/// A number of hits among trials.
public struct Proportion: Hashable, Sendable {
    /// The number of trials that hit.
    public var hits: Int
    /// The number of trials.
    public var trials: Int

    /// Makes a proportion from its two counts.
    public init(hits: Int, of trials: Int) {
        self.hits = hits
        self.trials = trials
    }

    /// The hits' share of the trials.
    ///
    /// - Precondition: There are trials.
    public var share: Double { Double(hits) / Double(trials) }

    /// Wilson's interval of 95 %, which is sensible for few trials and for shares of 0 and 1 too: E. Wilson, "Probable
    /// inference, the law of succession, and statistical inference", Journal of the American Statistical Association
    /// 1927.
    public var interval: ClosedRange<Double> {
        guard trials > 0 else { return 0...1 }
        let (n, z) = (Double(trials), 1.959963984540054)
        let center = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, center - half)...min(1, center + half)
    }
}

/// Sensitivity by nodule diameter, at the operating point that keeps within a rate of false positives per scan.
public struct DiameterSensitivity: Hashable, Sendable {
    /// The nodules of a range of diameters.
    public struct Bin: Hashable, Sendable {
        /// The least diameter, mm.
        public var from: Double
        /// The diameter that all are below, mm; infinite in the last bin.
        public var to: Double
        /// The detected nodules among all of these diameters.
        public var nodules: Proportion
    }

    /// The diameters where bins meet, mm. Guidelines part at 6 and 8: H. MacMahon et al., "Guidelines for management of
    /// incidental pulmonary nodules detected on CT images", Radiology 2017.
    private static let edges = [0, 4, 6, 8, 10, 15, 20, 30, Double.infinity]

    /// The wanted false positives per scan.
    public let rate: Double
    /// The false positives per scan at the operating point, at most `rate`.
    public let achievedRate: Double
    /// The operating point's threshold: candidates of at least this probability count.
    public let threshold: Double
    /// The bins that have nodules, by diameter.
    public let bins: [Bin]
    /// The detected nodules among all.
    public let all: Proportion

    /// Counts an evaluation's hits by diameter.
    ///
    /// - Parameters:
    ///   - result: The evaluation.
    ///   - rate: The wanted false positives per scan.
    /// - Returns: Nil where there is no nodule, or no threshold keeps within the rate.
    public init?(_ result: EvaluationResult, rate: Double = 1) {
        guard !result.matching.outcomes.isEmpty, let point = result.froc.operatingPoint(within: rate) else {
            return nil
        }
        self.rate = rate
        achievedRate = point.falsePositivesPerScan
        threshold = point.threshold
        func proportion(_ outcomes: [NoduleOutcome]) -> Proportion {
            Proportion(
                hits: outcomes.count { ($0.hit?.probability ?? -.infinity) >= point.threshold }, of: outcomes.count)
        }
        let outcomes = result.matching.outcomes
        bins = zip(Self.edges, Self.edges.dropFirst()).compactMap { from, to in
            let members = outcomes.filter { from..<to ~= $0.nodule.effectiveDiameter }
            return members.isEmpty ? nil : Bin(from: from, to: to, nodules: proportion(members))
        }
        all = proportion(outcomes)
    }
}
