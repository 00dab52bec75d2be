import Exchange

extension TrainingConfiguration {
    /// The rank counts that can share the replicas, from the smallest; none where `reduction` refuses the replicas.
    public var rankCounts: [Int] {
        let isRefused = reduction == .tree && replicas.nonzeroBitCount != 1
        return isRefused ? [] : (1...replicas).filter { replicas % $0 == 0 }
    }
}
