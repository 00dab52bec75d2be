// The configuration as YAML: reading with every fault named, overriding single keys, and printing with explanations.

import Basics
import Detection
import Exchange
import FileIO
import PatchData
import Yams

extension TrainingConfiguration {
    /// The keys in the order they are printed in, and what they mean.
    static let meanings: [(key: String, meaning: String)] = [
        ("preset", "luna16 or dsb2017: anchors, crop size, oversampling, epochs, schedule"),
        ("seed", "of weights, sample order, augmentation and dropout"),
        ("replicas", "data-parallel workers; part of the experiment, shared out over the ranks; a power of two"),
        ("micro_batch", "crops per replica and step"),
        ("crop_size", "voxels along each axis of a crop, a multiple of 16"),
        ("epochs", "how many to train"),
        ("steps_per_epoch", "null: as many as the list of samples fills"),
        ("validation_fold", "the LUNA16 subset to hold out, 0 to 9; null: train on everything"),
        ("learning_rate", "at the start of the schedule"),
        ("momentum", "of stochastic gradient descent"),
        ("weight_decay", "on every parameter"),
        ("dropout", "probability for each of the last 128 channels"),
        ("augment", "flip: mirror y and x; swap: permute axes; rotate: in the slice's plane; scale: 0.75 to 1.25"),
        ("reduction", "tree: the same bits at every rank count; allreduce: MPI's own order"),
        ("gradient_exchange", "float32; bfloat16: rounded at every addition, half the traffic; reduction: tree only"),
        ("overlap", "exchange during the backward pass by a sleeping thread or by polls, or off; same bits; tree only"),
        (
            "local_steps",
            "steps that each site makes by itself before an outer update, which epochs' ends call for too; null: none"
        ),
        ("sites", "groups of replicas that train by themselves meanwhile, a power of two; local_steps only"),
        ("outer_learning_rate", "how far the outer update follows the sites' mean; local_steps only"),
        ("outer_momentum", "of the outer update, Nesterov's; local_steps only"),
        ("threads", "per rank; null: the cores that this rank may use"),
        ("checkpoint_every_steps", "null: at the end of epochs only"),
        ("checkpoint_every_epochs", "and after the last one"),
        ("keep_checkpoints", "how many of the newest to keep"),
        ("initial_weights", "a checkpoint or weight file to start from, or null"),
        ("evaluate_every_epochs", "search the held-out scans for a FROC, and keep the best checkpoint; null: never"),
        ("evaluate_memory_mib", "memory that a rank may take for that, MiB: it decides how scans are cut into tiles"),
        (
            "stall_warning_seconds",
            "without anything done, after which is told who keeps the others waiting; null: never"
        ),
        ("stall_limit_seconds", "without anything done, after which the job ends with status 70; null: never"),
        ("schedule", "preset: the recipe's steps; constant; cosine: half a wave down to zero"),
        ("warmup_steps", "steps over which the learning rate rises linearly; 0: none"),
        ("output_prior", "probability that the untrained detector gives every cell, such as 0.01; null: 0.5"),
        (
            "zero_init_residual",
            "begin with residual branches that add nothing: the scale of each one's last normalisation 0"
        ),
        ("regression_weight", "of the boxes' gradient beside the classification's; 1: the recipe"),
    ]

    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - path: A YAML file, or nil for the defaults.
    ///   - overrides: `KEY=VALUE`, values in YAML; a dot leads into a group (`augment.flip=false`).
    /// - Throws: `InputError` naming the file or `--set`, the key and what was expected.
    public static func read(_ path: String?, overrides: [String] = []) throws -> TrainingConfiguration {
        var root = Node.Mapping([])
        if let path { root = try mapping(text: try text(path), file: path) }
        try checkKeys(root, known: meanings.map(\.key), file: path ?? "--set")
        for override in overrides { try apply(override, to: &root) }
        // Keys that only go together may come in any order.
        let configuration = try decode(root, file: path ?? "--set")
        if let fault = configuration.fault {
            let culprit = overrides.last { $0.hasPrefix("\(fault.key)=") }.map { "--set \($0)" }
            throw InputError(culprit ?? path ?? "--set", at: fault.key, fault.text)
        }
        return configuration
    }

