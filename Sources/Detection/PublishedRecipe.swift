import Basics

/// The recipe that the nodule network was published with (F. Liao et al., IEEE TNNLS 2019; W. Zhu et al., "DeepLung",
/// WACV 2018): `LabelAssigner`'s labels, `DetectionLoss`, and `Decoding`'s boxes.
struct PublishedRecipe: Recipe {
    let anchors: [Double]
    let regressionWeight: Double

    func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float] {
        LabelAssigner(anchors: anchors).labels(
            grid: grid, nodules: nodules, target: target, mode: mode, generator: &generator)
    }

    func ignoredAnchors(near nodules: [Box], grid: ZYX<Int>) -> [Int] {
        LabelAssigner(anchors: anchors).cells(near: nodules, grid: grid)
    }

    var labelLegend: String {
        """
        green square: the positive cell; orange squares: cells that overlap a nodule a little and are ignored; \
        blue dots: negatives. All other cells are ignored, too.
        """
    }

    func counts(labels: Tensor, mode: RecipeMode) -> LossCounts {
        DetectionLoss.counts(labels: labels, mining: mode == .training)
    }

    func loss(
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts?
    ) -> (terms: LossTerms, gradient: Tensor) {
        DetectionLoss.evaluate(
            output: output, labels: labels, mining: mode == .training,
            normalizers: normalizers ?? LossCounts(positives: 1, negatives: 1),
            regressionWeight: regressionWeight)
    }

    func means(_ sums: LossTerms) -> LossTerms {
        var means = sums
        means.positiveClassification /= max(1, sums.positives)
        means.negativeClassification /= max(1, sums.negatives)
        means.regression = sums.regression.map { $0 / max(1, sums.positives) }
        return means
    }

    var decodingThreshold: Double { Decoding.threshold }

    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox] {
        Decoding.boxes(output, grid: grid, anchors: anchors, threshold: threshold)
    }
}
