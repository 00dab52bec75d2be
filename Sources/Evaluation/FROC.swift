/// Sensitivity against false positives per scan.
public struct FROC: Hashable, Sendable {
    public struct Point: Hashable, Sendable {
        public var falsePositivesPerScan: Double
        public var sensitivity: Double
        /// Candidates of at least this probability make this point.
        public var threshold: Double
    }

    /// By falling threshold; the first has none.
    public var points: [Point]

    /// The false positives per scan that LUNA16 averages over.
    public static let rates = [0.125, 0.25, 0.5, 1, 2, 4, 8]

    /// - Parameters:
    ///   - marks: By descending probability.
    ///   - weights: How often each scan counts; nil: once.
    ///   - nodules: All nodules of these scans, detected or not.
    init(_ marks: [Mark], weights: [Int]? = nil, scans: Int, nodules: Int) {
        points = [Point(falsePositivesPerScan: 0, sensitivity: 0, threshold: .infinity)]
        var (detected, falsePositives) = (0, 0)
        let scale = (1 / Double(max(1, scans)), 1 / Double(max(1, nodules)))
        for (index, mark) in marks.enumerated() {
            let weight = weights?[mark.scan] ?? 1
            if mark.isNodule { detected += weight } else { falsePositives += weight }
            // Equal probabilities make one point.
            if index + 1 < marks.count && marks[index + 1].probability == mark.probability { continue }
            points.append(
                Point(
                    falsePositivesPerScan: Double(falsePositives) * scale.0,
                    sensitivity: Double(detected) * scale.1, threshold: mark.probability))
        }
    }

    /// The sensitivity at a rate, linearly interpolated; beyond the curve, that of its end.
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

    /// At the seven rates.
    public var sensitivities: [Double] { Self.rates.map(sensitivity(at:)) }

    /// The competition performance metric: the mean sensitivity at the seven rates.
    public var cpm: Double { sensitivities.reduce(0, +) / Double(Self.rates.count) }

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
