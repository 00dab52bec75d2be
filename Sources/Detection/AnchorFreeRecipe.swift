import Basics

/// The dense recipe of networks without anchors, after CPMNet v2: ``AnchorFreeAssignment``'s labels, ``DenseLoss`` with
/// ``AnchorFreeBoxLoss``.
///
/// The seven numbers of a cell are (logit, offset z, y, x in cells, half extent z, y, x in voxels).
struct AnchorFreeRecipe: DenselyLabelledRecipe {
    let regressionWeight: Double

    let anchors: [Double] = []
    let anchorsPerCell = 1
    let components = AnchorFreeAssignment.components
    /// A cell i at voxel 4 i is cell w − 1 − i at voxel 4 i + 3 of the volume that is mirrored back.
    let mirroredOffsetSum = Float(Grid.stride - 1) / Float(Grid.stride)

    /// The weights of positives and negatives in the focal loss: four times α and 1 − α with α = 0.75.
    static let weights = (positive: 3.0, negative: 1.0)

    func place(_ index: Int) -> Double { Double(Grid.stride * index) }

    func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float] {
        AnchorFreeAssignment.labels(grid: grid, nodules: nodules)
    }

    func ignoredAnchors(near nodules: [Box], grid: ZYX<Int>) -> [Int] {
        AnchorFreeAssignment.ignored(near: nodules, grid: grid)
    }

    var labelLegend: String {
        """
        green squares: positive cells; orange squares: the next nearest cells, which are ignored; blue dots: \
        background, of which the hardest cells count.
        """
    }

    var denseLoss: DenseLoss {
        DenseLoss(
            components: components, positiveWeight: Self.weights.positive, negativeWeight: Self.weights.negative,
            regressionWeight: regressionWeight
        ) { output, label in
            let box = AnchorFreeBoxLoss(output: output, label: label)
            return (box.terms, box.gradient)
        }
    }

    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox] {
        precondition(output.count == grid.product * components, "an output of \(output.count) for grid \(grid)")
        var boxes: [ScoredBox] = []
        for cell in 0..<grid.product {
            let numbers = output[cell * components..<(cell + 1) * components].map(Double.init)
            guard numbers[0] > threshold else { continue }
            let place = ZYX(cell / (grid.y * grid.x), cell / grid.x % grid.y, cell % grid.x).map(place)
            let offset = ZYX(numbers[1], numbers[2], numbers[3]).map { $0 * Double(Grid.stride) }
            // A nodule is described by one diameter: the mean of the extents. None is larger than a metre, or smaller
            // than the least extent that is learnt.
            let extent = 2 * (numbers[4] + numbers[5] + numbers[6]) / 3
            let box = Box(center: place + offset, diameter: min(max(extent, AnchorFreeBoxLoss.leastExtent), 1000))
            // A box that has run off to infinity is no finding.
            guard extent.isFinite, box.center.array.allSatisfy({ abs($0) < 1e6 }) else { continue }
            boxes.append(ScoredBox(logit: numbers[0], box: box))
        }
        return boxes
    }
}
