import Basics
import Testing

@testable import Detection

@Suite struct DenseLossTests {
    private let recipe = RecipeName.dense.recipe(anchors: [5, 10, 20])
    private let shape = [2, 3, 3, 3, 3, 5]

    /// Random outputs; crop 0 has three positives and background, crop 1 background only.
    private func batch(seed: UInt64 = 5) -> (output: Tensor, labels: Tensor) {
        var generator = CounterGenerator(seed: seed, purpose: "dense loss test")
        let count = shape.reduce(1, *)
        let output = Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-1, 1)) })
        var labels = Tensor(shape: shape)
        for cell in stride(from: 0, to: count, by: 5) { labels.values[cell] = generator.uniform() < 0.3 ? 0 : -1 }
        for cell in [10, 115, 200] {
            labels.values[cell] = 1
            for component in 1..<5 { labels.values[cell + component] = Float(generator.uniform(-0.5, 0.5)) }
        }
        return (output, labels)
    }

    /// The values of the formulas: α (1 − p)² times cross-entropy, at α = ½ and γ = 2.
    @Test func focalLoss() {
        for (logit, loss) in [(0.0, 0.0866434), (2.0, 0.000901778), (-2.0, 0.825039)] {
            #expect(abs(FocalLoss.positive(logit, weight: 0.5, focus: 2).loss - loss) < 1e-6, "\(logit)")
            #expect(abs(FocalLoss.negative(-logit, weight: 0.5, focus: 2).loss - loss) < 1e-6, "\(logit)")
        }
        for logit in stride(from: -30.0, through: 30, by: 1.7) {
            let step = 1.0 / 4096
            for loss in [FocalLoss.positive, FocalLoss.negative] {
                let truth = (loss(logit + step, 0.5, 2).loss - loss(logit - step, 0.5, 2).loss) / (2 * step)
                let slope = loss(logit, 0.5, 2).slope
                #expect(abs(slope - truth) <= 1e-5 * max(1, abs(truth)), "\(logit)")
            }
        }
        for logit in [-800.0, 800] {
            #expect(FocalLoss.positive(logit, weight: 0.5, focus: 2).loss.isFinite)
            #expect(FocalLoss.negative(logit, weight: 0.5, focus: 2).slope.isFinite)
        }
    }

    /// Cubes of 10 and 8 at a distance of (2, 1, 0) have IoU 448/1064 and distance-IoU 0.405476; of 4 and 4, ten apart,
    /// 0 and −0.438596.
    @Test func distanceIoU() {
        func loss(_ output: [Float], _ label: [Float]) -> Double {
            BoxLoss(output: output[...], label: label[...]).terms.reduce(0, +)
        }
        // In units of an anchor of 10 and of 4.
        let size = Float(Elementary.log(0.8))
        #expect(abs(loss([0, 0, 0, 0], [0.2, 0.1, 0, size]) - (1 - 0.405476)) < 1e-5)
        #expect(abs(loss([0, 0, 0, 0], [2.5, 0, 0, 0]) - (1 + 0.438596)) < 1e-5)
        #expect(abs(loss([0.3, -0.1, 0.2, 0.4], [0.3, -0.1, 0.2, 0.4])) < 1e-6)
    }

    /// The gradient is the derivative with the diagonal held, which is what finite differences of the same expression
    /// give.
    @Test(arguments: [UInt64](1...12)) func boxGradientIsTheDerivative(_ seed: UInt64) {
        var generator = CounterGenerator(seed: seed, purpose: "box")
        let spread = seed % 2 == 0 ? 0.4 : 1.5
        let output = (0..<4).map { _ in Float(generator.uniform(-spread, spread)) }
        let label = (0..<4).map { _ in Float(generator.uniform(-spread, spread)) }
        let box = BoxLoss(output: output[...], label: label[...])
        func diagonal(_ values: [Double]) -> Double {
            let (size, target) = (Elementary.exp(values[3]), Elementary.exp(Double(label[3])))
            return (0..<3).reduce(0) { sum, axis in
                let high = max(values[axis] + size / 2, Double(label[axis]) + target / 2)
                let low = min(values[axis] - size / 2, Double(label[axis]) - target / 2)
                return sum + (high - low) * (high - low)
            }
        }
        let here = output.map(Double.init)
        func loss(_ values: [Double]) -> Double {
            let box = BoxLoss(output: values.map { Float($0) }[...], label: label[...])
            // The distance's part as if the diagonal had not moved.
            let distance = box.terms[..<3].reduce(0, +) * diagonal(values) / diagonal(here)
            return distance + box.terms[3]
        }
        for component in 0..<4 {
            var (above, below) = (here, here)
            above[component] += 1.0 / 512
            below[component] -= 1.0 / 512
            let truth = (loss(above) - loss(below)) * 256
            #expect(abs(box.gradient[component] - truth) < 3e-3, "component \(component)")
        }
    }

    /// Classification's gradient within a whole batch, with what mining leaves out at 0.
    @Test func classificationGradientIsTheDerivative() {
        let (output, labels) = batch()
        let counts = recipe.counts(labels: labels, mode: .training)
        func loss(_ values: [Float]) -> Double {
            recipe.loss(
                output: Tensor(shape: shape, values: values), labels: labels, mode: .training, normalizers: counts
            ).terms.classification
        }
        let (terms, gradient) = recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts)
        #expect(terms.positives == 3 && Int(terms.negatives) == counts.negatives)
        // Crop 0 keeps all of its background, crop 1 twenty cells.
        var kept = 0
        for cell in stride(from: 0, to: output.count, by: 5) {
            var (above, below) = (output.values, output.values)
            above[cell] += 1.0 / 4096
            below[cell] -= 1.0 / 4096
            let truth = (loss(above) - loss(below)) * 2048
            #expect(abs(Double(gradient.values[cell]) - truth) < 1e-4, "cell \(cell)")
            if cell >= output.count / 2, gradient.values[cell] != 0 { kept += 1 }
        }
        #expect(kept == 20)
    }

    /// Crops together, or each by itself with the counts of both: the same loss and the same bits of gradients.
    @Test func cropsMayBeDealtOutAnyhow() {
        let (output, labels) = batch()
        let counts = recipe.counts(labels: labels, mode: .training)
        let whole = recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts)
        var (gradient, terms): ([Float], LossTerms) = ([], LossTerms())
        let half = output.count / 2
        for range in [0..<half, half..<output.count] {
            func part(_ tensor: Tensor) -> Tensor {
                Tensor(shape: [1] + shape.dropFirst(), values: Array(tensor.values[range]))
            }
            let share = recipe.loss(
                output: part(output), labels: part(labels), mode: .training, normalizers: counts)
            gradient += share.gradient.values
            terms = terms + share.terms
        }
        #expect(gradient == whole.gradient.values)
        #expect(abs(terms.total - whole.terms.total) < 1e-12)
        #expect(terms.negatives == whole.terms.negatives)
    }

    /// A step of few positives is divided by 8; sums without normalizers become means over positives.
    @Test func scales() {
        let (output, labels) = batch()
        func loss(_ counts: LossCounts?) -> LossTerms {
            recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts).terms
        }
        let sums = loss(nil)
        #expect(abs(loss(LossCounts(positives: 3, negatives: 9)).total - sums.total / 8) < 1e-12)
        #expect(abs(loss(LossCounts(positives: 16, negatives: 9)).total - sums.total / 16) < 1e-12)
        #expect(abs(recipe.means(sums).total - sums.total / 3) < 1e-12)
    }

    /// A crop without a nodule still has a loss and a gradient.
    @Test func emptyCrops() {
        let output = Tensor(shape: [1, 3, 3, 3, 3, 5])
        var labels = output
        for cell in stride(from: 0, to: labels.count, by: 5) { labels.values[cell] = -1 }
        let counts = recipe.counts(labels: labels, mode: .training)
        #expect(counts == LossCounts(positives: 0, negatives: 20))
        let (terms, gradient) = recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts)
        #expect(terms.total > 0 && gradient.values.contains { $0 > 0 })
    }
}
