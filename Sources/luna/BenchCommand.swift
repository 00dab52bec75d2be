import ArgumentParser
import Compute
import Detection
import FileIO
import Foundation
import MPI
import Network
import PatchData
import Training

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a training step, its layers, the reduction, or the input.",
        discussion: """
            EXAMPLES
              luna bench step --size 96 --batch 1 --threads 2 --steps 5 --json
              luna bench layers --size 96
              mpirun -n 4 luna bench allreduce
              luna bench input --data luna16-patches
            """,
        subcommands: [BenchStep.self, BenchLayers.self, BenchAllreduce.self, BenchInput.self])
}

/// The network's options that several measurements share.
struct BenchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Voxels along each axis of a crop.", valueName: "n"))
    var size = 96

    @Option(help: ArgumentHelp("Crops per step.", valueName: "n"))
    var batch = 1

    @Option(help: ArgumentHelp("By default all cores this process may use.", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("Measured steps, after one that is not.", valueName: "n"))
    var steps = 5

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        if size < 16 || size % 16 != 0 || size > 512 {
            throw ValidationError("--size is a multiple of 16 up to 512, not \(size)")
        }
        if batch < 1 || steps < 1 { throw ValidationError("--batch and --steps are at least 1") }
        if let threads, threads < 1 { throw ValidationError("--threads is at least 1, not \(threads)") }
    }

    /// A network and a random batch for it.
    func subject() -> (network: NoduleNetwork, state: NetworkState, input: Tensor, coord: Tensor, labels: Tensor) {
        let network = NoduleNetwork(pool: ThreadPool(threads: threads ?? Startup.defaultThreads))
        var generator = CounterGenerator(seed: 0, purpose: "bench")
        let cells = size / 4
        func noise(_ shape: [Int]) -> Tensor {
            let count = shape.reduce(1, *)
            return Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-1, 1)) })
        }
        let input = noise([batch, 1, size, size, size])
        let coord = noise([batch, 3, cells, cells, cells])
        let assigner = LabelAssigner(anchors: Preset.luna16.anchors)
        let middle = Box(center: ZYX(repeating: Double(size) / 2), diameter: 8)
        let labels = (0..<batch).flatMap { _ in
            assigner.labels(
                grid: ZYX(repeating: cells), nodules: [middle], target: middle, mode: .training, generator: &generator)
        }
        return (
            network, NoduleNetwork.initialState(seed: 0), input, coord,
            Tensor(shape: [batch, cells, cells, cells, 3, 5], values: labels)
        )
    }
}

enum Measurement {
    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        print(String(decoding: try encoder.encode(object), as: UTF8.self))
    }

    /// Direct-convolution floating-point operations of a training step: 425.5 GFLOP for a crop of 96 voxels.
    static func trainingFlop(size: Int, batch: Int) -> Double {
        let ratio = Double(size) / 96
        return 425.528e9 * ratio * ratio * ratio * Double(batch)
    }
}

struct BenchStep: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "step", abstract: "A whole training step.")

    @OptionGroup var options: BenchOptions

    private struct Result: Encodable {
        let step_s, forward_s, backward_s, update_s: Double
        let peak_rss_bytes, activation_bytes: Int
        let gflops: Double
        let isa: String
        let size, batch, threads, steps: Int
    }

    func run() throws {
        Startup.prepare()
        var (network, state, input, coord, labels) = options.subject()
        var gradients = [Float](repeating: 0, count: NoduleNetwork.parameters.count)
        var momentum = gradients
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        var times: [(forward: Double, backward: Double, update: Double, whole: Double)] = []
        for step in 0...options.steps {
            var output = Tensor(shape: [0])
            var outputGradient = output
            let forward = Measurement.seconds {
                output = network.forward(
                    state, input: input, coord: coord,
                    mode: .training(
                        dropout: 0.2, generator: CounterGenerator(seed: 0, purpose: "dropout", UInt64(step))))
            }
            let loss = Measurement.seconds {
                outputGradient =
                    DetectionLoss.evaluate(
                        output: output, labels: labels, mining: true, normalizers: counts
                    ).gradient
            }
            let backward = Measurement.seconds {
                gradients.withUnsafeMutableBufferPointer {
                    network.backward(state, outputGradient: outputGradient, gradients: $0)
                }
            }
            let update = Measurement.seconds {
                network.engine.descend(
                    parameters: &state.parameters, momentum: &momentum, gradients: gradients, learningRate: 0.01,
                    momentumFactor: 0.9, weightDecay: 0.0001)
            }
            if step > 0 { times.append((forward, backward, update, forward + loss + backward + update)) }
        }
        let whole = Measurement.median(times.map(\.whole))
        let result = Result(
            step_s: whole, forward_s: Measurement.median(times.map(\.forward)),
            backward_s: Measurement.median(times.map(\.backward)), update_s: Measurement.median(times.map(\.update)),
            peak_rss_bytes: Measurement.peakResidentBytes, activation_bytes: network.engine.plannedBytes,
            gflops: Measurement.trainingFlop(size: options.size, batch: options.batch) / whole / 1e9,
            isa: "\(network.engine.instructionSet)", size: options.size, batch: options.batch,
            threads: network.engine.pool.threads, steps: options.steps)
        print(
            String(
                format: "%d x %d^3, %@, %d threads: step %.3f s (forward %.3f, backward %.3f, update %.3f), "
                    + "%.0f GFLOP/s direct-equivalent, %d MiB",
                options.batch, options.size, result.isa, result.threads, whole, result.forward_s, result.backward_s,
                result.update_s, result.gflops, result.peak_rss_bytes >> 20))
        if options.json { try Measurement.printJSON(result) }
    }
}

