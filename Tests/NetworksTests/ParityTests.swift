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
        struct Tensor: Decodable {
            let norm: Double
            let projections: [Double]
            let samples: [Double]
        }
        struct Gradient: Decodable {
            let scale: Double
            let float32_error: Double
            let projections: [Double]
            let samples: [Double]
        }
        let shape: [Int]
        let profile: ClosedForm.Profile
        let noise: Int
        let terms: [Double]
        let losses: [Double]
        let output: Tensor
        let evaluation: Tensor
        let gradients: [String: Gradient]
        let statistics: [String: [Double]]
    }

    @Test(arguments: [0, 1]) func training(index: Int) throws {
        let fixture = try Repository.fixture("parity.json", as: Fixture.self).cases[index]
        let shape = fixture.shape
        let grid = shape[2...].map { $0 / 4 }
        let input = Tensor(shape: shape, values: ClosedForm.image(shape, noise: fixture.noise))
        let coord = Tensor(shape: [shape[0], 3] + grid, values: ClosedForm.coordinates(shape))
        let labels = Tensor(shape: [shape[0]] + grid + [3, 5], values: ClosedForm.labels(shape))
        var state = ClosedForm.state(fixture.profile)
        let pool = ThreadPool(threads: 2)
        defer { pool.stop() }
        let network = Network(.standard, engine: Engine(pool: pool))
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        var gradients = [Float](repeating: .nan, count: Architecture.standard.parameters.count)
        var momentum = [Float](repeating: 0, count: Architecture.standard.parameters.count)
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
            let kept = Architecture.statisticsMomentum
            for index in state.statistics.indices {
                state.statistics[index] = (1 - kept) * state.statistics[index] + kept * network.batchStatistics[index]
            }
            if step == 0 {
                check(terms, fixture)
                compare("output", output, fixture.output)
                check(gradients, fixture)
                check(statistics: state, fixture)
                let evaluated = network.forward(state, input: input, coord: coord, mode: .evaluation)
                compare("evaluation", evaluated, fixture.evaluation)
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

    private func compare(_ name: String, _ tensor: Tensor, _ truth: Case.Tensor) {
        let error = distance(ClosedForm.projections(name, tensor.values), truth.projections) / truth.norm
        #expect(error <= 2e-5, "\(name)")
        // No single element may be off by more than its share of what the largest allows.
        let limit = 1e-4 * (truth.samples.map(abs).max() ?? 0)
        let samples = ClosedForm.sample(name, tensor.values, count: truth.samples.count)
        for (a, b) in zip(samples, truth.samples) { #expect(abs(a - b) <= limit, "\(name)") }
    }

    /// An estimate of the L2 distance of two tensors from their projections on vectors of signs.
    private func distance(_ a: [Double], _ b: [Double]) -> Double {
        (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(a.count)).squareRoot()
    }

    /// Every gradient as close to float64 as PyTorch's float32, within a factor of 4. The floor of 1e-6 is for the
    /// tensors on which PyTorch happens to lose nothing: some ten units in the last place of Float.
    private func check(_ gradients: [Float], _ fixture: Case) {
        #expect(Set(fixture.gradients.keys) == Set(Architecture.standard.parameters.entries.map(\.name)))
        for entry in Architecture.standard.parameters.entries {
            guard let truth = fixture.gradients[entry.name] else { continue }
            let values = gradients[entry.range]
            let allowed = 4 * max(truth.float32_error, 1e-6) * truth.scale
            let error = distance(ClosedForm.projections(entry.name, values), truth.projections)
            #expect(error <= allowed, "\(entry.name): PyTorch's own \(truth.float32_error)")
            let samples = ClosedForm.sample(entry.name, values, count: truth.samples.count)
            for (a, b) in zip(samples, truth.samples) { #expect(abs(a - b) <= allowed, "\(entry.name)") }
        }
    }

    private func check(statistics state: NetworkState, _ fixture: Case) {
        for entry in Architecture.standard.statistics.entries {
            guard let truth = fixture.statistics[entry.name] else {
                Issue.record("no \(entry.name) in the fixture")
                continue
            }
            let ours = ClosedForm.sample(entry.name, state.statistics[entry.range], count: truth.count)
            for (a, b) in zip(ours, truth) { #expect(abs(a - b) <= 1e-5 * max(abs(b), 0.05), "\(entry.name)") }
        }
    }
}
