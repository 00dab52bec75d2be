import Detection
import Exchange
import PatchData

/// All that defines an experiment: the keys of the YAML file, with the preset's values where the file is silent.
public struct TrainingConfiguration: Hashable, Sendable {
    public var preset = Preset.luna16
    public var seed = 0
    public var replicas = 8
    public var microBatch = 1
    public var cropSize = 96
    public var epochs = 150
    public var stepsPerEpoch: Int?
    public var validationFold: Int? = 0
    public var learningRate = 0.01
    public var momentum = 0.9
    public var weightDecay = 0.0001
    public var dropout = 0.2
    public var augment = Augmentation()
    public var reduction = ReductionMode.tree
    public var gradientExchange = GradientExchange.float32
    public var overlap = OverlapMode.thread
    // With local steps: what is shared every so many steps, and by whom.
    public var localSteps: Int?
    public var sites = 1
    public var outerLearningRate = 0.7
    public var outerMomentum = 0.9
    public var threads: Int?
    public var checkpointEverySteps: Int?
    public var checkpointEveryEpochs = 1
    public var keepCheckpoints = 3
    public var initialWeights: String?
    public var evaluateEveryEpochs: Int?
    public var evaluateMemoryMiB = 1024
    public var stallWarningSeconds: Int? = 60
    public var stallLimitSeconds: Int? = 600
    // Beyond the recipe; off unless set.
    public var schedule = Schedule.preset
    public var warmupSteps = 0
    public var outputPrior: Double?
    public var zeroInitResidual = false
    public var regressionWeight = 1.0

    public init() {}

    /// The values that a preset gives.
    public init(preset: Preset) {
        self.preset = preset
        cropSize = preset.cropSize
        epochs = preset == .luna16 ? 150 : 100
    }

    /// Whether the held-out scans are searched after an epoch: after every so many, and after the last.
    func evaluates(epoch: Int) -> Bool {
        guard validationFold != nil, let every = evaluateEveryEpochs else { return false }
        return epoch % every == 0 || epoch == epochs
    }

    /// The part that determines the samples.
    public var sampling: SamplingConfiguration {
        SamplingConfiguration(
            preset: preset, cropSize: cropSize, seed: UInt64(bitPattern: Int64(seed)), validationFold: validationFold,
            replicas: replicas, microBatch: microBatch, augmentation: augment)
    }

    /// What makes this configuration impossible, if anything does: the key and what it may be.
    var fault: (key: String, text: String)? {
        func positive(_ key: String, _ value: Int?, upTo limit: Int) -> (String, String)? {
            guard let value, !(1...limit ~= value) else { return nil }
            return (key, "\(value), expected 1 to \(limit)")
        }
        if cropSize < 32 || cropSize % 16 != 0 || cropSize > 512 {
            return ("crop_size", "\(cropSize), expected a multiple of 16 from 32 to 512")
        }
        if let fold = validationFold, !(0..<10 ~= fold) {
            return ("validation_fold", "\(fold), expected 0 to 9 or null")
        }
        if !(learningRate > 0 && learningRate.isFinite) {
            return ("learning_rate", "\(learningRate), expected a positive number")
        }
        if !(0..<1 ~= momentum) { return ("momentum", "\(momentum), expected 0 up to, not including, 1") }
        if !(weightDecay >= 0 && weightDecay.isFinite) { return ("weight_decay", "\(weightDecay), expected 0 or more") }
        if !(0..<1 ~= dropout) { return ("dropout", "\(dropout), expected 0 up to, not including, 1") }
        if let prior = outputPrior, !(prior > 0 && prior < 1) {
            return ("output_prior", "\(prior), expected between 0 and 1, or null")
        }
        if !(regressionWeight > 0 && regressionWeight.isFinite) {
            return ("regression_weight", "\(regressionWeight), expected a positive number")
        }
        if evaluateEveryEpochs != nil && validationFold == nil {
            return ("evaluate_every_epochs", "there are no held-out scans while validation_fold is null")
        }
        if let limit = stallLimitSeconds, let warning = stallWarningSeconds, limit < warning {
            return ("stall_limit_seconds", "\(limit), expected at least stall_warning_seconds, \(warning), or null")
        }
        if gradientExchange != .float32 && reduction != .tree {
            return ("gradient_exchange", "\(gradientExchange.rawValue) needs reduction: tree")
        }
        if localSteps != nil && reduction != .tree { return ("local_steps", "needs reduction: tree") }
        if sites > 1 && localSteps == nil { return ("sites", "\(sites), expected 1 without local_steps") }
        if sites.nonzeroBitCount != 1 || sites < 1 || replicas % sites != 0 {
            return ("sites", "\(sites), expected a power of two that divides replicas, \(replicas)")
        }
        let standard = TrainingConfiguration()
        if localSteps == nil && outerLearningRate != standard.outerLearningRate {
            return ("outer_learning_rate", "needs local_steps")
        }
        if localSteps == nil && outerMomentum != standard.outerMomentum {
            return ("outer_momentum", "needs local_steps")
        }
        if !(outerLearningRate > 0 && outerLearningRate.isFinite) {
            return ("outer_learning_rate", "\(outerLearningRate), expected a positive number")
        }
        if !(0..<1 ~= outerMomentum) {
            return ("outer_momentum", "\(outerMomentum), expected 0 up to, not including, 1")
        }
        if warmupSteps < 0 { return ("warmup_steps", "\(warmupSteps), expected 0 or more") }
        if seed < 0 { return ("seed", "\(seed), expected 0 or more") }
        let counts: [(key: String, value: Int?, limit: Int)] = [
            ("replicas", replicas, 65_536), ("micro_batch", microBatch, 4_096), ("epochs", epochs, .max),
            ("steps_per_epoch", stepsPerEpoch, .max), ("local_steps", localSteps, .max), ("threads", threads, 4_096),
            ("checkpoint_every_steps", checkpointEverySteps, .max),
            ("checkpoint_every_epochs", checkpointEveryEpochs, .max), ("keep_checkpoints", keepCheckpoints, .max),
            ("evaluate_every_epochs", evaluateEveryEpochs, .max), ("evaluate_memory_mib", evaluateMemoryMiB, 1 << 24),
            ("stall_warning_seconds", stallWarningSeconds, .max), ("stall_limit_seconds", stallLimitSeconds, .max),
        ]
        return counts.lazy.compactMap { positive($0.key, $0.value, upTo: min($0.limit, 1_000_000_000)) }.first
    }
}
