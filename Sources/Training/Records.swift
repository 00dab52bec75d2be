// What a run reports, to its log and to whoever watches.

import Detection
import Inference

/// One line of the log for the beginning of a run, or of its going on.
public struct StartRecord: Encodable, Sendable {
    public let kind = "start"
    /// Completed steps.
    public var step: Int
    /// Names of hosts, a rank each.
    public var hosts: [String]
    /// Of each rank.
    public var threads: Int
    public var replicas: Int
    public var microBatch: Int
    /// Of the vector that is summed over the ranks in each step, as it travels.
    public var reducedBytes: Int
    /// With local steps, how many there are in a round, and the sites that make them.
    public var localSteps: Int?
    public var sites: Int
    /// The instruction set.
    public var arithmetic: String

    private enum CodingKeys: String, CodingKey {
        case kind, step, hosts, threads, replicas, sites, arithmetic
        case localSteps = "local_steps"
        case microBatch = "micro_batch"
        case reducedBytes = "reduced_bytes"
    }
}

/// One line of the log for a round of local steps, which ends with an outer update.
public struct RoundRecord: Encodable, Sendable {
    public let kind = "round"
    public var epoch: Int
    /// Completed steps.
    public var step: Int
    /// The Euclidean norm of the mean over sites of what the round changed in the parameters; and the root mean square of
    /// the sites' own norms. Sites that go the same way have both alike; those that go their own, √sites apart.
    public var meanNorm: Double
    public var siteNorm: Double
    /// Of rank 0, waiting for slower sites included; a part of its step's.
    public var seconds: Double
    /// What a site sent to others, and received.
    public var exchangedBytes: Int

    private enum CodingKeys: String, CodingKey {
        case kind, epoch, step, seconds
        case meanNorm = "mean_norm"
        case siteNorm = "site_norm"
        case exchangedBytes = "exchanged_bytes"
    }
}

/// One line of the log for what sites beyond the first have to tell: steps that they left out.
public struct NoticeRecord: Encodable, Sendable {
    public let kind = "notice"
    /// Completed steps when it was told.
    public var step: Int
    public var text: String
}

/// One line of the log for a training step; with local steps, of the first site's.
public struct StepRecord: Encodable, Sendable {
    public let kind = "step"
    public var epoch: Int
    /// Completed steps, this one included.
    public var step: Int
    public var learningRate: Double
    public var terms: LossTerms
    public var gradientNorm: Double
    /// Whether the step was left out because its gradient was not finite.
    public var skipped: Bool
    /// The series whose crops gave the step no finite gradient.
    public var skippedSeries: [String] = []
    /// Seconds of rank 0: the whole step; waiting for data; after the backward pass, waiting for gradients to be summed,
    /// which counts what of the exchange is not hidden and how long others took.
    public var seconds: Double
    public var dataSeconds: Double
    public var reduceSeconds: Double
    /// What rank 0 did itself in the step, waiting for data included, waiting for other ranks not.
    public var workSeconds: Double
    public var patchesPerSecond: Double

    private enum CodingKeys: String, CodingKey {
        case kind, epoch, step, loss, classification, regression, skipped, seconds, positives, negatives
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case skippedSeries = "skipped_series"
        case dataSeconds = "data_seconds"
        case reduceSeconds = "reduce_seconds"
        case workSeconds = "work_seconds"
        case patchesPerSecond = "patches_per_second"
        case positivesCorrect = "positives_correct"
        case negativesCorrect = "negatives_correct"
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(kind, forKey: .kind)
        try c.encode(epoch, forKey: .epoch)
        try c.encode(step, forKey: .step)
        try c.encode(terms.total, forKey: .loss)
        try c.encode(terms.classification, forKey: .classification)
        try c.encode(terms.regression, forKey: .regression)
        try c.encode(terms.positives, forKey: .positives)
        try c.encode(terms.positivesCorrect, forKey: .positivesCorrect)
        try c.encode(terms.negatives, forKey: .negatives)
        try c.encode(terms.negativesCorrect, forKey: .negativesCorrect)
        try c.encode(learningRate, forKey: .learningRate)
        try c.encode(gradientNorm, forKey: .gradientNorm)
        try c.encode(skipped, forKey: .skipped)
        if !skippedSeries.isEmpty { try c.encode(skippedSeries, forKey: .skippedSeries) }
        try c.encode(seconds, forKey: .seconds)
        try c.encode(dataSeconds, forKey: .dataSeconds)
        try c.encode(reduceSeconds, forKey: .reduceSeconds)
        try c.encode(workSeconds, forKey: .workSeconds)
        try c.encode(patchesPerSecond, forKey: .patchesPerSecond)
    }
}

/// One line of the log for an epoch's training or validation.
public struct EpochRecord: Encodable, Sendable {
    public enum Phase: String, Encodable, Sendable { case train, validation }

    public var phase: Phase
    public var epoch: Int
    public var step: Int
    public var loss: Double
    public var classification: Double
    public var regression: [Double]
    /// Positives with p ≥ 0.5, over all positives; nil without positives.
    public var truePositiveRate: Double?
    /// Negatives with p < 0.5, over all (in training: all mined) negatives.
    public var trueNegativeRate: Double?
    public var positives: Double
    public var negatives: Double

    /// - Parameters:
    ///   - terms: Sums over `parts` steps, or one validation.
    init(_ phase: Phase, epoch: Int, step: Int, terms: LossTerms, parts: Int) {
        self.phase = phase
        self.epoch = epoch
        self.step = step
        let share = 1 / Double(max(1, parts))
        loss = terms.total * share
        classification = terms.classification * share
        regression = terms.regression.map { $0 * share }
        truePositiveRate = terms.positives > 0 ? terms.positivesCorrect / terms.positives : nil
        trueNegativeRate = terms.negatives > 0 ? terms.negativesCorrect / terms.negatives : nil
        positives = terms.positives
        negatives = terms.negatives
    }

    private enum CodingKeys: String, CodingKey {
        case phase = "kind"
        case epoch, step, loss, classification, regression, positives, negatives
        case truePositiveRate = "true_positive_rate"
        case trueNegativeRate = "true_negative_rate"
    }
}

/// One line of the log for an evaluation on whole held-out scans.
public struct FROCRecord: Encodable, Sendable {
    public let kind = "froc"
    public var epoch: Int
    public var step: Int
    public var cpm: Double
    /// At `FROC.rates` false positives per scan.
    public var sensitivity: [Double]
    public var scans: Int
    public var nodules: Int
    public var detected: Int
    public var falsePositives: Int
    /// Whether no evaluation before was better.
    public var isBest: Bool
    public var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case kind, epoch, step, cpm, sensitivity, scans, nodules, detected, seconds
        case falsePositives = "false_positives"
        case isBest = "best"
    }
}

/// What happens in a run, told on rank 0.
public enum TrainingEvent: Sendable {
    case resumed(from: String, epoch: Int, step: Int)
    case step(StepRecord, ofSteps: Int)
    case epoch(EpochRecord)
    /// The search of the held-out scans goes on.
    case searching(ScanSearch.Progress)
    case froc(FROCRecord)
    case checkpoint(path: String)
    /// Something that a person should know.
    case warning(String)
}
