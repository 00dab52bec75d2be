import ArgumentParser
import Basics
import Compute
import Detection
import Foundation
import Learning
import Networks
import Training

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a training step, its layers, detection, the gradients' reduction, or the input.",
        discussion: """
            EXAMPLES
              luna bench step --size 96 --batch 1 --threads 2 --steps 5 --json
              luna bench layers --size 96
              luna bench inference --size 208
              mpirun -n 4 luna bench allreduce
              mpirun -n 4 luna bench overlap
              luna bench input --data luna16-patches
              luna bench scaling --weak runs/weak-1 --weak runs/weak-2 --output scaling
            """,
        subcommands: [
            BenchStep.self, BenchLayers.self, BenchInference.self, BenchAllreduce.self, BenchOverlap.self,
            BenchInput.self, BenchScaling.self,
        ])
}

/// The network's options that several measurements share.
struct BenchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Voxels along each axis of a crop.", valueName: "n"))
    var size = 96

    @Option(help: ArgumentHelp("Crops per step.", valueName: "n"))
    var batch = 1

    @OptionGroup var computing: ThreadsOption

    @Option(help: ArgumentHelp("Measured steps, after one that is not.", valueName: "n"))
    var steps = 5

    @OptionGroup var output: JSONLineOption

    var threads: Int? { computing.threads }
    var json: Bool { output.json }

    @Option(help: ArgumentHelp("The network.", valueName: "name"))
    var network = Architecture.standard

    func validate() throws {
        if size < 1 || size % network.sideUnit != 0 || size > 512 {
            throw ValidationError("--size is a multiple of \(network.sideUnit) up to 512, not \(size)")
        }
        if batch < 1 || steps < 1 { throw ValidationError("--batch and --steps are at least 1") }
    }

    /// The number of floating-point operations of one pass or step, computed directly.
    func flop(training: Bool) -> Double {
        network.flop(ZYX(repeating: size), samples: batch, training: training)
    }

    /// A network and a random batch for it.
    func subject() -> BenchSubject {
        var configuration = TrainingConfiguration()
        configuration.network = network
        configuration.recipe = .standard(for: network)
        return BenchSubject(
            configuration, size: size, batch: batch, pool: ThreadPool(threads: threads ?? Startup.defaultThreads))
    }
}

extension Architecture: ExpressibleByArgument {}

/// A network that learns and a random batch for it.
struct BenchSubject {
    let learner: Learner
    var state: NetworkState
    var optimizerState: OptimizerState
    let batch: TrainingBatch
    let counts: LossCounts

    var network: Network { learner.network }

    /// - Parameters:
    ///   - configuration: The network, the recipe and the optimiser.
    ///   - size: Voxels along each axis of a crop.
    ///   - batch: Crops.
    init(_ configuration: TrainingConfiguration, size: Int, batch: Int, pool: ThreadPool) {
        let architecture = configuration.network
        var generator = CounterGenerator(seed: 0, purpose: "bench")
        let cells = size / architecture.stride
        func noise(_ shape: [Int]) -> Tensor {
            let count = shape.reduce(1, *)
            return Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-1, 1)) })
        }
        learner = configuration.makeLearner(Network(architecture, engine: Engine(pool: pool)))
        let input = noise([batch, 1, size, size, size])
        let coord = noise([batch, 3, cells, cells, cells])
        let recipe = learner.recipe
        let middle = Box(center: ZYX(repeating: Double(size) / 2), diameter: 8)
        let labels = (0..<batch).flatMap { _ in
            recipe.labels(
                grid: ZYX(repeating: cells), nodules: [middle], target: middle, mode: .training, generator: &generator)
        }
        state = architecture.initialState(seed: 0)
        optimizerState = learner.optimizer.makeState(architecture)
        self.batch = TrainingBatch(
            input: input, coord: coord,
            labels: Tensor(
                shape: [batch, cells, cells, cells, recipe.anchorsPerCell, recipe.components], values: labels))
        counts = recipe.counts(labels: self.batch.labels, mode: .training)
    }
}

enum Measurement {
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// The processor time that all threads of this process have taken, in s.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// The most memory this process has had resident, in bytes.
    static var peakResidentBytes: Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }

    /// Prints an object as one line, keys sorted.
    static func printJSON(_ object: some Encodable) throws {
        print(String(decoding: try JSON.encode(object), as: UTF8.self))
    }
}
