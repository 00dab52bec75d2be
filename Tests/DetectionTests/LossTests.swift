import Basics
import Testing

@testable import Detection

@Suite struct LossTests {
    private let shape = [2, 2, 3, 2, 3, 5]

    private func batch(positives: Bool = true) -> (output: Tensor, labels: Tensor) {
        var generator = CounterGenerator(seed: 7, purpose: "loss test")
        let count = shape.reduce(1, *)
        let output = Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-2, 2)) })
        var labels = Tensor(shape: shape)
        for cell in stride(from: 0, to: count, by: 5) {
            labels.values[cell] = generator.uniform() < 0.3 ? 0 : -1
        }
        for cell in positives ? [10, 115, 200] : [] {
            labels.values[cell] = 1
            for component in 1..<5 { labels.values[cell + component] = Float(generator.uniform(-2, 2)) }
        }
        return (output, labels)
    }

    @Test(arguments: [true, false], [true, false]) func gradientIsTheDerivative(_ mining: Bool, _ positives: Bool) {
        let (output, labels) = batch(positives: positives)
        let counts = DetectionLoss.counts(labels: labels, mining: mining)
        func loss(_ values: [Float]) -> Double {
            DetectionLoss.evaluate(
                output: Tensor(shape: shape, values: values), labels: labels, mining: mining, normalizers: counts
            ).terms.total
        }
        let gradient = DetectionLoss.evaluate(output: output, labels: labels, mining: mining, normalizers: counts)
            .gradient
        for index in output.values.indices {
            var (above, below) = (output.values, output.values)
            above[index] += 1.0 / 1024
            below[index] -= 1.0 / 1024
            let truth = (loss(above) - loss(below)) * 512
            #expect(abs(Double(gradient.values[index]) - truth) < 2e-4, "element \(index)")
        }
    }

    /// The weight multiplies the boxes' gradient, and neither the classification's nor what is logged.
    @Test func regressionWeight() {
        let (output, labels) = batch(positives: true)
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        let plain = DetectionLoss.evaluate(output: output, labels: labels, mining: true, normalizers: counts)
        let weighted = DetectionLoss.evaluate(
            output: output, labels: labels, mining: true, normalizers: counts, regressionWeight: 4)
        #expect(weighted.terms == plain.terms)
        for (index, value) in plain.gradient.values.enumerated() {
            #expect(weighted.gradient.values[index] == (index % 5 == 0 ? value : 4 * value))
        }
    }

    @Test func handComputed() {
        // Two positives, of which one is right, three negatives, of which mining keeps two.
        var output = Tensor(shape: [1, 1, 1, 5, 1, 5])
        var labels = output
        for (cell, pair) in [(2.0, 1.0), (-1.0, 1.0), (3.0, -1.0), (-5.0, -1.0), (0.5, -1.0)].enumerated() {
            output.values[5 * cell] = Float(pair.0)
            labels.values[5 * cell] = Float(pair.1)
        }
        output.values[1] = 0.5  // ½ · 0.5²
        output.values[7] = -3  // 3 − ½
        let counts = DetectionLoss.counts(labels: labels, mining: true)
        #expect(counts == LossCounts(positives: 2, negatives: 2))
        let terms = DetectionLoss.evaluate(output: output, labels: labels, mining: true, normalizers: counts).terms
        // log(1 + e^-2) = 0.126928, log(1 + e) = 1.313262, log(1 + e^3) = 3.048587, log(1 + e^0.5) = 0.974077
        #expect(abs(terms.positiveClassification - (0.126928 + 1.313262) / 4) < 1e-6)
        #expect(abs(terms.negativeClassification - (3.048587 + 0.974077) / 4) < 1e-6)
        #expect(terms.regression == [0.0625, 1.25, 0, 0])
        #expect(Array(terms.vector[6...]) == [1, 2, 0, 2])
    }

    /// A step's crops on two replicas, or on one: the same loss, as long as mining picks the same cells.
    @Test func sharesAddUp() {
        let (output, labels) = batch()
        let half = output.count / 2
        func part(_ tensor: Tensor, _ index: Int) -> Tensor {
            Tensor(shape: [1] + shape[1...], values: Array(tensor.values[index * half..<(index + 1) * half]))
        }
        let counts = DetectionLoss.counts(labels: labels, mining: false)
        let whole = DetectionLoss.evaluate(output: output, labels: labels, mining: false, normalizers: counts)
        let parts = (0..<2).map {
            DetectionLoss.evaluate(
                output: part(output, $0), labels: part(labels, $0), mining: false, normalizers: counts)
        }
        let sum = parts[0].terms + parts[1].terms
        for (a, b) in zip(sum.vector, whole.terms.vector) { #expect(abs(a - b) < 1e-12) }
        let joined: [Float] = parts[0].gradient.values + parts[1].gradient.values
        #expect(joined == whole.gradient.values)
    }

    @Test func miningTakesTheHardestAndTheFirstOfEquals() {
        var output = Tensor(shape: [1, 1, 1, 6, 1, 5])
        var labels = output
        for cell in 0..<6 {
            output.values[5 * cell] = [0, 4, 1, 4, 4, 2][cell]
            labels.values[5 * cell] = -1
        }
        let gradient = DetectionLoss.evaluate(
            output: output, labels: labels, mining: true, normalizers: LossCounts(positives: 0, negatives: 2)
        ).gradient
        let chosen = (0..<6).filter { gradient.values[5 * $0] != 0 }
        #expect(chosen == [1, 3])
    }
}
