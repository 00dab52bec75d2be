import Basics

/// A cube, as nodules and anchors are compared. Coordinates are in voxels of 1 mm, of a crop or of a clean volume.
public struct Box: Hashable, Sendable {
    /// The centre in voxels; voxel 0 has its centre at 0.
    public var center: ZYX<Double>
    /// The edge length in mm.
    public var diameter: Double

    /// Creates a cube.
    ///
    /// - Parameters:
    ///   - center: Its centre in voxels.
    ///   - diameter: Its edge length in mm.
    public init(center: ZYX<Double>, diameter: Double) {
        self.center = center
        self.diameter = diameter
    }

    /// The intersection over union of two cubes: 0 for disjoint ones, 1 for equal ones.
    public func overlap(_ other: Box) -> Double {
        var intersection = 1.0
        for axis in 0..<3 {
            let low = max(center[axis] - diameter / 2, other.center[axis] - other.diameter / 2)
            let high = min(center[axis] + diameter / 2, other.center[axis] + other.diameter / 2)
            if high <= low { return 0 }
            intersection *= high - low
        }
        let (a, b) = (diameter * diameter * diameter, other.diameter * other.diameter * other.diameter)
        return intersection / (a + b - intersection)
    }
}

/// The grid of cells that the network predicts on: one cell for every 4 voxels.
public enum Grid {
    /// The edge length of a cell in voxels.
    public static let stride = 4
    /// The number of numbers that the network gives for an anchor of a cell: (logit, dz, dy, dx, dd).
    public static let components = 5

    /// The centre of a cell along an axis in voxels, whose own centres are whole numbers: 1.5 for cell 0.
    ///
    /// - Parameter index: The cell's index along the axis.
    public static func center(_ index: Int) -> Double { Double(stride - 1) / 2 + Double(stride * index) }

    /// The position of a place in cells along an axis: 0 at the centre of cell 0. The inverse of `center`.
    ///
    /// - Parameter place: The place in voxels.
    public static func position(_ place: Double) -> Double { (place - center(0)) / Double(stride) }

    /// The number of cells that cover an extent along an axis, the last one perhaps only in part.
    ///
    /// - Parameter voxels: The extent in voxels.
    public static func cells(covering voxels: Int) -> Int { (voxels + stride - 1) / stride }
}
