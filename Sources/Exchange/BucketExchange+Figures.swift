// The memory that an exchange in buckets takes, and the names of its messages.

extension GradientBuckets {
    /// The bytes that an exchange between ranks has for values as they arrive and leave.
    ///
    /// - Parameters:
    ///   - exchange: The numbers that are exchanged.
    ///   - ranks: The number of ranks that exchange them.
    public func exchangeBytes(_ exchange: GradientExchange, ranks: Int) -> Int {
        let values = buckets.reduce(0) { $0 + $1.range.count + ranks }
        return values * (MemoryLayout<Float>.stride + (exchange == .bfloat16 ? 2 * MemoryLayout<UInt16>.stride : 0))
    }
}

extension GradientReduction {
    /// A tag that no bucket's messages have, for messages that travel between steps.
    public static let spareTag = 32_767

    /// The name of the message with a bucket's tag, for people: buckets count from 1.
    public static func messageName(tag: Int) -> String {
        "bucket \(tag / 2 + 1) \(tag.isMultiple(of: 2) ? "collected" : "shared")"
    }
}
