// The table of all keys. A key is one entry here and one property; lists, checks, YAML and what may change at a resume
// follow from it.

import Detection
import Exchange
import Learning
import Networks
import PatchData

extension TrainingConfiguration {
    /// The keys in the order they are printed in.
    static let keys: [ConfigurationKey<TrainingConfiguration>] = [
        .init(
            "preset", \.preset,
            .choice {
                switch $0 {
                case .luna: "the best known here"
                case .luna16: "as published for LUNA16"
                case .dsb2017: "as the winners of the Data Science Bowl published"
                }
            }, .fixed, "anchors, sampling, and the values of the other keys"),
        .init(
            "network", \.network, .choice, .fixed, "what is trained; -gn: with group instead of batch normalisation"),
        .init(
            "recipe", \.recipe,
            .choice {
                switch $0 {
                case .published: "one positive cell a crop, two mined negatives"
                case .dense: "several positive cells a nodule, many mined negatives, focal and distance-IoU loss"
                case .anchorFree: "the same for cpm-net and cpm-net-gn, whose cells have no anchors"
                }
            }, .fixed, "what the network's output means, and the loss"),
        .init(
            "optimizer", \.optimizer,
            .choice {
                switch $0 {
                case .sgd: "stochastic gradient descent with momentum"
                case .nesterov: "the same with Nesterov's momentum"
                case .adamw: "Adam with decoupled weight decay"
                }
            }, .fixed, "how gradients change the parameters"),
        .init("seed", \.seed, .integer(0...), .fixed, "of weights, sample order, augmentation and dropout"),
        .init(
            "replicas", \.replicas, .integer(1...65_536), .fixed,
            "data-parallel workers; part of the experiment, shared out over the ranks; a power of two"),
        .init("micro_batch", \.microBatch, .integer(1...4096), .fixed, "crops per replica and step"),
        .init(
            "crop_size", \.cropSize, .integer(32...512, multipleOf: 16), .fixed, "voxels along each axis of a crop"),
        .init("epochs", \.epochs, .count, .fixed, "how many to train"),
        .init(
            "steps_per_epoch", \.stepsPerEpoch, .optional(.count), .fixed,
            "null: as many as the list of samples fills"),
        .init(
            "validation_fold", \.validationFold, .optional(.integer(0...9)), .fixed,
            "the LUNA16 subset to hold out; null: train on everything"),
        .init("learning_rate", \.learningRate, .positive, .fixed, "at the start of the schedule"),
        .init("momentum", \.momentum, .number(0..<1), .fixed, "of sgd and nesterov"),
        .init("weight_decay", \.weightDecay, .number(0...), .fixed, "on every parameter"),
        .init("adam_beta1", \.adamBeta1, .number(0..<1), .fixed, "how much of the gradient's mean adamw keeps"),
        .init("adam_beta2", \.adamBeta2, .number(0..<1), .fixed, "how much of the squared gradient's mean adamw keeps"),
        .init("adam_epsilon", \.adamEpsilon, .positive, .fixed, "what adamw adds to the root of that mean"),
        .init("dropout", \.dropout, .number(0..<1), .fixed, "probability for each of nodule-net's last 128 channels"),
        .init(
            group: "augment", \.augment,
            [
                .init("flip", \.flip, .bool, .fixed, "mirror y and x"),
                .init("swap", \.swap, .bool, .fixed, "permute axes"),
                .init("rotate", \.rotate, .bool, .fixed, "in the slice's plane"),
                .init("scale", \.scale, .bool, .fixed, "0.75 to 1.25"),
            ]),
        .init(
            "reduction", \.reduction,
            .choice {
                switch $0 {
                case .tree: "the same bits at every rank count"
                case .allreduce: "MPI's own order"
                }
            }, .fixed, "how gradients are summed"),
        .init(
            "gradient_exchange", \.gradientExchange,
            .choice {
                switch $0 {
                case .float32: "all of their bits"
                case .bfloat16: "rounded at every addition, half the traffic"
                }
            }, .fixed, "what they are summed in"),
        .init(
            "overlap", \.overlap,
            .choice {
                switch $0 {
                case .off: "after the backward pass"
                case .thread: "during it, by a thread that sleeps most of the time"
                case .poll: "during it, by the thread that computes"
                }
            }, .free, "when they are exchanged in the tree; same bits"),
        .init(
            "local_steps", \.localSteps, .optional(.count), .fixed,
            "steps that each site makes by itself before an outer update, which epochs' ends call for too; null: none"),
        .init(
            "sites", \.sites, .integer(1...65_536), .fixed,
            "groups of replicas that train by themselves meanwhile, a power of two"),
        .init(
            "outer_learning_rate", \.outerLearningRate, .positive, .fixed,
            "how far the outer update follows the sites' mean"),
        .init("outer_momentum", \.outerMomentum, .number(0..<1), .fixed, "of the outer update, Nesterov's"),
        .init(
            "threads", \.threads, .optional(.integer(1...4096)), .free,
            "per rank; null: the cores that this rank may use"),
        .init(
            "checkpoint_every_steps", \.checkpointEverySteps, .optional(.count), .free,
            "null: at the end of epochs only"),
        .init("checkpoint_every_epochs", \.checkpointEveryEpochs, .count, .free, "and after the last one"),
        .init("keep_checkpoints", \.keepCheckpoints, .count, .free, "how many of the newest to keep"),
        .init(
            "initial_weights", \.initialWeights, .optional(.path), .fixed,
            "a checkpoint or weight file to start from, or null"),
        .init(
            "evaluate_every_epochs", \.evaluateEveryEpochs, .optional(.count), .free,
            "search the held-out scans for a FROC, and keep the best checkpoint; null: never"),
        .init(
            "evaluate_memory_mib", \.evaluateMemoryMiB, .integer(1...1 << 24), .free,
            "memory that a rank may take for that, MiB: it decides how scans are cut into tiles"),
        .init(
            "stall_warning_seconds", \.stallWarningSeconds, .optional(.count), .free,
            "without anything done, after which is told who keeps the others waiting; null: never"),
        .init(
            "stall_limit_seconds", \.stallLimitSeconds, .optional(.count), .free,
            "without anything done, after which the job ends with status 70; null: never"),
        .init(
            "schedule", \.schedule,
            .choice {
                switch $0 {
                case .preset: "the recipe's steps"
                case .constant: "the same to the end"
                case .cosine: "half a wave down to zero"
                }
            }, .fixed, "how the learning rate falls"),
        .init(
            "warmup_steps", \.warmupSteps, .integer(0...), .fixed,
            "steps over which the learning rate rises linearly; 0: none"),
        .init(
            "output_prior", \.outputPrior, .optional(.number(between: 0, and: 1)), .fixed,
            "probability that the untrained detector gives every cell, such as 0.01; null: 0.5"),
        .init(
            "zero_init_residual", \.zeroInitResidual, .bool, .fixed,
            "begin with residual branches that add nothing: the scale of each one's last normalisation 0"),
        .init(
            "ema", \.ema, .optional(.number(between: 0, and: 1)), .fixed,
            "how much of their running mean weights keep at each step, such as 0.999; the mean is what is validated "
                + "and detects; null: none"),
        .init(
            "gradient_clip", \.gradientClip, .optional(.positive), .fixed,
            "the norm that longer gradients are shortened to; null: none are"),
        .init(
            "regression_weight", \.regressionWeight, .positive, .fixed,
            "of the boxes' gradient beside the classification's; 1: the recipe"),
        .init(
            "synchronized_batch_norm", \.synchronizedBatchNorm, .bool, .fixed,
            "normalise with the statistics of a step's whole batch, not of each replica's; a rank's replicas then run "
                + "side by side, and overlap hides little"),
    ]

    /// The spelling of the key that a property belongs to.
    static func name(of path: PartialKeyPath<TrainingConfiguration>) -> String {
        guard let key = keys.first(where: { $0.path == path }) else { preconditionFailure("\(path) has no key") }
        return key.name
    }

    /// The value of a property as it stands in YAML.
    func text(of path: PartialKeyPath<TrainingConfiguration>) -> String {
        guard let key = Self.keys.first(where: { $0.path == path }) else { preconditionFailure("\(path) has no key") }
        return key.yaml(self)
    }
}
