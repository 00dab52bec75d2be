// The lines of a run's log, and of its steps: written by whoever trains, read by whoever reports.

/// One line of the log for the beginning of a run, or its resumption.
public struct StartRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "start"
    /// Completed steps.
    public var step: Int
    /// The names of the ranks' hosts, by rank.
    @Logged public var hosts: [String]
    /// The number of threads of each rank.
    @Logged public var threads: Int
    /// The number of replicas of the whole job.
    @Logged public var replicas: Int
    /// The number of crops per replica and step.
    @Logged public var microBatch: Int
    /// Bytes of the vector that is summed over the ranks in each step, as it travels.
    @Logged public var reducedBytes: Int
    /// The number of local steps in a round; nil without local steps.
    public var localSteps: Int?
    /// The number of sites that make local steps; 1 without them.
    @Logged public var sites: Int
    /// The name of the instruction set.
    @Logged public var arithmetic: String

    /// Creates a line from its members.
    public init(
        step: Int, hosts: [String], threads: Int, replicas: Int, microBatch: Int, reducedBytes: Int,
        localSteps: Int? = nil, sites: Int, arithmetic: String
    ) {
        self.step = step
        self.hosts = hosts
        self.threads = threads
        self.replicas = replicas
        self.microBatch = microBatch
        self.reducedBytes = reducedBytes
        self.localSteps = localSteps
        self.sites = sites
        self.arithmetic = arithmetic
    }
}

/// One line of the log for a training step; with local steps, for a step of the first site.
public struct StepRecord: Codable, Hashable, Sendable {
    /// The name of this kind of line.
    public private(set) var kind = "step"
    /// The epoch that the step belongs to, from 1.
    @Logged public var epoch: Int
    /// Completed steps, this one included.
    public var step: Int
    /// The step's learning rate.
    @Logged public var learningRate: Double
    /// The whole loss.
    @Logged public var loss: Double
    /// The part of the loss for telling nodules from other tissue.
    @Logged public var classification: Double
    /// The parts of the loss for z, y, x and the diameter.
    @Logged public var regression: [Double]
    /// Cells with a nodule.
    @Logged public var positives: Double
    /// Cells with a nodule that have p ≥ 0.5.
    @Logged public var positivesCorrect: Double
    /// Cells without a nodule that were mined.
    @Logged public var negatives: Double
    /// Mined cells without a nodule that have p < 0.5.
    @Logged public var negativesCorrect: Double
    /// The Euclidean norm of the gradient; not finite where the step was left out.
    @Logged public var gradientNorm: Double
    /// Whether the step was left out because its gradient was not finite.
    @Logged public var skipped: Bool
    /// The series whose crops gave the step no finite gradient; nil where there are none.
    public var skippedSeries: [String]?
    /// Seconds of the whole step on rank 0.
    @Logged public var seconds: Double
    /// Seconds that rank 0 waited for data.
    @Logged public var dataSeconds: Double
    /// Seconds that rank 0 waited, after its backward pass, for the gradients' sum: the part of the exchange that is
    /// not hidden, and waits for slower ranks.
    @Logged public var reduceSeconds: Double
    /// Seconds that rank 0 worked itself, including waits for data, but not for other ranks.
    @Logged public var workSeconds: Double
    /// Crops per second of all ranks.
    @Logged public var patchesPerSecond: Double

    /// Creates a line from its members.
    public init(
        epoch: Int, step: Int, learningRate: Double, loss: Double, classification: Double, regression: [Double],
        positives: Double, positivesCorrect: Double, negatives: Double, negativesCorrect: Double,
        gradientNorm: Double, skipped: Bool, skippedSeries: [String]? = nil, seconds: Double, dataSeconds: Double,
        reduceSeconds: Double, workSeconds: Double, patchesPerSecond: Double
    ) {
        self.epoch = epoch
        self.step = step
        self.learningRate = learningRate
        self.loss = loss
        self.classification = classification
        self.regression = regression
        self.positives = positives
        self.positivesCorrect = positivesCorrect
        self.negatives = negatives
        self.negativesCorrect = negativesCorrect
        self.gradientNorm = gradientNorm
        self.skipped = skipped
        self.skippedSeries = skippedSeries
        self.seconds = seconds
        self.dataSeconds = dataSeconds
        self.reduceSeconds = reduceSeconds
        self.workSeconds = workSeconds
        self.patchesPerSecond = patchesPerSecond
    }
}

/// One line of the log for an epoch's training or validation.
public struct EpochRecord: Codable, Hashable, Sendable {
    /// The subject of an epoch's record.
    public enum Phase: String, Codable, Sendable {
        /// The training steps of the epoch.
        case train
        /// The loss on held-out crops.
        case validation
    }

    /// Whether the line is about training or validation.
    public var phase: Phase
    /// The epoch, from 1.
    @Logged public var epoch: Int
    /// Completed steps.
    public var step: Int
    /// The whole loss, on average.
    @Logged public var loss: Double
    /// The part of the loss for telling nodules from other tissue.
    @Logged public var classification: Double
    /// The parts of the loss for z, y, x and the diameter.
    @Logged public var regression: [Double]
    /// Positives with p ≥ 0.5, over all positives; nil without positives.
    public var truePositiveRate: Double?
    /// Negatives with p < 0.5, over all (in training: all mined) negatives.
    public var trueNegativeRate: Double?
    /// Cells with a nodule.
    @Logged public var positives: Double
    /// Cells without a nodule; in training those that were mined.
    @Logged public var negatives: Double
    /// The steps that were left out because their gradients were not finite; nil where there are none.
    public var skipped: Int?

    private enum CodingKeys: String, CodingKey {
        case epoch, step, loss, classification, regression, truePositiveRate, trueNegativeRate, positives, negatives,
            skipped
        case phase = "kind"
    }

    /// Creates a line from its members.
    public init(
        phase: Phase, epoch: Int, step: Int, loss: Double, classification: Double, regression: [Double],
        truePositiveRate: Double? = nil, trueNegativeRate: Double? = nil, positives: Double, negatives: Double,
        skipped: Int? = nil
    ) {
        self.phase = phase
        self.epoch = epoch
        self.step = step
        self.loss = loss
        self.classification = classification
        self.regression = regression
        self.truePositiveRate = truePositiveRate
        self.trueNegativeRate = trueNegativeRate
        self.positives = positives
        self.negatives = negatives
        self.skipped = skipped
    }
}
