import ArgumentParser
import Basics
import Compute
import Detection
import Exchange
import FileIO
import Foundation
import Learning
import MPI
import Networks
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
                    + String(format: "%.1f MB", Double(4 * options.network.parameters.count) / 1e6))
            print("mode              step s   exposed ms  of step   waiting ms   CPU s of a rank")
            for row in rows {
                print(
                    row.name.padding(toLength: 16, withPad: " ", startingAt: 0)
                        + String(
                            format: "%8.3f %12.1f %6.1f %% %12.1f %17.3f", row.stepS, row.exposedS * 1000,
                            row.exposedShare * 100, row.waitingS * 1000, row.cpuS))
            }
            if options.json { try Measurement.printJSON(rows) }
            return 0
        }
    }

    private struct Row: Encodable {
        let overlap, exchange: String
        let ranks: Int
        let stepS, exposedS, exposedShare, waitingS, cpuS: Double
        /// A digest of the sum's bits; every rank's is the same.
        let digest: String

        var name: String { overlap == "none" ? overlap : "\(overlap) \(exchange)" }
    }

    /// A way to take a step, and the time that each step took: by step, then by rank.
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
        let layout = Learner.Layout(options.network)
        let count = layout.count
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
                    mode: .tree, replicas: replicas, count: count, communicator: communicator, exchange: exchange,
                    gradients: layout.gradients.count)
                try reduction.connect(
                    mode, order: options.network.backwardOrder, bucketBytes: bucketKib.map { $0 << 10 })
                cases.append(Case(mode.rawValue, reduction))
            }
        }
        return cases
    }

    private func measure(_ communicator: any Communicator) throws -> [Row] {
        let subject = options.subject()
        let (learner, state) = (subject.learner, subject.state)
        // Updated, but not used: every step has the same gradient.
        var updated = state
        var optimizerState = subject.optimizerState
        let cases = try cases(communicator)
        let replicas = job.replicas ?? communicator.size
        for step in 0...options.steps {
            for current in cases {
                try communicator.barrier()
                var times = Times()
                let before = Measurement.processorSeconds
                times.step = try Measurement.seconds {
                    for replica in current.reduction.replicas {
                        current.reduction.add(reporting: { vector, finished in
                            learner.writeReplica(
                                subject.batch, state: state, normalizers: subject.counts,
                                generator: CounterGenerator(seed: 0, purpose: "dropout", 0, UInt64(replica)),
                                into: vector, finished: finished)
                        })
                    }
                    var sum: UnsafeMutableBufferPointer<Float>?
                    times.waiting = try Measurement.seconds { sum = try current.reduction.finish() }
                    guard let sum else { return }
                    learner.update(
                        &updated, &optimizerState, sum: sum, replicas: replicas, learningRate: 0.01)
                    if step == 0 {
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
            overlap: measured.overlap, exchange: measured.reduction.exchange.rawValue, ranks: ranks, stepS: step,
            exposedS: exposed, exposedShare: exposed / step, waitingS: median { mean($0, \.waiting) },
            cpuS: median { mean($0, \.cpu) }, digest: measured.digest)
    }
}
