import Basics

/// What the network's output means and how it is learnt: labels of crops, the loss, and boxes of scans.
///
/// The output and the labels are [N, d, h, w, anchors, 5]; what the five numbers are is the recipe's.
public protocol Recipe: Sendable {
    /// The anchors' edge lengths in mm.
    var anchors: [Double] { get }

    /// Makes the labels of a crop, d·h·w·anchors·5 numbers.
    ///
    /// - Parameters:
    ///   - grid: Cells along z, y, x.
    ///   - nodules: All nodules that reach into the crop, the target among them, in crop coordinates.
    ///   - target: The nodule that the crop was made for.
    func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float]

    /// The anchors that are never negatives because a nodule is near, as indices ((z·h + y)·w + x)·anchors + anchor.
    func ignoredAnchors(near nodules: [Box], grid: ZYX<Int>) -> [Int]

    /// What the labels in a picture mean, for people: sentences about green squares (positive), orange squares (ignored) and
    /// blue dots (negative).
    var labelLegend: String { get }

    /// What a micro-batch adds to the counts that scale a step's loss; known from the labels, before the forward pass.
    func counts(labels: Tensor, mode: RecipeMode) -> LossCounts

    /// A micro-batch's share of a step's loss, and its gradient.
    ///
    /// - Parameter normalizers: The step's counts, over all replicas.
    /// - Returns: The terms, which add up over replicas, and the gradient with respect to `output`, of the same shape.
    func loss(
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts
    ) -> (terms: LossTerms, gradient: Tensor)

    /// The boxes of all cells with a logit above a threshold, in the cells' order.
    ///
    /// - Parameters:
    ///   - output: d·h·w·anchors·5 numbers of one volume.
    ///   - grid: Cells along z, y, x.
    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox]
}

extension Recipe {
    /// The boxes of all cells that a detection considers.
    public func boxes(_ output: [Float], grid: ZYX<Int>) -> [ScoredBox] {
        boxes(output, grid: grid, threshold: Decoding.threshold)
    }
}

/// What labels and loss are wanted for.
public enum RecipeMode: Sendable {
    case training
    case validation
}

/// The recipes that luna has, by the names that configurations and files give them.
public enum RecipeName: String, Codable, CaseIterable, Sendable {
    /// The network's own, as published: one positive cell per crop, two mined negatives.
    case published

    /// The recipe with these constants.
    ///
    /// - Parameters:
    ///   - anchors: Edge lengths in mm.
    ///   - regressionWeight: What the gradient of the boxes' loss is multiplied by.
    public func recipe(anchors: [Double], regressionWeight: Double = 1) -> any Recipe {
        switch self {
        case .published: PublishedRecipe(anchors: anchors, regressionWeight: regressionWeight)
        }
    }
}
