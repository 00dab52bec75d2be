import ArgumentParser
import Compute
import Detection
import Foundation
import Network

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

    func validate() throws {
        if size < 16 || size % 16 != 0 || size > 512 {
            throw ValidationError("--size is a multiple of 16 up to 512, not \(size)")
        }
        if batch < 1 || steps < 1 { throw ValidationError("--batch and --steps are at least 1") }
    }

    /// A network and a random batch for it.
    func subject() -> BenchSubject {
        BenchSubject(size: size, batch: batch, pool: ThreadPool(threads: threads ?? Startup.defaultThreads))
    }
}

/// A network and a random batch for it.
struct BenchSubject {
    let network: NoduleNetwork
    var state: NetworkState
    let input, coord, labels: Tensor

    /// - Parameters:
    ///   - size: Voxels along each axis of a crop.
    ///   - batch: Crops.
    init(size: Int, batch: Int, pool: ThreadPool) {
        var generator = CounterGenerator(seed: 0, purpose: "bench")
        let cells = size / 4
        func noise(_ shape: [Int]) -> Tensor {
            let count = shape.reduce(1, *)
            return Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-1, 1)) })
        }
        input = noise([batch, 1, size, size, size])
        coord = noise([batch, 3, cells, cells, cells])
        let assigner = LabelAssigner(anchors: Preset.luna16.anchors)
        let middle = Box(center: ZYX(repeating: Double(size) / 2), diameter: 8)
        let labels = (0..<batch).flatMap { _ in
            assigner.labels(
                grid: ZYX(repeating: cells), nodules: [middle], target: middle, mode: .training, generator: &generator)
        }
        network = NoduleNetwork(pool: pool)
        state = NoduleNetwork.initialState(seed: 0)
        self.labels = Tensor(shape: [batch, cells, cells, cells, 3, 5], values: labels)
    }
}

enum Measurement {
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// What all threads of this process have computed, in seconds.
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        print(String(decoding: try encoder.encode(object), as: UTF8.self))
    }

    /// Direct-convolution floating-point operations of a training step: 425.5 GFLOP for a crop of 96 voxels.
    static func trainingFlop(size: Int, batch: Int) -> Double { 425.528e9 * crops(size, batch) }

    /// Of a forward pass: 142.3 GFLOP for a crop of 96 voxels.
    static func inferenceFlop(size: Int, batch: Int) -> Double { 142.324e9 * crops(size, batch) }

    /// How many crops of 96 voxels have as many.
    private static func crops(_ size: Int, _ batch: Int) -> Double {
        let ratio = Double(size) / 96
        return ratio * ratio * ratio * Double(batch)
    }
}
