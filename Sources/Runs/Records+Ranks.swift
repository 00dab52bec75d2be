// The log's lines for what several ranks, or sites, did.

/// One line of the log for the ranks' work in some steps.
public struct RanksRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "ranks"
    /// The epoch of the last of the steps, from 1.
    @Logged public var epoch: Int
    /// Completed steps; the record is about the last `steps` of them.
    public var step: Int
    /// The number of steps that the line is about.
    @Logged public var steps: Int
    /// Seconds per step that the fastest rank worked. Here and below, work includes waiting for data, but not for other
    /// ranks.
    @Logged public var minimumSeconds: Double
    /// Seconds per step that an average rank worked.
    @Logged public var meanSeconds: Double
    /// Seconds per step that the rank in the middle worked.
    @Logged public var medianSeconds: Double
    /// Seconds per step that the slowest rank worked.
    @Logged public var maximumSeconds: Double
    /// The rank that worked longest.
    @Logged public var slowestRank: Int
    /// The name of the slowest rank's host.
    @Logged public var slowestHost: String
    /// Seconds per step that the slowest rank waited for data.
    @Logged public var slowestDataSeconds: Double
    /// Seconds per step that an average rank waited for data.
    @Logged public var meanDataSeconds: Double

    /// Creates a line from its members.
    public init(
        epoch: Int, step: Int, steps: Int, minimumSeconds: Double, meanSeconds: Double, medianSeconds: Double,
        maximumSeconds: Double, slowestRank: Int, slowestHost: String, slowestDataSeconds: Double,
        meanDataSeconds: Double
    ) {
        self.epoch = epoch
        self.step = step
        self.steps = steps
        self.minimumSeconds = minimumSeconds
        self.meanSeconds = meanSeconds
        self.medianSeconds = medianSeconds
        self.maximumSeconds = maximumSeconds
        self.slowestRank = slowestRank
        self.slowestHost = slowestHost
        self.slowestDataSeconds = slowestDataSeconds
        self.meanDataSeconds = meanDataSeconds
    }
}

/// One line of the log for a round of local steps, which ends with an outer update.
public struct RoundRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "round"
    /// The epoch that the round belongs to, from 1.
    @Logged public var epoch: Int
    /// Completed steps.
    public var step: Int
    /// The Euclidean norm of the round's change of the parameters, averaged over sites.
    @Logged public var meanNorm: Double
    /// The root mean square of the sites' own norms: equal to `meanNorm` where all sites went the same way, and √sites
    /// times as much where each went its own.
    @Logged public var siteNorm: Double
    /// Seconds that the round's end took on rank 0, waiting for slower sites included; a part of its step's.
    @Logged public var seconds: Double
    /// Bytes that a site sent to others; it received as many.
    @Logged public var exchangedBytes: Int

    /// Creates a line from its members.
    public init(epoch: Int, step: Int, meanNorm: Double, siteNorm: Double, seconds: Double, exchangedBytes: Int) {
        self.epoch = epoch
        self.step = step
        self.meanNorm = meanNorm
        self.siteNorm = siteNorm
        self.seconds = seconds
        self.exchangedBytes = exchangedBytes
    }
}

/// One line of the log for messages from sites beyond the first, about steps that they left out.
public struct NoticeRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "notice"
    /// Completed steps when the message was written.
    public var step: Int
    /// The message, for people.
    @Logged public var text: String

    /// Creates a line from its members.
    public init(step: Int, text: String) {
        self.step = step
        self.text = text
    }
}