    /// Reads a configuration from YAML text, such as a checkpoint holds.
    public static func parse(_ text: String, file: String) throws -> TrainingConfiguration {
        let root = try mapping(text: text, file: file)
        try checkKeys(root, known: meanings.map(\.key), file: file)
        let configuration = try decode(root, file: file)
        if let fault = configuration.fault { throw InputError(file, at: fault.key, fault.text) }
        return configuration
    }

    private static func text(_ path: String) throws -> String {
        guard let text = String(validating: try FileContent.bytes(path, limit: 1 << 20), as: UTF8.self) else {
            throw InputError(path, "is not UTF-8 text")
        }
        return text
    }

    private static func mapping(text: String, file: String) throws -> Node.Mapping {
        do {
            guard let node = try node(text, file: file) else { return Node.Mapping([]) }
            guard let mapping = node.mapping else {
                throw InputError(file, "expected lines of the form `key: value`")
            }
            return mapping
        } catch let error as YamlError {
            // With the faulty line, which may be all of the file.
            throw InputError(file, String("\(error)".prefix(300)))
        }
    }

    /// The YAML text's tree, or nil where there is nothing in it.
    ///
    /// Aliases of aliases make a small text stand for an endless tree, which the library walks to compare keys.
    private static func node(_ text: String, file: String) throws -> Node? {
        guard text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 32 else {
            throw InputError(file, "more than 32 aliases (*), expected lines of the form `key: value`")
        }
        return try compose(yaml: text)
    }

    private static func checkKeys(_ mapping: Node.Mapping, known: [String], file: String, prefix: String = "") throws {
        for (key, value) in mapping {
            let name = key.string ?? "?"
            guard known.contains(name) else {
                // Only what may be a slip of the hand is compared: the time grows with the length.
                guard name.utf8.count <= 64 else {
                    throw InputError(
                        file, at: key.mark.map { "line \($0.line)" }, "an unknown key of \(name.utf8.count) bytes",
                        remedy: "`luna train --print-config` shows all keys")
                }
                let nearest = known.min { distance($0, name) < distance($1, name) } ?? ""
                throw InputError(
                    file, at: key.mark.map { "line \($0.line)" }, "unknown key \(prefix)\(name)",
                    remedy: distance(nearest, name) <= max(2, name.count / 3)
                        ? "did you mean \(prefix)\(nearest)?" : "`luna train --print-config` shows all keys")
            }
            if name == "augment", prefix.isEmpty, let group = value.mapping {
                try checkKeys(group, known: ["flip", "swap", "rotate", "scale"], file: file, prefix: "augment.")
            }
        }
    }

    private static func apply(_ override: String, to root: inout Node.Mapping) throws {
        guard let equals = override.firstIndex(of: "=") else {
            throw InputError("--set \(override)", "expected KEY=VALUE")
        }
        let key = String(override[..<equals])
        let file = "--set \(override)"
        let value: Node
        do {
            value = try node(String(override[override.index(after: equals)...]), file: file) ?? "null"
        } catch is YamlError { throw InputError(file, "the value is not YAML") }
        let path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if path.count == 2 && path[0] == "augment" {
            var group = root["augment"]?.mapping ?? Node.Mapping([])
            group[Node(path[1])] = value
            root["augment"] = Node.mapping(group)
        } else {
            root[Node(key)] = value
        }
        try checkKeys(root, known: meanings.map(\.key), file: file)
        _ = try decode(root, file: file)
    }

