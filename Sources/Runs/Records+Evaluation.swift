/// One line of the log for an evaluation on whole held-out scans.
public struct FROCRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "froc"
    /// The epoch after which the evaluation was made, from 1.
    @Logged public var epoch: Int
    /// Completed steps.
    public var step: Int
    /// The mean sensitivity at the seven rates.
    @Logged public var cpm: Double
    /// The sensitivity at 1/8 … 8 false positives per scan, seven values.
    @Logged public var sensitivity: [Double]
    /// Scans that were searched.
    @Logged public var scans: Int
    /// Nodules in the scans.
    @Logged public var nodules: Int
    /// Nodules that were found.
    @Logged public var detected: Int
    /// Candidates that are no nodule.
    @Logged public var falsePositives: Int
    /// Whether no earlier evaluation was better.
    @Logged public var isBest: Bool
    /// Seconds that the evaluation took on rank 0.
    @Logged public var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case kind, epoch, step, cpm, sensitivity, scans, nodules, detected, falsePositives, seconds
        case isBest = "best"
    }

    /// Creates a line from its members.
    public init(
        epoch: Int, step: Int, cpm: Double, sensitivity: [Double], scans: Int, nodules: Int, detected: Int,
        falsePositives: Int, isBest: Bool, seconds: Double
    ) {
        self.epoch = epoch
        self.step = step
        self.cpm = cpm
        self.sensitivity = sensitivity
        self.scans = scans
        self.nodules = nodules
        self.detected = detected
        self.falsePositives = falsePositives
        self.isBest = isBest
        self.seconds = seconds
    }
}
