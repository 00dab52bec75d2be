import Basics

/// A meaning of the network's output, and how it is learnt: labels of crops, the loss, and boxes of scans.
///
/// The output and the labels are [N, d, h, w, anchors, components]; each recipe says how many anchors a cell has and
/// what the numbers of one are.
public protocol Recipe: Sendable {
    /// The anchors' edge lengths in mm; empty where cells answer for nodules of any size.
    var anchors: [Double] { get }

    /// The number of anchors of a cell, at least 1.
    var anchorsPerCell: Int { get }

    /// The number of numbers for an anchor: the logit or the label, the offsets along z, y and x, and the size.
    var components: Int { get }

    /// The place of a cell along an axis, in voxels, from which offsets count.
    ///
    /// - Parameter index: The cell's index along the axis.
    func place(_ index: Int) -> Double

    /// The sum of a cell's offset along an axis and the offset that it becomes in the mirrored volume.
    var mirroredOffsetSum: Float { get }

    /// The labels of a crop, d·h·w·anchors·components numbers.
    ///
    /// - Parameters:
    ///   - grid: Cells along z, y, x.
    ///   - nodules: All nodules that reach into the crop, the target among them, in crop coordinates.
    ///   - target: The nodule that the crop was made for.
    ///   - mode: Training or validation.
    ///   - generator: The crop's random numbers.
    func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float]

    /// The anchors that are never negatives because a nodule is near, as indices ((z·h + y)·w + x)·anchors + anchor.
    func ignoredAnchors(near nodules: [Box], grid: ZYX<Int>) -> [Int]

    /// The legend of the labels' pictures, for people: sentences about green squares (positive), orange squares
    /// (ignored) and blue dots (negative).
    var labelLegend: String { get }

    /// The counts that a micro-batch adds to those that scale a step's loss; known from the labels, before the forward
    /// pass.
    ///
    /// - Parameters:
    ///   - labels: [N, d, h, w, anchors, components].
    ///   - mode: Training or validation.
    func counts(labels: Tensor, mode: RecipeMode) -> LossCounts

    /// A micro-batch's share of a step's loss, and its gradient.
    ///
    /// - Parameters:
    ///   - output: [N, d, h, w, anchors, components].
    ///   - labels: The same shape.
    ///   - mode: Training or validation.
    ///   - normalizers: The step's counts, over all replicas; nil for sums that `means` divides later.
    /// - Returns: The terms, which add up over replicas, and the gradient with respect to `output`, in the same shape.
    func loss(
        output: Tensor, labels: Tensor, mode: RecipeMode, normalizers: LossCounts?
    ) -> (terms: LossTerms, gradient: Tensor)

    /// The loss of crops whose terms were made without normalizers and added up.
    func means(_ sums: LossTerms) -> LossTerms

    /// The logit above which a cell is decoded when whole scans are searched.
    var decodingThreshold: Double { get }

    /// The boxes of all cells with a logit above a threshold, in the cells' order.
    ///
    /// - Parameters:
    ///   - output: d·h·w·anchors·components numbers of one volume.
    ///   - grid: Cells along z, y, x.
    ///   - threshold: The logit above which a cell is decoded.
    func boxes(_ output: [Float], grid: ZYX<Int>, threshold: Double) -> [ScoredBox]
}

extension Recipe {
    /// The number of edge lengths.
    public var anchorsPerCell: Int { anchors.count }

    /// The number of (logit, dz, dy, dx, dd): 5.
    public var components: Int { Grid.components }

    /// The cell's centre.
    public func place(_ index: Int) -> Double { Grid.center(index) }

    /// The sum 0, since offsets count from the cell's centre and change their sign.
    public var mirroredOffsetSum: Float { 0 }

    /// The boxes of all cells that a detection considers: those with a logit above `decodingThreshold`.
    public func boxes(_ output: [Float], grid: ZYX<Int>) -> [ScoredBox] {
        boxes(output, grid: grid, threshold: decodingThreshold)
    }
}

/// The purpose that labels and loss are wanted for.
public enum RecipeMode: Sendable {
    /// A step of training; `published` draws and mines few negatives.
    case training
    /// A validation; with `published` all negatives count, and the target's cell is one that overlaps it fully, if
    /// there is one. The dense recipes make no difference.
    case validation
}

/// The recipes that luna has, by the names that configurations and files give them.
public enum RecipeName: String, Codable, CaseIterable, Sendable {
    /// The nodule network's own recipe, as published: one positive cell per crop, two mined negatives.
    case published
    /// Several positive cells for every nodule, an ignored band, many mined negatives, focal loss, distance-IoU.
    case dense
    /// The dense recipe of networks without anchors, whose cells give a nodule's half extents in voxels.
    case anchorFree = "anchor-free"

    /// The recipe of this name with given constants.
    ///
    /// - Parameters:
    ///   - anchors: Edge lengths in mm.
    ///   - regressionWeight: The factor of the boxes' gradient.
    public func recipe(anchors: [Double], regressionWeight: Double = 1) -> any Recipe {
        switch self {
        case .published: PublishedRecipe(anchors: anchors, regressionWeight: regressionWeight)
        case .dense: DenseRecipe(anchors: anchors, regressionWeight: regressionWeight)
        case .anchorFree: AnchorFreeRecipe(regressionWeight: regressionWeight)
        }
    }
}