    /// The values, of the right kinds; whether they go together is another question.
    private static func decode(_ root: Node.Mapping, file: String) throws -> TrainingConfiguration {
        let fields = Fields(mapping: root, file: file)
        var c = TrainingConfiguration(preset: try fields.choice("preset", Preset.luna16))
        c.seed = try fields.integer("seed", c.seed)
        c.replicas = try fields.integer("replicas", c.replicas)
        c.microBatch = try fields.integer("micro_batch", c.microBatch)
        c.cropSize = try fields.integer("crop_size", c.cropSize)
        c.epochs = try fields.integer("epochs", c.epochs)
        c.stepsPerEpoch = try fields.optionalInteger("steps_per_epoch", c.stepsPerEpoch)
        c.validationFold = try fields.optionalInteger("validation_fold", c.validationFold)
        c.learningRate = try fields.number("learning_rate", c.learningRate)
        c.momentum = try fields.number("momentum", c.momentum)
        c.weightDecay = try fields.number("weight_decay", c.weightDecay)
        c.dropout = try fields.number("dropout", c.dropout)
        c.reduction = try fields.choice("reduction", c.reduction)
        c.gradientExchange = try fields.choice("gradient_exchange", c.gradientExchange)
        c.overlap = try fields.choice("overlap", c.overlap)
        c.localSteps = try fields.optionalInteger("local_steps", c.localSteps)
        c.sites = try fields.integer("sites", c.sites)
        c.outerLearningRate = try fields.number("outer_learning_rate", c.outerLearningRate)
        c.outerMomentum = try fields.number("outer_momentum", c.outerMomentum)
        c.threads = try fields.optionalInteger("threads", c.threads)
        c.checkpointEverySteps = try fields.optionalInteger("checkpoint_every_steps", c.checkpointEverySteps)
        c.checkpointEveryEpochs = try fields.integer("checkpoint_every_epochs", c.checkpointEveryEpochs)
        c.keepCheckpoints = try fields.integer("keep_checkpoints", c.keepCheckpoints)
        c.initialWeights = try fields.optionalText("initial_weights")
        c.evaluateEveryEpochs = try fields.optionalInteger("evaluate_every_epochs", c.evaluateEveryEpochs)
        c.evaluateMemoryMiB = try fields.integer("evaluate_memory_mib", c.evaluateMemoryMiB)
        c.stallWarningSeconds = try fields.optionalInteger("stall_warning_seconds", c.stallWarningSeconds)
        c.stallLimitSeconds = try fields.optionalInteger("stall_limit_seconds", c.stallLimitSeconds)
        c.schedule = try fields.choice("schedule", c.schedule)
        c.warmupSteps = try fields.integer("warmup_steps", c.warmupSteps)
        c.outputPrior = try fields.optionalNumber("output_prior")
        c.zeroInitResidual = try fields.bool("zero_init_residual", c.zeroInitResidual)
        c.regressionWeight = try fields.number("regression_weight", c.regressionWeight)
        if let node = root["augment"] {
            guard let group = node.mapping else {
                throw InputError(file, at: "augment", "expected {flip: …, swap: …, rotate: …, scale: …}")
            }
            let inner = Fields(mapping: group, file: file, prefix: "augment.")
            c.augment = Augmentation(
                flip: try inner.bool("flip", c.augment.flip), swap: try inner.bool("swap", c.augment.swap),
                rotate: try inner.bool("rotate", c.augment.rotate), scale: try inner.bool("scale", c.augment.scale))
        }
        return c
    }

    /// The values by key, as YAML.
    private var values: [String: String] {
        func optional(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "null" }
        let a = augment
        return [
            "preset": preset.rawValue, "seed": "\(seed)", "replicas": "\(replicas)", "micro_batch": "\(microBatch)",
            "crop_size": "\(cropSize)", "epochs": "\(epochs)", "steps_per_epoch": optional(stepsPerEpoch),
            "validation_fold": optional(validationFold), "learning_rate": "\(learningRate)",
            "momentum": "\(momentum)", "weight_decay": "\(weightDecay)", "dropout": "\(dropout)",
            "augment": "{flip: \(a.flip), swap: \(a.swap), rotate: \(a.rotate), scale: \(a.scale)}",
            "reduction": reduction.rawValue, "gradient_exchange": gradientExchange.rawValue,
            "overlap": overlap.rawValue, "local_steps": optional(localSteps), "sites": "\(sites)",
            "outer_learning_rate": "\(outerLearningRate)", "outer_momentum": "\(outerMomentum)",
            "threads": optional(threads),
            "checkpoint_every_steps": optional(checkpointEverySteps),
            "checkpoint_every_epochs": "\(checkpointEveryEpochs)", "keep_checkpoints": "\(keepCheckpoints)",
            "initial_weights": initialWeights.map(Self.quoted) ?? "null",
            "evaluate_every_epochs": optional(evaluateEveryEpochs),
            "evaluate_memory_mib": "\(evaluateMemoryMiB)", "stall_warning_seconds": optional(stallWarningSeconds),
            "stall_limit_seconds": optional(stallLimitSeconds), "schedule": schedule.rawValue,
            "warmup_steps": "\(warmupSteps)", "output_prior": optional(outputPrior),
            "zero_init_residual": "\(zeroInitResidual)",
            "regression_weight": "\(regressionWeight)",
        ]
    }

