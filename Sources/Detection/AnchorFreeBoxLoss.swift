import Basics

/// The loss of a cell's box without anchors, as in CPMNet v2: the L1 norms of offset and half extents, and the
/// distance-IoU loss of the boxes (Z. Zheng et al., AAAI 2020), with its gradient.
///
///     Σ |offset − offset′|/3 + 0.1 Σ |half − half′|/3 + 1 − IoU + ρ²/κ
///
/// ρ is the distance of the centres and κ the squared diagonal of the smallest box that holds both.
struct AnchorFreeBoxLoss {
    /// The parts of the loss: the L1 norms of the three offsets, and the rest.
    let terms: [Double]
    /// The derivatives with respect to the offsets and the half extents.
    let gradient: [Double]

    /// The factor of the half extents' L1 norm, which are voxels where offsets are cells.
    static let sizeWeight = 0.1
    /// The least extent of a box in voxels for its IoU: nothing keeps the network's numbers positive, and what is below
    /// learns from the L1 norm alone.
    static let leastExtent = 0.5

    /// Compares a box with another.
    ///
    /// - Parameters:
    ///   - output: The network's (offset z, y, x, half extent z, y, x).
    ///   - label: The target's.
    init(output: ArraySlice<Float>, label: ArraySlice<Float>) {
        let (own, other) = (output.map(Double.init), label.map(Double.init))
        let stride = Double(Grid.stride)
        let sizes = own[3...].map { max(2 * $0, Self.leastExtent) }
        let iou = DistanceIoU(
            center: own[..<3].map { $0 * stride }, size: sizes, otherCenter: other[..<3].map { $0 * stride },
            otherSize: other[3...].map { 2 * $0 })
        var terms = [0, 0, 0, 1 - iou.value]
        var gradient = [Double](repeating: 0, count: 6)
        for axis in 0..<3 {
            let offset = own[axis] - other[axis]
            terms[axis] = abs(offset) / 3
            gradient[axis] = Self.sign(offset) / 3 - iou.byCenter[axis] * stride
            let half = own[3 + axis] - other[3 + axis]
            terms[3] += Self.sizeWeight * abs(half) / 3
            gradient[3 + axis] = Self.sizeWeight * Self.sign(half) / 3
            if 2 * own[3 + axis] > Self.leastExtent { gradient[3 + axis] -= 2 * iou.bySize[axis] }
        }
        self.terms = terms
        self.gradient = gradient
    }

    private static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }
}

/// The distance-IoU of two boxes, IoU − ρ²/κ, and its derivatives.
struct DistanceIoU {
    /// The distance-IoU, −1 to 1.
    let value: Double
    /// The derivatives with respect to the first box's centre and extents.
    let byCenter: [Double]
    let bySize: [Double]

    /// Compares two boxes of positive extents by their centres and extents along z, y, x.
    init(center: [Double], size: [Double], otherCenter: [Double], otherSize: [Double]) {
        let sides = (0..<3).map { BoxEdges(center[$0], size[$0], otherCenter[$0], otherSize[$0]) }
        let volume = size.reduce(1, *)
        let intersection = sides.allSatisfy { $0.shared > 0 } ? sides.reduce(1) { $0 * $1.shared } : 0
        let union = volume + otherSize.reduce(1, *) - intersection
        let diagonal = sides.reduce(0) { $0 + $1.enclosing * $1.enclosing }
        let away = (0..<3).map { center[$0] - otherCenter[$0] }
        let distance = away.reduce(0) { $0 + $1 * $1 } / diagonal
        value = intersection / union - distance
        // IoU = I/U with U = V + V′ − I, so that dIoU = (dI (U + I) − I dV)/U²; and d(ρ²/κ) = (dρ² − ρ²/κ dκ)/κ.
        func derivative(intersection change: Double, volume growth: Double, square: Double, diagonal wider: Double)
            -> Double
        {
            (change * (union + intersection) - intersection * growth) / (union * union)
                - (square - distance * wider) / diagonal
        }
        byCenter = (0..<3).map { axis in
            let side = sides[axis]
            return derivative(
                intersection: intersection == 0 ? 0 : intersection / side.shared * side.sharedByCenter, volume: 0,
                square: 2 * away[axis], diagonal: 2 * side.enclosing * side.enclosingByCenter)
        }
        bySize = (0..<3).map { axis in
            let side = sides[axis]
            return derivative(
                intersection: intersection == 0 ? 0 : intersection / side.shared * side.sharedBySize,
                volume: volume / size[axis], square: 0, diagonal: 2 * side.enclosing * side.enclosingBySize)
        }
    }
}
