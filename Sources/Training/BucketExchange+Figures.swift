// What an exchange in buckets takes, and what its messages are called.

import Network

extension BucketExchange {
    /// Bytes of the memory for values as they arrive and leave.
    static func bytes(_ buckets: GradientBuckets, exchange: GradientExchange, ranks: Int) -> Int {
        let values = buckets.buckets.reduce(0) { $0 + $1.range.count + ranks }
        return values * (MemoryLayout<Float>.stride + (exchange == .bfloat16 ? 2 * MemoryLayout<UInt16>.stride : 0))
    }

    /// Of messages that carry what a site has for itself; no bucket's.
    static let siteTag = 32_767

    /// The name of what travels with a tag of `start`, for people: buckets count from 1.
    static func round(ofTag tag: Int) -> String {
        tag == siteTag
            ? "site's state"
            : "bucket \(tag / 2 + 1) \(tag.isMultiple(of: 2) ? "collected" : "shared")"
    }
}

extension TrainingConfiguration {
    /// Bytes that the exchange between ranks takes beyond the vector that `memoryBesideStep` counts for other ranks' values:
    /// with bfloat16 once more as much, and a little for every rank.
    public func exchangeBytes(ranks: Int) -> Int {
        let ranks = ranks / sites
        guard ranks > 1, reduction == .tree else { return 0 }
        let gradients = NoduleNetwork.parameters.count
        let buckets = GradientBuckets(
            order: [gradients..<Self.reductionCount] + NoduleNetwork.backwardOrder, gradients: gradients,
            bytes: GradientBuckets.bytes(ranks: ranks))
        return BucketExchange.bytes(buckets, exchange: gradientExchange, ranks: ranks) - 4 * Self.reductionCount
    }
}
