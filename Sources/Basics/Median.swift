extension Sequence where Element == Double {
    /// The number in the middle of the order; of an even count the mean of the two in the middle, of none nil.
    public var median: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// The number in the middle of the order; of an even count the lower of the two, so that it is one of the numbers.
    public var lowerMedian: Double? {
        let sorted = sorted()
        return sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }
}