struct BenchLayers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers", abstract: "Every kind of convolution, by direction.")

    @OptionGroup var options: BenchOptions

    private struct Row: Encodable {
        let layer, direction, algorithm: String
        let count: Int
        let milliseconds, gflops, percent: Double
    }

    func run() throws {
        Startup.prepare()
        let engine = Engine(pool: ThreadPool(threads: options.threads ?? Startup.defaultThreads))
        var rows: [(layer: ConvolutionBenchmark.Layer, direction: ConvolutionBenchmark.Direction, seconds: Double)] = []
        for layer in ConvolutionBenchmark.layers {
            for direction in ConvolutionBenchmark.Direction.allCases {
                guard
                    let seconds = ConvolutionBenchmark.measure(
                        layer, direction, size: options.size, batch: options.batch, repetitions: options.steps,
                        engine: engine)
                else { continue }
                rows.append((layer, direction, Measurement.median(seconds)))
            }
        }
        let total = rows.reduce(0) { $0 + $1.seconds * Double($1.layer.count) }
        let table = rows.map { row in
            Row(
                layer: row.layer.name, direction: row.direction.rawValue, algorithm: row.layer.algorithm(options.size),
                count: row.layer.count, milliseconds: row.seconds * 1000,
                gflops: row.layer.flop(size: options.size, batch: options.batch) / row.seconds / 1e9,
                percent: 100 * row.seconds * Double(row.layer.count) / total)
        }
        print("layer            x  direction  algorithm      ms each   GFLOP/s  % of convolutions")
        for row in table {
            let left = row.layer.padding(toLength: 15, withPad: " ", startingAt: 0)
            print(
                String(
                    format: "%@ %2d  %@ %@ %8.2f  %8.0f  %6.1f", left, row.count,
                    row.direction.padding(toLength: 10, withPad: " ", startingAt: 0),
                    row.algorithm.padding(toLength: 12, withPad: " ", startingAt: 0), row.milliseconds, row.gflops,
                    row.percent))
        }
        print(
            String(format: "all %.0f ms, %@, %d threads", total * 1000, "\(engine.instructionSet)", engine.pool.threads)
        )
        if options.json { try Measurement.printJSON(table) }
    }
}

struct BenchAllreduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allreduce", abstract: "The gradient's reduction over ranks, by mode.")

    @Option(help: ArgumentHelp("Repetitions.", valueName: "n"))
    var steps = 10

    @Option(help: ArgumentHelp("Replicas of the whole job; by default one for each rank.", valueName: "n"))
    var replicas: Int?

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    private struct Row: Encodable {
        let mode: String
        let bytes: Int
        let seconds, bandwidth: Double
        /// Of the sum's bits.
        let digest: String
    }

    func run() throws {
        Job.run { communicator in
            let count = NoduleNetwork.parameters.count
            var rows: [Row] = []
            for mode in ReductionMode.allCases {
                let reduction = try GradientReduction(
                    mode: mode, replicas: replicas ?? communicator.size, count: count, communicator: communicator)
                var times: [Double] = []
                var digest = Digest()
                for step in 0..<steps {
                    for replica in reduction.replicas {
                        reduction.add { vector in
                            for index in 0..<count { vector[index] = 1 / Float(1 + (index + 7919 * replica) % 1009) }
                        }
                    }
                    try communicator.barrier()
                    var sum: UnsafeMutableBufferPointer<Float>?
                    times.append(try Measurement.seconds { sum = try reduction.finish() })
                    if step == 0, let sum { digest.add(Array(sum)) }
                }
                let seconds = Measurement.median(times)
                rows.append(
                    Row(
                        mode: mode.rawValue, bytes: 4 * count, seconds: seconds,
                        bandwidth: Double(4 * count) / seconds, digest: digest.text))
            }
            guard communicator.rank == 0 else { return 0 }
            for row in rows {
                print(
                    String(
                        format: "%@: %d ranks, %.1f MB in %.2f ms, %.2f GB/s",
                        row.mode.padding(toLength: 9, withPad: " ", startingAt: 0), communicator.size,
                        Double(row.bytes) / 1e6, row.seconds * 1000, row.bandwidth / 1e9))
            }
            if json { try Measurement.printJSON(rows) }
            return 0
        }
    }
}

struct BenchInput: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "input", abstract: "Crops from shards, as training takes them.")

    @Option(help: ArgumentHelp("A data set of `luna convert`.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("Voxels along each axis; by default the data set's.", valueName: "n"))
    var size: Int?

    @Option(help: ArgumentHelp("Loader threads.", valueName: "n"))
    var threads = 1

    @Option(help: ArgumentHelp("Crops to take.", valueName: "n"))
    var steps = 100

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    private struct Result: Encodable {
        let patches_per_second: Double
        let size, threads, patches: Int
    }

    func run() throws {
        let source = try PatchDataset(directory: data)
        let crop = size ?? source.manifest.options.cropSize
        guard crop >= 32, crop % 16 == 0, crop <= source.patchSide else {
            throw UsageError("--size is a multiple of 16 from 32 to \(source.patchSide), not \(crop)")
        }
        let loader = try TrainingLoader(
            source: source,
            configuration: SamplingConfiguration(
                preset: .luna16, cropSize: crop, seed: 0, validationFold: nil, replicas: 1, microBatch: 1,
                augmentation: Augmentation()), replicas: 0..<1, threads: threads, name: data)
        loader.start(epoch: 1, step: 0)
        _ = try loader.next()
        let seconds = try Measurement.seconds { for _ in 0..<steps { _ = try loader.next() } }
        let rate = Double(steps) / seconds
        print(String(format: "%.1f crops of %d^3 per second, %d threads", rate, crop, threads))
        if json {
            try Measurement.printJSON(Result(patches_per_second: rate, size: crop, threads: threads, patches: steps))
        }
    }
}
