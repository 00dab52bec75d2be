/// A detector's free-response receiver operating characteristic: sensitivity against false positives per scan.
public struct FROC: Hashable, Sendable {
    /// A point of the curve.
    public struct Point: Hashable, Sendable {
        /// The false positives of an average scan.
        public var falsePositivesPerScan: Double
        /// The share of the nodules that are detected.
        public var sensitivity: Double
        /// The threshold: candidates of at least this probability make this point.
        public var threshold: Double
    }

    /// The curve's points by falling threshold; the first has an infinite one, and detects nothing.
    public var points: [Point]

    /// The false positives per scan that LUNA16 averages over.
    public static let rates = [0.125, 0.25, 0.5, 1, 2, 4, 8]
    /// The names of `rates`, as people write them.
    public static let rateNames = ["1/8", "1/4", "1/2", "1", "2", "4", "8"]

    /// Makes the curve.
    ///
    /// - Parameters:
    ///   - marks: Detected nodules and false positives, by descending probability.
    ///   - weights: How often each scan counts; nil: once.
    ///   - scans: The number of scans.
    ///   - nodules: All nodules of these scans, detected or not.
    ///   - isExact: Whether quotients are the nearest numbers, in place of those that the original rounds to.
    init(_ marks: [Mark], weights: [Int]? = nil, scans: Int, nodules: Int, isExact: Bool = false) {
        func weight(_ mark: Mark) -> Int { weights?[mark.scan] ?? 1 }
        var (allDetected, allFalse) = (0, 0)
        for mark in marks { if mark.isNodule { allDetected += weight(mark) } else { allFalse += weight(mark) } }
        points = [Point(falsePositivesPerScan: 0, sensitivity: 0, threshold: .infinity)]
        var (detected, falsePositives) = (0, 0)
        for (index, mark) in marks.enumerated() {
            if mark.isNodule { detected += weight(mark) } else { falsePositives += weight(mark) }
            // Equal probabilities make one point.
            if index + 1 < marks.count && marks[index + 1].probability == mark.probability { continue }
            points.append(
                Point(
                    falsePositivesPerScan: Self.share(falsePositives, of: isExact ? nil : allFalse, over: scans),
                    sensitivity: Self.share(detected, of: isExact ? nil : allDetected, over: nodules),
                    threshold: mark.probability))
        }
    }

    /// The quotient `part / count`, by way of the part's share of the whole, which is how the original rounds. Where a
    /// rate such as 1/8 falls on a step of the curve, a last bit decides between the step's foot and its head. Without
    /// a whole it is the nearest number, which decides for the head.
    private static func share(_ part: Int, of whole: Int?, over count: Int) -> Double {
        guard whole != 0, count > 0 else { return 0 }
        guard let whole else { return Double(part) / Double(count) }
        return Double(part) / Double(whole) * Double(whole) / Double(count)
    }

    /// Returns the sensitivity at a rate of false positives per scan, linearly interpolated; beyond the curve, that of
    /// its end.
    public func sensitivity(at rate: Double) -> Double {
        // The last point at or before the rate: of several with the same rate, the highest.
        var (low, high) = (0, points.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if points[middle].falsePositivesPerScan <= rate { low = middle } else { high = middle }
        }
        let a = points[low]
        guard low + 1 < points.count, a.falsePositivesPerScan < rate else { return a.sensitivity }
        let b = points[low + 1]
        let fraction = (rate - a.falsePositivesPerScan) / (b.falsePositivesPerScan - a.falsePositivesPerScan)
        return a.sensitivity + fraction * (b.sensitivity - a.sensitivity)
    }

    /// The sensitivity at each of the seven `rates`.
    public var sensitivities: [Double] { Self.rates.map(sensitivity(at:)) }

    /// The competition performance metric: the mean sensitivity at the seven rates.
    public var cpm: Double { sensitivities.reduce(0, +) / Double(Self.rates.count) }

    /// Returns the point of the lowest threshold that keeps within a rate of false positives per scan; nil where none
    /// does.
    public func operatingPoint(within rate: Double) -> Point? {
        points.last { $0.falsePositivesPerScan <= rate }.flatMap { $0.threshold.isFinite ? $0 : nil }
    }

    /// The threshold down to which candidates are needed for the CPM; nil where no nodule is detected.
    ///
    /// Without those of lower probability the CPM is the same: it looks at no rates beyond the last.
    public var neededThreshold: Double? {
        let whole = cpm
        var part = self
        // A longer part of the curve has at least the CPM of a shorter one.
        var (low, high) = (1, points.count)
        while low < high {
            let middle = (low + high) / 2
            part.points = Array(points.prefix(middle))
            if part.cpm < whole { low = middle + 1 } else { high = middle }
        }
        return points[low - 1].threshold.isFinite ? points[low - 1].threshold : nil
    }

    /// The points without those on a straight line between their neighbours.
    public var corners: [Point] {
        points.indices.filter { index in
            guard index > 0, index + 1 < points.count else { return true }
            let (a, b, c) = (points[index - 1], points[index], points[index + 1])
            let isStraight =
                abs(
                    (b.falsePositivesPerScan - a.falsePositivesPerScan)
                        - (c.falsePositivesPerScan - b.falsePositivesPerScan)) < 1e-12
                && abs((b.sensitivity - a.sensitivity) - (c.sensitivity - b.sensitivity)) < 1e-12
            return !isStraight
        }.map { points[$0] }
    }
}
