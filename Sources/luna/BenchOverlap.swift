import ArgumentParser
import Compute
import Detection
import FileIO
import Foundation
import MPI
import Network
import Training

extension OverlapMode: ExpressibleByArgument {}
extension GradientExchange: ExpressibleByArgument {}

struct BenchOverlap: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlap",
        abstract: "Training steps of all ranks, and how long gradients keep them waiting.",
        discussion: """
            EXAMPLES
              mpirun -n 2 --map-by slot:PE=4 --bind-to core luna bench overlap --steps 6
              mpirun -n 4 luna bench overlap --overlap thread --exchange float32 --exchange bfloat16 --json

            Each mode takes a step in turn. `exposed` is the wait for the gradients' exchange, after the backward \
            pass, of the rank that comes last. `waiting` is the mean over ranks, in which those that were faster wait \
            for the others, too. `none` computes without any exchange: the bound.
            """)

    @OptionGroup var options: BenchOptions

    @OptionGroup var job: ReplicasOption

    @Option(help: ArgumentHelp("A mode to measure; may be repeated; by default all.", valueName: "mode"))
    var overlap: [OverlapMode] = []

    @Option(help: ArgumentHelp("The numbers to sum in; may be repeated; by default float32.", valueName: "type"))
    var exchange: [GradientExchange] = []

    @Option(help: ArgumentHelp("KiB of a bucket; by default as in training.", valueName: "n"))
    var bucketKib: Int?

    @Flag(help: "Leave out the steps without exchange.")
    var noBound = false

    func validate() throws {
        if let bucketKib, bucketKib < 4 { throw ValidationError("--bucket-kib is at least 4, not \(bucketKib)") }
    }

    func run() throws {
        Startup.prepare()
        Job.run { communicator in
            let rows = try measure(communicator)
            guard communicator.rank == 0 else { return 0 }
            let threads = options.threads ?? Startup.defaultThreads
            print(
                "\(communicator.size) ranks of \(threads) threads, \(job.replicas ?? communicator.size) replicas of "
                    + "\(options.batch) x \(options.size)^3, gradients of "
                    + String(format: "%.1f MB", Double(4 * NoduleNetwork.parameters.count) / 1e6))
            print("mode              step s   exposed ms  of step   waiting ms   CPU s of a rank")
            for row in rows {
                print(
                    row.name.padding(toLength: 16, withPad: " ", startingAt: 0)
                        + String(
                            format: "%8.3f %12.1f %6.1f %% %12.1f %17.3f", row.step_s, row.exposed_s * 1000,
                            row.exposed_share * 100, row.waiting_s * 1000, row.cpu_s))
            }
            if options.json { try Measurement.printJSON(rows) }
            return 0
        }
    }

    private struct Row: Encodable {
        let overlap, exchange: String
        let ranks: Int
        let step_s, exposed_s, exposed_share, waiting_s, cpu_s: Double
        /// Of the sum's bits; every rank's is the same.
        let digest: String

        var name: String { overlap == "none" ? overlap : "\(overlap) \(exchange)" }
    }

    /// A way to take a step, and how long each took: by step, then by rank.
    private final class Case {
        let overlap: String
        let reduction: GradientReduction
        var times: [[Times]] = []
        var digest = ""

        init(_ overlap: String, _ reduction: GradientReduction) {
            self.overlap = overlap
            self.reduction = reduction
        }
    }

    private struct Times {
        var step = 0.0
        var waiting = 0.0
        var cpu = 0.0
    }

    private func cases(_ communicator: any Communicator) throws -> [Case] {
        let count = NoduleNetwork.parameters.count
        let replicas = job.replicas ?? communicator.size
        var cases: [Case] = []
        if !noBound {
            let own = max(1, replicas / communicator.size)
            cases.append(
                Case(
                    "none",
                    try GradientReduction(
                        mode: .tree, replicas: own, count: count, communicator: SingleCommunicator())))
        }
        for exchange in exchange.isEmpty ? [.float32] : exchange {
            for mode in overlap.isEmpty ? OverlapMode.allCases : overlap {
                let reduction = try GradientReduction(
                    mode: .tree, replicas: replicas, count: count, communicator: communicator, exchange: exchange)
                try reduction.connect(
                    mode, order: NoduleNetwork.backwardOrder, bucketBytes: bucketKib.map { $0 << 10 })
                cases.append(Case(mode.rawValue, reduction))
            }
        }
        return cases
    }

    private func measure(_ communicator: any Communicator) throws -> [Row] {
        let subject = options.subject()
        let (network, state) = (subject.network, subject.state)
        let counts = DetectionLoss.counts(labels: subject.labels, mining: true)
        // Updated, but not used: every step has the same gradient.
        var updated = state
        var momentum = [Float](repeating: 0, count: NoduleNetwork.parameters.count)
        let cases = try cases(communicator)
        for step in 0...options.steps {
            for current in cases {
                try communicator.barrier()
                var times = Times()
                let before = Measurement.processorSeconds
                times.step = try Measurement.seconds {
                    for replica in current.reduction.replicas {
                        current.reduction.add(reporting: { vector, finished in
                            let generator = CounterGenerator(seed: 0, purpose: "dropout", 0, UInt64(replica))
                            let output = network.forward(
                                state, input: subject.input, coord: subject.coord,
                                mode: .training(dropout: 0.2, generator: generator))
                            let gradient = DetectionLoss.evaluate(
                                output: output, labels: subject.labels, mining: true, normalizers: counts
                            ).gradient
                            network.backward(state, outputGradient: gradient, gradients: vector, finished: finished)
                        })
                    }
                    var sum: UnsafeMutableBufferPointer<Float>?
                    times.waiting = try Measurement.seconds { sum = try current.reduction.finish() }
                    guard let gradients = sum?.baseAddress else { return }
                    network.engine.descend(
                        parameters: &updated.parameters, momentum: &momentum, gradients: gradients,
                        learningRate: 0.01, momentumFactor: 0.9, weightDecay: 0.0001)
                    if step == 0, let sum {
                        var digest = Digest()
                        digest.add(Array(sum))
                        current.digest = digest.text
                    }
                }
                times.cpu = Measurement.processorSeconds - before
                let all = try gather(times, communicator)
                if step > 0 { current.times.append(all) }
            }
        }
        return cases.map { row($0, communicator.size) }
    }

    private func gather(_ times: Times, _ communicator: any Communicator) throws -> [Times] {
        try communicator.gather(withUnsafeBytes(of: times) { Array($0) }).map { bytes in
            bytes.withUnsafeBytes { $0.loadUnaligned(as: Times.self) }
        }
    }

    private func row(_ measured: Case, _ ranks: Int) -> Row {
        func median(_ value: ([Times]) -> Double) -> Double { measured.times.map(value).median ?? .nan }
        func mean(_ times: [Times], _ value: (Times) -> Double) -> Double {
            times.map(value).reduce(0, +) / Double(times.count)
        }
        let step = median { $0.map(\.step).max() ?? 0 }
        let exposed = median { $0.map(\.waiting).min() ?? 0 }
        return Row(
            overlap: measured.overlap, exchange: measured.reduction.exchange.rawValue, ranks: ranks, step_s: step,
            exposed_s: exposed, exposed_share: exposed / step, waiting_s: median { mean($0, \.waiting) },
            cpu_s: median { mean($0, \.cpu) }, digest: measured.digest)
    }
}
