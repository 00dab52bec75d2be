import Compute
import Detection
import Foundation
import Testing

@testable import Network

/// The network against PyTorch in float64, on a batch that is no cube; see scripts/fixtures/network.py.
@Suite struct ParityTests {
    struct Fixture: Decodable {
        struct Tensor: Decodable {
            let norm: Double
            let samples: [Double]
        }
        struct Gradient: Decodable {
            let scale: Double
            let float32_error: Double
            let samples: [Double]
        }
        let shape: [Int]
        let terms: [Double]
        let losses: [Double]
        let output: Tensor
        let evaluation: Tensor
        let float32_output_error: Double
        let gradients: [String: Gradient]
        let statistics: [String: [Double]]
    }

    @Test func threeTrainingSteps() throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/parity", withExtension: "json"))
        let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        let shape = fixture.shape
        let grid = shape[2...].map { $0 / 4 }
        let input = Tensor(shape: shape, values: ClosedForm.image(shape))
        let coord = Tensor(shape: [shape[0], 3] + grid, values: ClosedForm.coordinates(shape))
        let labels = Tensor(shape: [shape[0]] + grid + [3, 5], values: ClosedForm.labels(shape))
        var state = ClosedForm.state()
        let pool = ThreadPool(threads: 2)
        defer { pool.stop() }
        let network = NoduleNetwork(pool: pool)
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        var gradients = [Float](repeating: .nan, count: NoduleNetwork.parameters.count)
        var momentum = [Float](repeating: 0, count: NoduleNetwork.parameters.count)
        for (step, truth) in fixture.losses.enumerated() {
            let output = network.forward(
                state, input: input, coord: coord,
                mode: .training(dropout: 0, generator: CounterGenerator(seed: 0, purpose: "none")))
            let (terms, gradient) = DetectionLoss.evaluate(
                output: output, labels: labels, mining: true, normalizers: counts)
            gradients.withUnsafeMutableBufferPointer {
                network.backward(state, outputGradient: gradient, gradients: $0)
            }
            // The first step is the same computation; later ones carry its rounding on through the weights.
            #expect(abs(terms.total - truth) <= (step == 0 ? 1e-5 : 1e-4) * truth, "loss of step \(step)")
            let kept = NoduleNetwork.statisticsMomentum
            for index in state.statistics.indices {
                state.statistics[index] = (1 - kept) * state.statistics[index] + kept * network.batchStatistics[index]
            }
            if step == 0 {
                check(terms, fixture)
                compare(
                    ClosedForm.sample("output", output.values, count: 512), fixture.output, count: output.count, 2e-5)
                check(gradients, fixture)
                check(statistics: state, fixture)
                let evaluated = network.forward(state, input: input, coord: coord, mode: .evaluation)
                compare(
                    ClosedForm.sample("evaluation", evaluated.values, count: 256), fixture.evaluation,
                    count: evaluated.count, 2e-5)
            }
            network.engine.descend(
                parameters: &state.parameters, momentum: &momentum, gradients: gradients, learningRate: 0.01,
                momentumFactor: 0.9, weightDecay: 1e-4)
        }
    }

    private func check(_ terms: LossTerms, _ fixture: Fixture) {
        let ours = [terms.positiveClassification, terms.negativeClassification] + terms.regression
        for (a, b) in zip(ours, fixture.terms) { #expect(abs(a - b) <= 1e-5 * abs(b)) }
    }

    /// The samples stand for the whole tensor: their error, relative to what as many elements have of its norm.
    private func compare(_ samples: [Double], _ truth: Fixture.Tensor, count: Int, _ tolerance: Double) {
        #expect(error(samples, truth.samples, norm: truth.norm, count: count) <= tolerance)
    }

    private func error(_ samples: [Double], _ truth: [Double], norm: Double, count: Int) -> Double {
        let squares = zip(samples, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return squares.squareRoot() / (norm * (Double(samples.count) / Double(count)).squareRoot())
    }

    /// Every gradient as close to float64 as PyTorch's float32, within a factor of 4. The floor of 4e-6 is for the
    /// tensors on which PyTorch happens to lose nothing: some ten units in the last place of Float.
    private func check(_ gradients: [Float], _ fixture: Fixture) {
        #expect(Set(fixture.gradients.keys) == Set(NoduleNetwork.parameters.entries.map(\.name)))
        for entry in NoduleNetwork.parameters.entries {
            guard let truth = fixture.gradients[entry.name] else { continue }
            let samples = ClosedForm.sample(entry.name, gradients[entry.range], count: truth.samples.count)
            let error = error(samples, truth.samples, norm: truth.scale, count: entry.range.count)
            #expect(error <= 4 * truth.float32_error + 4e-6, "\(entry.name): PyTorch's own \(truth.float32_error)")
        }
    }

    private func check(statistics state: NetworkState, _ fixture: Fixture) {
        for entry in NoduleNetwork.statistics.entries {
            guard let truth = fixture.statistics[entry.name] else {
                Issue.record("no \(entry.name) in the fixture")
                continue
            }
            let ours = ClosedForm.sample(entry.name, state.statistics[entry.range], count: truth.count)
            for (a, b) in zip(ours, truth) { #expect(abs(a - b) <= 1e-5 * max(abs(b), 0.05), "\(entry.name)") }
        }
    }
}
