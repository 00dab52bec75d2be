import Basics

/// A recipe with many positives: every nodule in a crop is a target of several cells, around them lies a band that is
/// ignored, and all that is left over is background, of which the hardest cells are mined.
///
/// ``DenseAssignment`` makes the labels. The loss is the focal loss of cells (T.-Y. Lin et al., "Focal Loss for Dense
/// Object Detection", ICCV 2017) and the distance-IoU loss of the positives' boxes (Z. Zheng et al., "Distance-IoU
/// Loss", AAAI 2020), both summed and divided by the step's positives. Negatives are mined in each crop by itself, so
/// that the loss does not depend on how crops are dealt to replicas. The meaning of the five numbers is the published
/// one: (logit, dz, dy, dx, dd).
struct DenseRecipe: Recipe {
    let anchors: [Double]
    let regressionWeight: Double

    /// The exponent γ of the focal loss.
    static let focus = 2.0
    /// The weight α of positives in the focal loss; negatives have 1 − α.
    static let positiveWeight = 0.5
    /// The number of negatives that mining keeps for each positive of a crop.
    static let negativesPerPositive = 100
    /// The least number of negatives that mining keeps in a crop.
    static let leastNegatives = 20
    /// The least number that a step's sums are divided by, so that a step of few positives does not take a large step.
    static let leastPositives = 8

    /// p = 0.1: the focal loss leaves background well above the probability 0 that cross-entropy drives it to.
    var decodingThreshold: Double { Elementary.log(0.1 / 0.9) }

    func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float] {
        DenseAssignment(anchors: anchors).labels(grid: grid, nodules: nodules)
    }

    func ignoredAnchors(near nodules: [Box], grid: ZYX<Int>) -> [Int] {
        DenseAssignment(anchors: anchors).band(of: nodules, grid: grid).flatMap { cell in
            anchors.indices.map { cell * anchors.count + $0 }
        }
    }

    var labelLegend: String {
        """
        green squares: positive cells; orange squares: cells near a nodule that are ignored; blue dots: background, \
        of which the hardest cells count.
        """
    }

    func counts(labels: Tensor, mode: RecipeMode) -> LossCounts {
        var counts = LossCounts()
        for crop in crops(of: labels) {
            let (positives, negatives) = cells(of: labels, in: crop)
            counts.positives += positives.count
            counts.negatives += kept(positives: positives.count, of: negatives.count)
        }
        return counts
    }

    func loss(
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts?
    ) -> (terms: LossTerms, gradient: Tensor) {
        precondition(output.shape == labels.shape, "output \(output.shape) and labels \(labels.shape) differ in shape")
        var terms = LossTerms()
        var gradient = Tensor(shape: output.shape)
        let share = normalizers.map { 1 / Double(max(Self.leastPositives, $0.positives)) } ?? 1
        for crop in crops(of: labels) {
            let (positives, negatives) = cells(of: labels, in: crop)
            for cell in positives {
                let logit = Double(output.values[cell])
                let (loss, slope) = FocalLoss.positive(logit, weight: Self.positiveWeight, focus: Self.focus)
                terms.positives += 1
                if logit >= 0 { terms.positivesCorrect += 1 }
                terms.positiveClassification += loss * share
                gradient.values[cell] = Float(slope * share)
                let box = BoxLoss(
                    output: output.values[cell + 1..<cell + Grid.components],
                    label: labels.values[cell + 1..<cell + Grid.components])
                for component in box.terms.indices {
                    terms.regression[component] += box.terms[component] * share
                    gradient.values[cell + 1 + component] = Float(box.gradient[component] * share * regressionWeight)
                }
            }
            let count = kept(positives: positives.count, of: negatives.count)
            for cell in HardestCells.choose(count, of: negatives, logits: output.values) {
                let logit = Double(output.values[cell])
                let (loss, slope) = FocalLoss.negative(logit, weight: 1 - Self.positiveWeight, focus: Self.focus)
                terms.negatives += 1
                if logit < 0 { terms.negativesCorrect += 1 }
                terms.negativeClassification += loss * share
                gradient.values[cell] = Float(slope * share)
            }
        }
        return (terms, gradient)
    }

    func means(_ sums: LossTerms) -> LossTerms {
        var means = sums
        let share = 1 / max(1, sums.positives)
        means.positiveClassification *= share
        means.negativeClassification *= share
        means.regression = sums.regression.map { $0 * share }
        return means
    }

    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox] {
        Decoding.boxes(output, grid: grid, anchors: anchors, threshold: threshold)
    }

    /// The ranges of the numbers of each crop.
    private func crops(of labels: Tensor) -> [Range<Int>] {
        let length = labels.count / max(1, labels.shape[0])
        return (0..<labels.shape[0]).map { $0 * length..<($0 + 1) * length }
    }

    /// The first numbers of the positive and the negative cells in a range.
    private func cells(of labels: Tensor, in crop: Range<Int>) -> (positives: [Int], negatives: [Int]) {
        var (positives, negatives): ([Int], [Int]) = ([], [])
        for cell in stride(from: crop.lowerBound, to: crop.upperBound, by: Grid.components) {
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
