/// A prediction of how long a synchronous step takes on more ranks than there are, from what was measured on few.
///
/// A step takes as long as its slowest rank computes, and then what the backward pass does not hide of the reduction:
///
///     step = E[max over ranks of the compute time] + max(reduction − hidden, reduction · late)
///
/// Limits: ranks are equal and independent, the network between hosts is as wide as their links (no blocking in its
/// core), nothing else uses it, and the data comes fast enough.
public struct StepTimeModel: Sendable {
    /// The time that a rank computes in a step.
    public var compute: ComputeTimes
    /// The links between the ranks.
    public var interconnect: Interconnect
    /// The size of the summed vector, bytes.
    public var bytes: Double
    /// The ranks of a full host.
    public var ranksPerHost: Int
    /// The time of the backward pass during which finished buckets can be summed, s; 0 without overlap.
    public var hiddenSeconds: Double
    /// The share of the vector that is only complete when backward ends: its sum is always waited for.
    public var lateShare: Double
    /// The ranks that are slow now and then.
    public var stragglers: Stragglers

    /// Ranks that are slow now and then, beyond what was measured: other jobs, heat, failing memory.
    public struct Stragglers: Sendable {
        /// The share of all ranks that is slow in a step.
        public var share: Double
        /// The factor by which their steps take longer.
        public var slowdown: Double

        /// A job without such ranks.
        public static let none = Stragglers(share: 0, slowdown: 1)

        /// Makes a description from its two numbers.
        public init(share: Double, slowdown: Double) {
            self.share = share
            self.slowdown = slowdown
        }
    }

    /// A step on so many ranks; times in s.
    public struct Prediction: Hashable, Codable, Sendable {
        /// The number of ranks.
        public var ranks: Int
        /// The way of the reduction.
        public var algorithm: ReductionAlgorithm
        /// The time that a rank computes, on average.
        public var compute: Double
        /// The time that an average rank waits for the slowest.
        public var waiting: Double
        /// The whole reduction.
        public var reduction: Double
        /// The part of the reduction that the backward pass does not hide.
        public var exposed: Double
        /// The whole step.
        public var step: Double
        /// The throughput of each rank, as a share of that of one alone.
        public var efficiency: Double
    }

    /// Makes a model from its parts.
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

    /// Predicts a step on so many ranks.
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

    /// Returns the slowest rank's compute time, s, on average. With a chance of (1 − share)ⁿ no rank straggles; else
    /// the slowest straggler counts, of as many as there are then on average.
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
