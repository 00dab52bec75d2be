extension Sequence where Element == Double {
    /// The middle one in order; of an even number the mean of the two in the middle, of none nil.
    public var median: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// The same, but of an even number the lower of the two in the middle: always one of the numbers.
    public var lowerMedian: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }
}
