import ArgumentParser
import Basics
import Compute
import Detection
import FileIO
import Foundation
import HDF5
import Learning
import Networks
import Training

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Compare training with another framework: on one batch, or on the crops of a run.",
        discussion: """
            EXAMPLES
              luna replay --weights weights.h5 --batch batch.h5 --output result.h5 --steps 3 --no-dropout
              luna replay batches --data luna16-patches --config luna16.yaml --steps 100 --output batches.h5
            """,
        subcommands: [ReplaySteps.self, ReplayBatches.self], defaultSubcommand: ReplaySteps.self)
}

struct ReplaySteps: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steps",
        abstract: "Run training steps on one batch file.",
        discussion: """
            EXAMPLES
              luna replay --weights weights.h5 --batch batch.h5 --output result.h5 --steps 3 --no-dropout

            Weights: /model/<name>, float32, with PyTorch's names and shapes. Batch: /input [N,1,D,H,W], /coord \
            [N,3,D/4,H/4,W/4], /labels [N,D/4,H/4,W/4,3,5], for cpm-net [N,D/4,H/4,W/4,1,7]. Output: /output, /loss \
            (attribute `names`) and /gradients/<name> of the first step, /losses of all steps, /model/<name> after the \
            last. The whole batch is one replica.
            """)

    @OptionGroup var initial: WeightsOption

    @Option(help: ArgumentHelp("Input, coordinates and labels.", valueName: "file"))
    var batch: String

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String

    @Option(help: ArgumentHelp("Training steps.", valueName: "n"))
    var steps = 1

    @Option(help: ArgumentHelp("Of stochastic gradient descent.", valueName: "x"))
    var learningRate = 0.01

    @Option(help: ArgumentHelp("Of stochastic gradient descent.", valueName: "x"))
    var momentum = 0.9

    @Option(help: ArgumentHelp("On every parameter.", valueName: "x"))
    var weightDecay = 0.0001

    @Flag(help: "Drop no channels.")
    var noDropout = false

    @OptionGroup var computing: ThreadsOption

    func validate() throws {
        if steps < 1 { throw ValidationError("--steps is at least 1, not \(steps)") }
    }

    func run() throws {
        Startup.prepare()
        let source = try initial.source { FileHandle.standardError.write(Data("\($0)\n".utf8)) }
        var plan = OutputPlan()
        initial.plan(&plan, source)
        plan.read(batch, as: "--batch")
        try plan.write(file: output, as: "--output", form: .file)
        var state = try source.state()
        let architecture = state.architecture
        let batch = try readBatch(architecture)
        var configuration = TrainingConfiguration()
        configuration.network = architecture
        configuration.recipe = .standard(for: architecture)
        configuration.momentum = momentum
        configuration.weightDecay = weightDecay
        configuration.dropout = noDropout ? 0 : configuration.dropout
        let engine = Engine(pool: ThreadPool(threads: computing.threads ?? Startup.defaultThreads))
        let learner = configuration.makeLearner(Network(architecture, engine: engine))
        var optimizerState = learner.optimizer.makeState(architecture)
        var vector = [Float](repeating: 0, count: learner.layout.count)
        var first: (output: Tensor, terms: LossTerms, gradients: [Float])?
        var losses: [Double] = []
        let counts = learner.recipe.counts(labels: batch.labels, mode: .training)
        for step in 0..<steps {
            vector.withUnsafeMutableBufferPointer { vector in
                let (result, terms) = learner.writeReplica(
                    batch, state: state, normalizers: counts,
                    generator: CounterGenerator(seed: 0, purpose: "dropout", UInt64(step)), into: vector)
                losses.append(terms.total)
                if first == nil { first = (result, terms, Array(vector[learner.layout.gradients])) }
                learner.update(&state, &optimizerState, sum: vector, replicas: 1, learningRate: learningRate)
            }
        }
        guard let first else { return }
        try write(first.output, first.terms, first.gradients, losses, state)
        print("loss \(losses.map { String(format: "%.6f", $0) }.joined(separator: " "))")
    }

    private func readBatch(_ architecture: Architecture) throws -> TrainingBatch {
        let file = try HDF5File(reading: batch)
        let input = try file.read("/input", as: Float.self)
        let shape = input.shape
        let unit = architecture.sideUnit
        guard shape.count == 5, shape[0] > 0, shape[1] == 1, shape[2...].allSatisfy({ $0 > 0 && $0 % unit == 0 })
        else {
            throw InputError(
                batch, at: "/input",
                "shape \(shape), expected [N, 1, D, H, W] with sides that are multiples of \(unit)")
        }
        let grid = shape[2...].map { $0 / architecture.stride }
        let answers = [shape[0]] + grid + [architecture.anchors, architecture.components]
        return TrainingBatch(
            input: Tensor(shape: shape, values: input.values),
            coord: Tensor(
                shape: [shape[0], 3] + grid,
                values: try file.read("/coord", shape: [shape[0], 3] + grid, as: Float.self)),
            labels: Tensor(shape: answers, values: try file.read("/labels", shape: answers, as: Float.self)))
    }

    private func write(
        _ result: Tensor, _ terms: LossTerms, _ gradients: [Float], _ losses: [Double], _ state: NetworkState
    ) throws {
        let parts = [
            terms.total, terms.positiveClassification, terms.negativeClassification, terms.classification,
            terms.regression.reduce(0, +), terms.positives,
        ]
        let names = [
            "total", "positive_classification", "negative_classification", "classification", "regression", "positives",
        ]
        try HDF5File.write(to: output) { file in
            try file.setAttribute("format", to: "luna replay")
            try file.setAttribute("version", to: Int64(1))
            try file.write("/output", shape: result.shape, values: result.values)
            try file.write("/loss", shape: [parts.count], values: parts.map { Float($0) })
            try file.setAttribute("names", of: "/loss", to: names)
            try file.write("/losses", shape: [losses.count], values: losses.map { Float($0) })
            try WeightsFile.writeTable(state.architecture.parameters, gradients, group: "/gradients", to: file)
            try WeightsFile.writeModel(state, to: file)
        }
    }
}
