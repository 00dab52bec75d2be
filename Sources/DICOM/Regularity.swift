import Basics

/// The question whether positions along a line are those of a regular grid, but for the rounding in their files.
struct Regularity {
    /// The part of the median by which a distance may differ from it.
    static let gapTolerance = 0.1
    /// The part of the distance by which a position may lie off the fitted line, whatever the rounding.
    private static let lineTolerance = 0.05
    /// The part of the distance off the line that rounding can excuse: a missing slice moves its neighbours by more.
    private static let roundingLimit = 0.15
    /// The units, mm, to which exporters round positions.
    private static let units = [1, 0.1, 0.01, 0.001]
    /// The distance, mm, from a multiple of the unit that binary numbers explain.
    private static let binaryTolerance = 1e-4

    /// The median distance, mm.
    let median: Double
    /// The pairs of neighbours (the first's index) whose distance is not the median.
    let oddPairs: [Int]
    /// Whether the positions are regular: at one distance each from the next, or close to the straight line that fits
    /// them best, as positions rounded to a tenth of a millimetre are.
    let isRegular: Bool

    /// Judges positions.
    ///
    /// - Parameters:
    ///   - places: The positions along the line in ascending order, mm; at least two.
    ///   - coordinates: The numbers in the files that they come from, mm, for each of the patient's axes: these are
    ///     what is rounded.
    init(_ places: [Double], coordinates: [[Double]]) {
        let gaps = zip(places.dropFirst(), places).map { $0 - $1 }
        let median = gaps.lowerMedian ?? 0
        self.median = median
        oddPairs = gaps.indices.filter { abs(gaps[$0] - median) > Self.gapTolerance * median }
        isRegular = oddPairs.isEmpty || Self.liesOnLine(places, rounding: Self.unit(of: coordinates))
    }

    /// The largest unit of which all numbers of an axis are multiples, among the axes on which they differ; 0 where
    /// there is none.
    private static func unit(of coordinates: [[Double]]) -> Double {
        let varying = coordinates.filter { ($0.max() ?? 0) - ($0.min() ?? 0) > binaryTolerance }
        return units.first { unit in
            varying.contains { $0.allSatisfy { abs($0 - ($0 / unit).rounded() * unit) < binaryTolerance } }
        } ?? 0
    }

    /// Whether no position is further from the fitted line than rounding, which moves it by half a unit, explains. The
    /// line is the one whose largest distance from a position is least.
    private static func liesOnLine(_ places: [Double], rounding unit: Double) -> Bool {
        func distance(_ step: Double) -> Double {
            let offsets = places.enumerated().map { $1 - Double($0) * step }
            return ((offsets.max() ?? 0) - (offsets.min() ?? 0)) / 2
        }
        // The distance is a convex function of the step, so that thirds of the range can be left out.
        let gaps = zip(places.dropFirst(), places).map { $0 - $1 }
        var (low, high) = (gaps.min() ?? 0, gaps.max() ?? 0)
        for _ in 0..<60 {
            let (left, right) = (low + (high - low) / 3, high - (high - low) / 3)
            if distance(left) < distance(right) { high = right } else { low = left }
        }
        let step = (low + high) / 2
        let rounding = min(unit / 2 + binaryTolerance, roundingLimit * step)
        return distance(step) <= max(lineTolerance * step, rounding)
    }
}
