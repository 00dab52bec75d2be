import Basics

/// The loss of recipes that have several positives for every nodule, many mined negatives, and cells that do not count.
///
/// Classification is the focal loss (T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017) of positives
/// and of each crop's hardest negatives; every positive has a loss of its box. All is summed and divided by the step's
/// positives. Negatives are mined in each crop by itself, so that the loss does not depend on how crops are dealt to
/// replicas.
struct DenseLoss {
    /// The number of numbers for an anchor, of which the first is the logit.
    let components: Int
    /// The factors of the focal loss of positives and of negatives.
    let positiveWeight: Double
    let negativeWeight: Double
    /// The factor of the boxes' gradient.
    let regressionWeight: Double
    /// The loss of a positive's box, from its numbers behind the logit and those of its label: four parts, and the
    /// derivatives with respect to the numbers.
    let box: (_ output: ArraySlice<Float>, _ label: ArraySlice<Float>) -> (terms: [Double], gradient: [Double])

    /// The exponent γ of the focal loss.
    static let focus = 2.0
    /// The number of negatives that mining keeps for each positive of a crop.
    static let negativesPerPositive = 100
    /// The least number of negatives that mining keeps in a crop.
    static let leastNegatives = 20
    /// The least number that a step's sums are divided by, so that a step of few positives does not take a large step.
    static let leastPositives = 8

    /// The counts that a micro-batch adds to those that scale a step's loss.
    ///
    /// - Parameter labels: [N, d, h, w, anchors, components].
    func counts(_ labels: Tensor) -> LossCounts {
        var counts = LossCounts()
        for crop in crops(of: labels) {
            let (positives, negatives) = cells(of: labels, in: crop)
            counts.positives += positives.count
            counts.negatives += kept(positives: positives.count, of: negatives.count)
        }
        return counts
    }

    /// A micro-batch's share of a step's loss, and its gradient.
    ///
    /// - Parameters:
    ///   - output: [N, d, h, w, anchors, components].
    ///   - labels: The same shape.
    ///   - normalizers: The step's counts, over all replicas; nil for sums that `means` divides later.
    func evaluate(
        output: Tensor, labels: Tensor, normalizers: LossCounts?
    ) -> (terms: LossTerms, gradient: Tensor) {
        precondition(output.shape == labels.shape, "output \(output.shape) and labels \(labels.shape) differ in shape")
        var terms = LossTerms()
        var gradient = Tensor(shape: output.shape)
        let share = normalizers.map { 1 / Double(max(Self.leastPositives, $0.positives)) } ?? 1
        for crop in crops(of: labels) {
            let (positives, negatives) = cells(of: labels, in: crop)
            for cell in positives {
                let logit = Double(output.values[cell])
                let (loss, slope) = FocalLoss.positive(logit, weight: positiveWeight, focus: Self.focus)
                terms.positives += 1
                if logit >= 0 { terms.positivesCorrect += 1 }
                terms.positiveClassification += loss * share
                gradient.values[cell] = Float(slope * share)
                let box = self.box(
                    output.values[cell + 1..<cell + components], labels.values[cell + 1..<cell + components])
                for part in box.terms.indices { terms.regression[part] += box.terms[part] * share }
                for component in box.gradient.indices {
                    gradient.values[cell + 1 + component] = Float(box.gradient[component] * share * regressionWeight)
                }
            }
            let count = kept(positives: positives.count, of: negatives.count)
            for cell in HardestCells.choose(count, of: negatives, logits: output.values) {
                let logit = Double(output.values[cell])
                let (loss, slope) = FocalLoss.negative(logit, weight: negativeWeight, focus: Self.focus)
                terms.negatives += 1
                if logit < 0 { terms.negativesCorrect += 1 }
                terms.negativeClassification += loss * share
                gradient.values[cell] = Float(slope * share)
            }
        }
        return (terms, gradient)
    }

    /// The loss of crops whose terms were made without normalizers and added up.
    static func means(_ sums: LossTerms) -> LossTerms {
        var means = sums
        let share = 1 / max(1, sums.positives)
        means.positiveClassification *= share
        means.negativeClassification *= share
        means.regression = sums.regression.map { $0 * share }
        return means
    }

    /// The ranges of the numbers of each crop.
    private func crops(of labels: Tensor) -> [Range<Int>] {
        let length = labels.count / max(1, labels.shape[0])
        return (0..<labels.shape[0]).map { $0 * length..<($0 + 1) * length }
    }

    /// The first numbers of the positive and the negative cells in a range.
    private func cells(of labels: Tensor, in crop: Range<Int>) -> (positives: [Int], negatives: [Int]) {
        var (positives, negatives): ([Int], [Int]) = ([], [])
        for cell in stride(from: crop.lowerBound, to: crop.upperBound, by: components) {
            if labels.values[cell] > 0.5 { positives.append(cell) }
            if labels.values[cell] < -0.5 { negatives.append(cell) }
        }
        return (positives, negatives)
    }

    /// The number of a crop's negatives that mining keeps.
    private func kept(positives: Int, of negatives: Int) -> Int {
        min(negatives, max(Self.leastNegatives, Self.negativesPerPositive * positives))
    }
}

/// A recipe that learns by ``DenseLoss``.
protocol DenselyLabelledRecipe: Recipe {
    /// The loss, with the recipe's own box loss and weights.
    var denseLoss: DenseLoss { get }
}

extension DenselyLabelledRecipe {
    /// p = 0.1: the focal loss leaves background well above the probability 0 that cross-entropy drives it to.
    var decodingThreshold: Double { Elementary.log(0.1 / 0.9) }

    func counts(labels: Tensor, mode: RecipeMode) -> LossCounts { denseLoss.counts(labels) }

    func loss(
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts?
    ) -> (terms: LossTerms, gradient: Tensor) {
        denseLoss.evaluate(output: output, labels: labels, normalizers: normalizers)
    }

    func means(_ sums: LossTerms) -> LossTerms { DenseLoss.means(sums) }
}
