import Detection
import Exchange
import Learning
import Networks
import PatchData

extension Preset {
    /// The length of an experiment.
    var epochs: Int {
        switch self {
        case .luna16: 150
        case .luna, .dsb2017: 100
        }
    }
}

/// The definition of an experiment: the keys of the YAML file, with the preset's values for keys that the file lacks.
public struct TrainingConfiguration: Hashable, Sendable {
    /// The constants that the other keys begin with.
    public var preset: Preset
    /// The network that learns.
    public var network = Architecture.standard
    /// The meaning of the network's output, and the loss.
    public var recipe = RecipeName.published
    /// The way in which gradients change the parameters.
    public var optimizer = OptimizerName.sgd
    /// The seed of weights, sample order, augmentation and dropout.
    public var seed = 0
    /// The number of data-parallel workers, whatever ranks share them.
    public var replicas = 8
    /// The number of crops per replica and step.
    public var microBatch = 1
    /// The number of voxels along each axis of a crop.
    public var cropSize: Int
    /// The number of epochs to train.
    public var epochs: Int
    /// The number of steps in an epoch; nil: as many as the list of samples fills.
    public var stepsPerEpoch: Int?
    /// The LUNA16 subset to hold out; nil: none.
    public var validationFold: Int? = 0
    /// The learning rate at the start of the schedule.
    public var learningRate = 0.01
    /// The momentum of stochastic gradient descent.
    public var momentum = 0.9
    /// The decay of every parameter.
    public var weightDecay = 0.0001
    /// The share of the gradient's running mean that `adamw` keeps.
    public var adamBeta1 = 0.9
    /// The share of the squared gradient's running mean that `adamw` keeps.
    public var adamBeta2 = 0.999
    /// The number that `adamw` adds to the root of that mean.
    public var adamEpsilon = 1e-8
    /// The probability with which a channel before the head is dropped.
    public var dropout = 0.2
    /// The random changes that are made to crops.
    public var augment = Augmentation()
    /// The norm of the gradient above which it is scaled down to it; nil: it is taken as it is.
    public var gradientClip: Double?
    /// The way in which gradients are summed.
    public var reduction = ReductionMode.tree
    /// The numbers in which gradients are summed.
    public var gradientExchange = GradientExchange.float32
    /// The part that the mean of the weights keeps of itself at each step; nil: there is no mean.
    public var ema: Double?
    /// The time at which gradients are exchanged.
    public var overlap = OverlapMode.thread
    /// The number of steps that each site makes by itself before an outer update; nil: sites share every step.
    public var localSteps: Int?
    /// The number of groups of replicas that train by themselves between outer updates.
    public var sites = 1
    /// The share of the sites' mean movement that an outer update takes.
    public var outerLearningRate = 0.7
    /// The Nesterov momentum of outer updates.
    public var outerMomentum = 0.9
    /// The number of threads of each rank; nil: one for each core that the rank may use.
    public var threads: Int?
    /// The number of steps between checkpoints within an epoch; nil: there are none.
    public var checkpointEverySteps: Int?
    /// The number of epochs between checkpoints.
    public var checkpointEveryEpochs = 1
    /// The number of newest checkpoints to keep.
    public var keepCheckpoints = 3
    /// The path of a checkpoint or weight file to start from.
    public var initialWeights: String?
    /// The number of epochs between searches of the held-out scans; nil: they are never searched.
    public var evaluateEveryEpochs: Int?
    /// The memory that a rank may take for such a search, in MiB.
    public var evaluateMemoryMiB = 1024
    /// The time without anything done after which a warning is given, in s; nil: never.
    public var stallWarningSeconds: Int? = 60
    /// The time without anything done after which the job ends, in s; nil: never.
    public var stallLimitSeconds: Int? = 600
    /// The course of the learning rate.
    public var schedule = Schedule.preset
    /// The number of steps over which the learning rate rises at the beginning.
    public var warmupSteps = 0
    /// The probability that the untrained detector gives every cell; nil: 0.5.
    public var outputPrior: Double?
    /// Whether residual branches begin with adding nothing.
    public var zeroInitResidual = false
    /// The weight of the boxes' gradient beside the classification's.
    public var regressionWeight = 1.0
    /// Whether the replicas of a step share the statistics of batch normalisation.
    public var synchronizedBatchNorm = false

    /// A configuration of nothing but defaults.
    public init() { self.init(preset: .luna) }

    /// Creates a configuration with the values of a preset.
    public init(preset: Preset) {
        self.preset = preset
        cropSize = preset.cropSize
        epochs = preset.epochs
        guard preset == .luna else { return }
        recipe = .dense
        schedule = .cosine
        warmupSteps = 500
        // Thousands of background cells outweigh all nodules until they are improbable.
        outputPrior = 0.01
        zeroInitResidual = true
    }

    /// Whether the held-out scans are searched after an epoch: after every so many, and after the last.
    func evaluates(epoch: Int) -> Bool {
        guard validationFold != nil, let every = evaluateEveryEpochs else { return false }
        return epoch % every == 0 || epoch == epochs
    }

    /// The part of the configuration that determines the samples.
    public var sampling: SamplingConfiguration {
        SamplingConfiguration(
            preset: preset, recipe: recipe, cropSize: cropSize, seed: UInt64(bitPattern: Int64(seed)),
            validationFold: validationFold, replicas: replicas, microBatch: microBatch, augmentation: augment)
    }
}
