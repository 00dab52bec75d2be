import Basics
import FileIO
import Foundation

/// The axis of the voxels that runs along each axis of the world, and which way.
struct AxisOrder: Hashable, Sendable {
    /// The axis of the voxels (0 for z, 1 for y, 2 for x), by axis of the world.
    var axis: ZYX<Int>
    /// The direction of that axis, +1 where the index grows with the world's, −1 where against it.
    var sign: ZYX<Int>
}

extension VolumeGeometry {
    /// Returns the place in the world, LPS and mm, of a voxel's index with fractions: origin plus, for every axis, its
    /// vector times spacing times index.
    public func world(_ voxel: ZYX<Double>) -> WorldPoint {
        var point = origin
        for axis in 0..<3 {
            let step = voxel[axis] * spacing[axis]
            for worldAxis in 0..<3 { point[worldAxis] += component(axis, along: worldAxis) * step }
        }
        return WorldPoint(x: point.x, y: point.y, z: point.z)
    }

    /// The tilt, degrees, up to which an axis counts as the world's: over 400 mm it displaces by 0.7 mm.
    static let tiltTolerance = 0.1

    /// The component along a world axis of the vector along which the index of an axis grows.
    private func component(_ axis: Int, along worldAxis: Int) -> Double {
        orientation[(2 - axis) * 3 + 2 - worldAxis]
    }

    /// Finds how the voxels' axes lie in the world.
    ///
    /// - Throws: `InputError` where one is tilted by more than `tiltTolerance`.
    func axisOrder(source: String) throws -> AxisOrder {
        var order = AxisOrder(axis: ZYX(-1, -1, -1), sign: ZYX(0, 0, 0))
        var tilt = 0.0
        for axis in 0..<3 {
            let components = (0..<3).map { component(axis, along: $0) }
            let length = components.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let nearest = (0..<3).reduce(0) { abs(components[$1]) > abs(components[$0]) ? $1 : $0 }
            guard abs(length - 1) < 1e-3 else {
                throw InputError(
                    source, at: "orientation", "\(orientation) is not made of unit vectors",
                    remedy: "correct the header")
            }
            let across = (0..<3).reduce(0) { $1 == nearest ? $0 : $0 + components[$1] * components[$1] }.squareRoot()
            tilt = max(tilt, atan2(across, abs(components[nearest])) * 180 / .pi)
            order.axis[nearest] = axis
            order.sign[nearest] = components[nearest] > 0 ? 1 : -1
        }
        guard tilt <= Self.tiltTolerance, order.axis.array.allSatisfy({ $0 >= 0 }) else {
            let angle = String(format: tilt < 1 ? "%.2f" : "%.1f", tilt)
            throw InputError(
                source, at: "orientation",
                "the voxels' axes are tilted by \(angle) degrees against the body's, expected at most "
                    + "\(Self.tiltTolerance)",
                remedy: "resample the scan to a grid along the body's axes")
        }
        return order
    }

    /// Returns the geometry once axes are permuted and reversed so that indices grow along (+1) or against (−1) the
    /// world's.
    ///
    /// - Throws: `InputError` where an axis is tilted by more than `tiltTolerance`.
    func reoriented(to direction: ZYX<Int>, source: String) throws -> VolumeGeometry {
        reoriented(try axisOrder(source: source), to: direction)
    }

    func reoriented(_ order: AxisOrder, to direction: ZYX<Int>) -> VolumeGeometry {
        var result = self
        for worldAxis in 0..<3 {
            let axis = order.axis[worldAxis]
            let isReversed = order.sign[worldAxis] != direction[worldAxis]
            result.extent[worldAxis] = extent[axis]
            result.spacing[worldAxis] = spacing[axis]
            for other in 0..<3 {
                let step = component(axis, along: other)
                result.orientation[(2 - worldAxis) * 3 + 2 - other] = isReversed ? -step : step
                // The voxel that was last along the axis comes first.
                if isReversed { result.origin[other] += Double(extent[axis] - 1) * spacing[axis] * step }
            }
        }
        return result
    }
}
