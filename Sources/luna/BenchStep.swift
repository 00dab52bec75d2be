import ArgumentParser
import Basics
import Compute
import Detection
import Foundation
import Network

/// Training steps on one batch, timed by their parts.
struct StepMeasurement {
    struct Times {
        let forward, backward, update, whole: Double
    }

    let network: NoduleNetwork
    private(set) var times: [Times] = []

    /// Runs some steps after one that is not counted.
    init(_ subject: consuming BenchSubject, steps: Int) {
        // Updated in place: a second copy of the state would count as memory of the step.
        var subject = consume subject
        let network = subject.network
        self.network = network
        var gradients = [Float](repeating: 0, count: NoduleNetwork.parameters.count)
        var momentum = gradients
        let counts = DetectionLoss.counts(labels: subject.labels, mining: true)
        for step in 0...steps {
            var output = Tensor(shape: [0])
            var outputGradient = output
            let forward = Measurement.seconds {
                output = network.forward(
                    subject.state, input: subject.input, coord: subject.coord,
                    mode: .training(
                        dropout: 0.2, generator: CounterGenerator(seed: 0, purpose: "dropout", UInt64(step))))
            }
            let loss = Measurement.seconds {
                outputGradient =
                    DetectionLoss.evaluate(
                        output: output, labels: subject.labels, mining: true, normalizers: counts
                    ).gradient
            }
            let backward = Measurement.seconds {
                gradients.withUnsafeMutableBufferPointer {
                    network.backward(subject.state, outputGradient: outputGradient, gradients: $0)
                }
            }
            let update = Measurement.seconds {
                network.engine.descend(
                    parameters: &subject.state.parameters, momentum: &momentum, gradients: gradients,
                    learningRate: 0.01,
                    momentumFactor: 0.9, weightDecay: 0.0001)
            }
            guard step > 0 else { continue }
            times.append(
                Times(
                    forward: forward, backward: backward, update: update,
                    whole: forward + loss + backward + update))
        }
    }

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
            gflops: Measurement.trainingFlop(size: options.size, batch: options.batch) / whole / 1e9,
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
