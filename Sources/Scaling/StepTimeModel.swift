/// Predicts how long a synchronous step takes on more ranks than there are, from what was measured on few.
///
/// A step is as long as its slowest rank computes, and what of the reduction is not hidden behind the backward pass:
///
///     step = E[max over ranks of the compute time] + max(reduction − hidden, reduction · late)
///
/// Limits: ranks are equal and independent, the network between hosts is as wide as their links (no blocking in its
/// core), nothing else uses it, and the data comes fast enough.
public struct StepTimeModel: Sendable {
    public var compute: ComputeTimes
    public var interconnect: Interconnect
    /// Of the summed vector.
    public var bytes: Double
    public var ranksPerHost: Int
    /// Seconds of the backward pass during which finished buckets can be summed; 0 without overlap.
    public var hiddenSeconds: Double
    /// The share of the vector that is only complete when backward ends: its sum is always waited for.
    public var lateShare: Double
    public var stragglers: Stragglers

    /// Ranks that are slow now and then, beyond what was measured: other jobs, heat, failing memory.
    public struct Stragglers: Sendable {
        /// In a step, of all ranks.
        public var share: Double
        /// How many times as long they take.
        public var slowdown: Double

        public static let none = Stragglers(share: 0, slowdown: 1)

        public init(share: Double, slowdown: Double) {
            self.share = share
            self.slowdown = slowdown
        }
    }

    /// A step on so many ranks; times in s.
    public struct Prediction: Hashable, Codable, Sendable {
        public var ranks: Int
        public var algorithm: ReductionAlgorithm
        /// What a rank computes, on average.
        public var compute: Double
        /// What an average rank waits for the slowest.
        public var waiting: Double
        /// The whole reduction, and what of it backward does not hide.
        public var reduction: Double
        public var exposed: Double
        public var step: Double
        /// The throughput of each rank, as a share of that of one alone.
        public var efficiency: Double
    }

    public init(
        compute: ComputeTimes, interconnect: Interconnect, bytes: Double, ranksPerHost: Int,
        hiddenSeconds: Double = 0, lateShare: Double = 1, stragglers: Stragglers = .none
    ) {
        self.compute = compute
        self.interconnect = interconnect
        self.bytes = bytes
        self.ranksPerHost = ranksPerHost
        self.hiddenSeconds = hiddenSeconds
        self.lateShare = lateShare
        self.stragglers = stragglers
    }

    public func prediction(ranks: Int, algorithm: ReductionAlgorithm) -> Prediction {
        let slowest = slowest(of: ranks)
        let reduction = algorithm.seconds(
            bytes: bytes, ranks: ranks, ranksPerHost: ranksPerHost, over: interconnect)
        let exposed = max(reduction - hiddenSeconds, reduction * lateShare)
        let step = slowest + exposed
        return Prediction(
            ranks: ranks, algorithm: algorithm, compute: compute.mean, waiting: slowest - compute.mean,
            reduction: reduction, exposed: exposed, step: step, efficiency: slowestAlone / step)
    }

    private var slowestAlone: Double { slowest(of: 1) }

    /// The slowest rank's compute time, s, on average. With a chance of (1 − share)ⁿ no rank straggles; else the slowest
    /// straggler counts, of as many as there are then on average.
    private func slowest(of ranks: Int) -> Double {
        let usual = compute.expectedMaximum(of: ranks)
        guard stragglers.share > 0 else { return usual }
        var none = 1.0
        for _ in 0..<ranks { none *= 1 - stragglers.share }
        let some = 1 - none
        let expected = max(1, (Double(ranks) * stragglers.share / some).rounded())
        let slow = stragglers.slowdown * compute.expectedMaximum(of: Int(expected))
        return none * usual + some * max(usual, slow)
    }
}
