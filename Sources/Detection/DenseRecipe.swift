import Basics

/// A recipe with many positives: every nodule in a crop is a target of several cells, around them lies a band that is
/// ignored, and all that is left over is background, of which the hardest cells are mined.
///
/// ``DenseAssignment`` makes the labels. The loss is ``DenseLoss`` with the distance-IoU loss of the positives' boxes,
/// ``BoxLoss``. The meaning of the five numbers is the published one: (logit, dz, dy, dx, dd).
struct DenseRecipe: DenselyLabelledRecipe {
    let anchors: [Double]
    let regressionWeight: Double

    /// The weight α of positives in the focal loss; negatives have 1 − α.
    static let positiveWeight = 0.5

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

    var denseLoss: DenseLoss {
        DenseLoss(
            components: components, positiveWeight: Self.positiveWeight, negativeWeight: 1 - Self.positiveWeight,
            regressionWeight: regressionWeight
        ) { output, label in
            let box = BoxLoss(output: output, label: label)
            return (box.terms, box.gradient)
        }
    }

    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox] {
        Decoding.boxes(output, grid: grid, anchors: anchors, threshold: threshold)
    }
}
