// From the network's output to boxes: decode the cells above a threshold.

import Basics

/// A box and the network's confidence in it.
public struct ScoredBox: Hashable, Sendable {
    /// The confidence before the sigmoid.
    public var logit: Double
    /// The place and size, in voxels of the volume.
    public var box: Box

    /// Creates a box with a confidence.
    public init(logit: Double, box: Box) {
        self.logit = logit
        self.box = box
    }

    /// The confidence as a probability, 0 … 1.
    public var probability: Double { DetectionLoss.sigmoid(logit) }
}

/// The way from a network's output to findings: boxes of confident cells, suppression, voting.
public enum Decoding {
    /// The logit above which a cell is decoded.
    public static let threshold = -3.0

    /// The boxes of all cells with a logit above a threshold, in the cells' order.
    ///
    /// - Parameters:
    ///   - output: d·h·w·anchors·5 values of one volume.
    ///   - grid: Cells along z, y, x.
    ///   - anchors: Edge lengths in mm.
    ///   - threshold: The logit above which a cell is decoded.
    /// - Precondition: The output has the grid's size.
    public static func boxes(
        _ output: [Float], grid: ZYX<Int>, anchors: [Double], threshold: Double = Decoding.threshold
    ) -> [ScoredBox] {
        precondition(
            output.count == grid.product * anchors.count * Grid.components,
            "an output of \(output.count) for grid \(grid)")
        var boxes: [ScoredBox] = []
        for cell in 0..<grid.product * anchors.count {
            let first = Grid.components * cell
            let logit = Double(output[first])
            guard logit > threshold else { continue }
            let anchor = anchors[cell % anchors.count]
            let place = cell / anchors.count
            let center = ZYX(place / (grid.y * grid.x), place / grid.x % grid.y, place % grid.x).map(Grid.center)
            let offset = ZYX(1, 2, 3).map { Double(output[first + $0]) * anchor }
            // A wild size would overflow: no nodule is larger than a metre, or smaller than a hundredth of an anchor.
            let size = anchor * Elementary.exp(min(max(Double(output[first + 4]), -5), 6))
            let box = Box(center: center + offset, diameter: size)
            // A box that has run off to infinity is no finding.
            guard size.isFinite, box.center.array.allSatisfy({ abs($0) < 1e6 }) else { continue }
            boxes.append(ScoredBox(logit: logit, box: box))
        }
        return boxes
    }
}
