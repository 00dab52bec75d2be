// The choice of cells and anchors that answer for a nodule, of those that answer for its absence, and of those that do
// not count.
//
// A cell whose anchor overlaps a nodule a little (IoU ≥ 0.02) is neither: it is ignored. Of the many other cells a crop
// keeps 800 drawn at random as negatives: enough for mining the hardest, few enough that no easy background swamps the
// count. The crop's target, if it has one, is given to a single cell drawn among those that overlap it well.

import Basics

/// The published assignment of labels to a crop's cells, [d, h, w, anchor, 5].
///
/// The five components are (label, dz, dy, dx, dd); the label is 1 for the target, −1 for a negative, 0 for an ignored
/// cell.
public struct LabelAssigner: Sendable {
    /// The anchors' edge lengths in mm.
    public let anchors: [Double]

    /// The overlap with a nodule from which on a cell is no negative.
    static let ignoreOverlap = 0.02
    /// The overlap with the target from which on a cell may be its positive, in training.
    static let trainingOverlap = 0.5
    /// The overlap with the target from which on a cell may be its positive, in validation.
    static let validationOverlap = 1.0
    /// The number of negatives that a crop keeps in training.
    static let keptNegatives = 800

    /// Creates an assigner.
    ///
    /// - Parameter anchors: Edge lengths in mm.
    public init(anchors: [Double]) { self.anchors = anchors }

    /// The labels of a crop.
    ///
    /// In training 800 negatives are kept, and the target's cell is one of those with IoU ≥ 0.5; in validation all
    /// negatives are kept, and it is one of those with IoU 1.
    ///
    /// - Parameters:
    ///   - grid: Cells along z, y, x.
    ///   - nodules: All nodules that reach into the crop, the target among them, in crop coordinates.
    ///   - target: The nodule that the crop was made for.
    ///   - mode: Training or validation.
    ///   - generator: The crop's random numbers.
    /// - Returns: d·h·w·anchors·5 floats.
    public func labels(
        grid: ZYX<Int>, nodules: [Box], target: Box?, mode: RecipeMode, generator: inout CounterGenerator
    ) -> [Float] {
        let count = grid.product * anchors.count
        var classes = [Float](repeating: -1, count: count)
        for cell in cells(near: nodules, grid: grid) { classes[cell] = 0 }
        if mode == .training { keepSome(&classes, &generator) }
        var labels = [Float](repeating: 0, count: Grid.components * count)
        for cell in 0..<count { labels[Grid.components * cell] = classes[cell] }
        if let target {
            let threshold = mode == .training ? Self.trainingOverlap : Self.validationOverlap
            let candidates = cells(overlapping: target, by: threshold, grid: grid)
            let cell =
                candidates.isEmpty
                ? nearestCell(to: target, grid: grid) : candidates[generator.integer(in: 0..<candidates.count)]
            let offsets = encode(target, cell: cell, grid: grid)
            let first = Grid.components * cell
            labels.replaceSubrange(first..<first + Grid.components, with: [1] + offsets)
        }
        return labels
    }

    /// The cells that overlap a nodule a little, and are therefore never negatives; indices as in
    /// `cells(overlapping:by:grid:)`.
    public func cells(near nodules: [Box], grid: ZYX<Int>) -> [Int] {
        Set(nodules.flatMap { cells(overlapping: $0, by: Self.ignoreOverlap, grid: grid) }).sorted()
    }

    /// The cells whose anchor overlaps a box by at least `threshold`, as indices ((z·h + y)·w + x)·anchors + anchor.
    func cells(overlapping box: Box, by threshold: Double, grid: ZYX<Int>) -> [Int] {
        var found: [Int] = []
        for (index, anchor) in anchors.enumerated() {
            // Only cells within reach can overlap at all.
            let reach = (anchor + box.diameter) / 2
            let ranges = ZYX(0, 1, 2).map { axis in
                let low = Grid.position(box.center[axis] - reach).rounded(.down)
                let high = Grid.position(box.center[axis] + reach).rounded(.up)
                let first = min(max(0, Int(low)), grid[axis])
                return first..<max(first, min(grid[axis], Int(high) + 1))
            }
            for z in ranges.z {
                for y in ranges.y {
                    for x in ranges.x {
                        let cell = Box(
                            center: ZYX(Grid.center(z), Grid.center(y), Grid.center(x)), diameter: anchor)
                        if cell.overlap(box) >= threshold {
                            found.append(((z * grid.y + y) * grid.x + x) * anchors.count + index)
                        }
                    }
                }
            }
        }
        return found.sorted()
    }

    /// Leaves `keptNegatives` negatives, drawn without replacement, and ignores the others.
    private func keepSome(_ classes: inout [Float], _ generator: inout CounterGenerator) {
        var negatives = classes.indices.filter { classes[$0] < 0 }
        guard negatives.count > Self.keptNegatives else { return }
        for place in 0..<Self.keptNegatives {
            negatives.swapAt(place, generator.integer(in: place..<negatives.count))
        }
        for cell in negatives[Self.keptNegatives...] { classes[cell] = 0 }
    }

    /// The cell for a target that no anchor fits: the one nearest its centre, with the anchor nearest its size in
    /// ratio.
    private func nearestCell(to box: Box, grid: ZYX<Int>) -> Int {
        let cell = ZYX(0, 1, 2).map { axis in
            min(max(0, Int(Grid.position(box.center[axis]).rounded(.toNearestOrEven))), grid[axis] - 1)
        }
        let distances = anchors.map { abs(Elementary.log(box.diameter / $0)) }
        let anchor = distances.indices.min { distances[$0] < distances[$1] } ?? 0
        return ((cell.z * grid.y + cell.y) * grid.x + cell.x) * anchors.count + anchor
    }

    /// The regression targets of a cell: (c − cell centre)/anchor for z, y, x, and log(d/anchor).
    private func encode(_ box: Box, cell: Int, grid: ZYX<Int>) -> [Float] {
        let anchor = anchors[cell % anchors.count]
        let place = cell / anchors.count
        let center = ZYX(place / (grid.y * grid.x), place / grid.x % grid.y, place % grid.x).map(Grid.center)
        let offset = (box.center - center).map { Float($0 / anchor) }
        return offset.array + [Float(Elementary.log(box.diameter / anchor))]
    }
}
