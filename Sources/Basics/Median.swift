extension Sequence where Element == Double {
    /// The median: the middle one of the sorted numbers, the mean of the middle two if their count is even, nil if
    /// there are none.
    public var median: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// The lower median: as `median`, but the lower of the middle two if the count is even, so that it is always one of
    /// the numbers.
    public var lowerMedian: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }
}
