import Basics
import Compute
import Detection
import Foundation
import TestSupport
import Testing

@testable import Networks

/// The network against PyTorch in float64, on batches that are no cubes; see scripts/fixtures/network.py.
@Suite struct ParityTests {
    struct Fixture: Decodable {
        let cases: [Case]
    }
    struct Case: Decodable {
        let shape: [Int]
        let profile: ClosedForm.Profile
        let noise: Int
        let terms: [Double]
        let losses: [Double]
        let output: Parity.Answer
        let evaluation: Parity.Answer
        let gradients: [String: Parity.Gradient]
        let statistics: [String: [Double]]
    }

    @Test(arguments: [("parity.json", 0), ("parity.json", 1), ("gn-parity.json", 0)])
    func training(file: String, index: Int) throws {
        let fixture = try Repository.fixture(file, as: Fixture.self).cases[index]
        let architecture: Architecture = file == "gn-parity.json" ? .noduleNetGN : .noduleNet
        let shape = fixture.shape
        let grid = shape[2...].map { $0 / 4 }
        let input = Tensor(shape: shape, values: ClosedForm.image(shape, noise: fixture.noise))
        let coord = Tensor(shape: [shape[0], 3] + grid, values: ClosedForm.coordinates(shape))
        let labels = Tensor(shape: [shape[0]] + grid + [3, 5], values: ClosedForm.labels(shape))
        var state = ClosedForm.state(fixture.profile, of: architecture)
        let pool = ThreadPool(threads: 2)
        defer { pool.stop() }
        let network = Network(architecture, engine: Engine(pool: pool))
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        var gradients = [Float](repeating: .nan, count: architecture.parameters.count)
        var momentum = [Float](repeating: 0, count: architecture.parameters.count)
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
            let kept = network.architecture.statisticsMomentum
            for index in state.statistics.indices {
                state.statistics[index] = (1 - kept) * state.statistics[index] + kept * network.batchStatistics[index]
            }
            if step == 0 {
                check(terms, fixture)
                Parity.compare("output", output, fixture.output)
                Parity.check(gradients, fixture.gradients, of: architecture)
                Parity.check(statistics: state, fixture.statistics)
                let evaluated = network.forward(state, input: input, coord: coord, mode: .evaluation)
                Parity.compare("evaluation", evaluated, fixture.evaluation)
            }
            gradients.withUnsafeBufferPointer {
                network.engine.descend(
                    parameters: &state.parameters, momentum: &momentum, gradients: $0, learningRate: 0.01,
                    momentumFactor: 0.9, weightDecay: 1e-4)
            }
        }
    }

    private func check(_ terms: LossTerms, _ fixture: Case) {
        let ours = [terms.positiveClassification, terms.negativeClassification] + terms.regression
        for (a, b) in zip(ours, fixture.terms) { #expect(abs(a - b) <= 1e-5 * abs(b)) }
    }
}