    /// A double-quoted scalar on one line: what YAML would fold, drop or refuse stands as its number.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF, ..<0x20, 0x7F..<0xA0:
                result += "\\U" + scalar.value.zeroPadded(to: 8, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The configuration as YAML, one key a line; with their meaning as comments where wanted.
    public func yaml(explained: Bool = false) -> String {
        let values = values
        let lines = Self.meanings.map { key, meaning -> String in
            let line = "\(key): \(values[key] ?? "null")"
            guard explained else { return line }
            return line + String(repeating: " ", count: max(1, 36 - line.count)) + "# " + meaning
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first key in which another configuration would train other weights; overlap, threads, checkpoints and
    /// evaluations do not matter.
    func firstDifference(from other: TrainingConfiguration) -> String? {
        let irrelevant = [
            "overlap", "threads", "checkpoint_every_steps", "checkpoint_every_epochs", "keep_checkpoints",
            "evaluate_every_epochs", "evaluate_memory_mib", "stall_warning_seconds", "stall_limit_seconds",
        ]
        return Self.meanings.map(\.key).first { !irrelevant.contains($0) && values[$0] != other.values[$0] }
    }

    /// How many characters to change, add or remove to make one word of the other (Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for i in a.indices {
            var previous = row[0]
            row[0] = i + 1
            for j in b.indices {
                let current = row[j + 1]
                row[j + 1] = min(previous + (a[i] == b[j] ? 0 : 1), row[j] + 1, current + 1)
                previous = current
            }
        }
        return row[b.count]
    }
}

/// Typed access to a mapping's values, with errors that name the key.
private struct Fields {
    let mapping: Node.Mapping
    let file: String
    var prefix = ""

    private func value<Value>(_ key: String, _ expected: String, _ convert: (Node) -> Value?) throws -> Value? {
        guard let node = mapping[key] else { return nil }
        if let value = convert(node) { return value }
        let found = node.scalar?.string ?? "a group"
        let place = node.mark.map { "line \($0.line), " } ?? ""
        throw InputError(file, at: place + prefix + key, "\(found), expected \(expected)")
    }

    private func isNull(_ key: String) -> Bool { mapping[key].map { $0.null != nil } ?? false }

    func integer(_ key: String, _ standard: Int) throws -> Int {
        try value(key, "a whole number", Self.integer) ?? standard
    }

    func optionalInteger(_ key: String, _ standard: Int?) throws -> Int? {
        if isNull(key) { return nil }
        return try value(key, "a whole number or null", Self.integer) ?? standard
    }

    /// Without YAML 1.1's numbers to base 60 (`1:30:00`), which the library computes without looking for overflow.
    private static func integer(_ node: Node) -> Int? {
        node.scalar.flatMap { $0.string.contains(":") ? nil : node.int }
    }

    func number(_ key: String, _ standard: Double) throws -> Double {
        try value(key, "a number") { $0.float } ?? standard
    }

    func optionalNumber(_ key: String) throws -> Double? {
        if isNull(key) { return nil }
        return try value(key, "a number or null") { $0.float }
    }

    func bool(_ key: String, _ standard: Bool) throws -> Bool {
        try value(key, "true or false") { $0.bool } ?? standard
    }

    func optionalText(_ key: String) throws -> String? {
        if isNull(key) { return nil }
        return try value(key, "a path or null") { $0.scalar?.string }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ standard: Choice
    ) throws -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue).joined(separator: " or ")
        return try value(key, names) { $0.scalar.flatMap { Choice(rawValue: $0.string) } } ?? standard
    }
}
