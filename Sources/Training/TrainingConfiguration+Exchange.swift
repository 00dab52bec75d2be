import Exchange
import Networks

extension TrainingConfiguration {
    /// Bytes that the exchange between ranks takes beyond the vector that `memoryBesideStep` counts for other ranks'
    /// values: with bfloat16 once more as much, and a little for every rank.
    public func exchangeBytes(ranks: Int) -> Int {
        let ranks = ranks / sites
        guard ranks > 1, reduction == .tree else { return 0 }
        let gradients = network.parameters.count
        let buckets = GradientBuckets(
            order: [gradients..<reductionCount] + network.backwardOrder, gradients: gradients,
            bytes: GradientBuckets.bytes(ranks: ranks))
        return buckets.exchangeBytes(gradientExchange, ranks: ranks) - 4 * reductionCount
    }
}
