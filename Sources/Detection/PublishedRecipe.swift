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
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts
    ) -> (terms: LossTerms, gradient: Tensor) {
        DetectionLoss.evaluate(
            output: output, labels: labels, mining: mode == .training, normalizers: normalizers,
            regressionWeight: regressionWeight)
    }

    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox] {
        Decoding.boxes(output, grid: grid, anchors: anchors, threshold: threshold)
    }
}
