import ArgumentParser
import Basics
import Compute
import Detection
import Foundation
import Learning
import Networks

/// Training steps on one batch, timed by their parts.
struct StepMeasurement {
    struct Times {
        let forward, backward, update, whole: Double
    }

    let network: Network
    private(set) var times: [Times] = []

    /// Runs some steps after one that is not counted, which has the number 0.
    ///
    /// - Parameter spans: A log for the time of the layers.
    init(_ subject: consuming BenchSubject, steps: Int, spans: SpanLog? = nil) {
        // Updated in place: a second copy of the state would count as memory of the step.
        var subject = consume subject
        let learner = subject.learner
        network = learner.network
        network.engine.spans = spans
        var vector = [Float](repeating: 0, count: learner.layout.count)
        for step in 0...steps {
            spans?.setStep(step)
            let times = vector.withUnsafeMutableBufferPointer { vector in
                var begins: [ContinuousClock.Instant] = []
                learner.writeReplica(
                    subject.batch, state: subject.state, normalizers: subject.counts,
                    generator: CounterGenerator(seed: 0, purpose: "dropout", UInt64(step)), into: vector,
                    entering: { _ in begins.append(.now) })
                begins.append(.now)
                learner.update(
                    &subject.state, &subject.optimizerState, sum: vector, replicas: 1, learningRate: 0.01)
                begins.append(.now)
                // Forward, loss, backward, update.
                let seconds = zip(begins, begins.dropFirst()).map { ($1 - $0) / .seconds(1) }
                return Times(
                    forward: seconds[0], backward: seconds[2], update: seconds[3], whole: seconds.reduce(0, +))
            }
            if step > 0 { self.times.append(times) }
        }
    }

    func mean(_ part: (Times) -> Double) -> Double { times.reduce(0) { $0 + part($1) } / Double(times.count) }

    func median(_ part: (Times) -> Double) -> Double { times.map(part).median ?? .nan }
}

struct BenchStep: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "step", abstract: "A whole training step.")

    @OptionGroup var options: BenchOptions

    private struct Result: Encodable {
        let stepS, forwardS, backwardS, updateS: Double
        let peakRssBytes, activationBytes: Int
        let gflops: Double
        let isa: String
        let size, batch, threads, steps: Int
    }

    func run() throws {
        Startup.prepare()
        let measured = StepMeasurement(options.subject(), steps: options.steps)
        let network = measured.network
        let whole = measured.median(\.whole)
        let result = Result(
            stepS: whole, forwardS: measured.median(\.forward), backwardS: measured.median(\.backward),
            updateS: measured.median(\.update), peakRssBytes: Measurement.peakResidentBytes,
            activationBytes: network.engine.plannedBytes,
            gflops: options.flop(training: true) / whole / 1e9,
            isa: "\(network.engine.instructionSet)", size: options.size, batch: options.batch,
            threads: network.engine.pool.threads, steps: options.steps)
        print(
            String(
                format: "%d x %d^3, %@, %d threads: step %.3f s (forward %.3f, backward %.3f, update %.3f), "
                    + "%.0f GFLOP/s direct-equivalent, %d MiB of which activations %d",
                options.batch, options.size, result.isa, result.threads, whole, result.forwardS, result.backwardS,
                result.updateS, result.gflops, result.peakRssBytes >> 20, result.activationBytes >> 20))
        if options.json { try Measurement.printJSON(result) }
    }
}
