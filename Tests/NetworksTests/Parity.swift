import Basics
import Testing

@testable import Networks

/// Comparisons with what PyTorch computed in float64, as the fixtures hold it.
enum Parity {
    struct Answer: Decodable {
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

    static func compare(_ name: String, _ tensor: Tensor, _ truth: Answer) {
        let error = distance(ClosedForm.projections(name, tensor.values), truth.projections) / truth.norm
        #expect(error <= 2e-5, "\(name)")
        // No single element may be off by more than its share of what the largest allows.
        let limit = 1e-4 * (truth.samples.map(abs).max() ?? 0)
        let samples = ClosedForm.sample(name, tensor.values, count: truth.samples.count)
        for (a, b) in zip(samples, truth.samples) { #expect(abs(a - b) <= limit, "\(name)") }
    }

    /// An estimate of the L2 distance of two tensors from their projections on vectors of signs.
    private static func distance(_ a: [Double], _ b: [Double]) -> Double {
        (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(a.count)).squareRoot()
    }

    /// Every gradient as close to float64 as PyTorch's float32, within a factor of 4. The floor of 1e-6 is for the
    /// tensors on which PyTorch happens to lose nothing: some ten units in the last place of Float.
    static func check(_ gradients: [Float], _ truths: [String: Gradient], of architecture: Architecture) {
        #expect(Set(truths.keys) == Set(architecture.parameters.entries.map(\.name)))
        for entry in architecture.parameters.entries {
            guard let truth = truths[entry.name] else { continue }
            let values = gradients[entry.range]
            let allowed = 4 * max(truth.float32_error, 1e-6) * truth.scale
            let error = distance(ClosedForm.projections(entry.name, values), truth.projections)
            #expect(error <= allowed, "\(entry.name): PyTorch's own \(truth.float32_error)")
            let samples = ClosedForm.sample(entry.name, values, count: truth.samples.count)
            for (a, b) in zip(samples, truth.samples) { #expect(abs(a - b) <= allowed, "\(entry.name)") }
        }
    }

    static func check(statistics state: NetworkState, _ truths: [String: [Double]]) {
        for entry in state.architecture.statistics.entries {
            guard let truth = truths[entry.name] else {
                Issue.record("no \(entry.name) in the fixture")
                continue
            }
            let ours = ClosedForm.sample(entry.name, state.statistics[entry.range], count: truth.count)
            for (a, b) in zip(ours, truth) { #expect(abs(a - b) <= 1e-5 * max(abs(b), 0.05), "\(entry.name)") }
        }
    }
}
