// Where a crop is cut, and how large, before it is scaled to the network's size.

import Basics

/// A cube of a clean volume, in its voxels.
struct CropGeometry: Hashable, Sendable {
    /// The first voxel, (z, y, x).
    var start: ZYX<Int>
    /// The number of voxels along each axis.
    var size: Int
    /// The factor that brings `size` to the crop's size.
    var scale: Double

    /// The distance in voxels that a nodule keeps from the crop's faces: 12, less in crops so small that few nodules
    /// would fit.
    static func bound(cropSize: Int) -> Int { min(12, cropSize / 4) }

    /// The range that the scale of a crop around a nodule of `diameter` mm is drawn from: it neither shrinks a nodule
    /// below `smallest` mm nor enlarges one above 120 mm.
    static func scaleRange(diameter: Double, smallest: Double) -> ClosedRange<Double> {
        let low = min(max(smallest / diameter, 0.75), 1)
        let high = max(min(120 / diameter, 1.25), 1)
        return low...high
    }

    /// The starts along one axis for which a nodule lies at least `bound` voxels inside; empty where it is too large.
    static func starts(center: Double, diameter: Double, size: Int, bound: Int) -> Range<Int> {
        let low = Int((center + diameter / 2).rounded(.up)) + 1 + bound - size
        let high = Int((center - diameter / 2).rounded(.down)) + 1 - bound
        return low..<max(low, high)
    }

    /// A crop around a nodule, within the patch.
    ///
    /// - Parameter smallest: The diameter in mm below which scaling shrinks no nodule; nil: crops are not scaled.
    static func targeted(
        center: ZYX<Double>, diameter: Double, cropSize: Int, scaledTo smallest: Double?, patch: PatchEntry, side: Int,
        generator: inout CounterGenerator
    ) -> CropGeometry {
        let scale = smallest.map { draw(scaleRange(diameter: diameter, smallest: $0), &generator) } ?? 1
        let size = min(side, Int(Double(cropSize) / scale))
        let bound = bound(cropSize: cropSize)
        let start = ZYX(0, 1, 2).map { axis -> Int in
            let allowed = patch.corner[axis]...patch.corner[axis] + side - size
            let wanted = starts(center: center[axis], diameter: diameter, size: size, bound: bound)
            if wanted.isEmpty {
                let jittered = Int(center[axis]) - size / 2 + generator.integer(in: -6..<6)
                return min(max(jittered, allowed.lowerBound), allowed.upperBound)
            }
            let low = max(wanted.lowerBound, allowed.lowerBound)
            let high = min(wanted.upperBound - 1, allowed.upperBound)
            if low > high { return min(max(wanted.lowerBound, allowed.lowerBound), allowed.upperBound) }
            return generator.integer(in: low..<high + 1)
        }
        return CropGeometry(start: start, size: size, scale: scale)
    }

    /// The range of a random crop's centre along an axis, for a crop of `size` voxels and a volume of `extent` voxels.
    static func centers(extent: Int, size: Int, bound: Int) -> Range<Int> {
        let low = min(size / 2, extent / 2 - bound)
        return low..<max(extent - size / 2, extent / 2 + bound)
    }

    /// A random crop in a background patch, scaled by a factor from a range where one is given.
    ///
    /// The converter drew the patch's position evenly from the centres of unscaled crops. Stretched to the range that
    /// this crop has, moved as far as the patch reaches, and reflected at the range's ends, it is even over that range.
    /// (For crops smaller than those that the data set was converted for, places near the ends are rarer than that.)
    static func random(
        cropSize: Int, scale scales: ClosedRange<Double>?, patch: PatchEntry, side: Int,
        generator: inout CounterGenerator
    ) -> CropGeometry {
        let scale = scales.map { draw($0, &generator) } ?? 1
        let size = min(side, Int(Double(cropSize) / scale))
        let bound = bound(cropSize: cropSize)
        let start = ZYX(0, 1, 2).map { axis -> Int in
            let drawn = centers(extent: patch.volumeExtent[axis], size: cropSize, bound: bound)
            let range = centers(extent: patch.volumeExtent[axis], size: size, bound: bound)
            let position = Double(patch.corner[axis] + side / 2) + generator.uniform(0, 1)
            let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
            let stretched = low + (position - Double(drawn.lowerBound)) * (high - low) / Double(drawn.count)
            let reach = min(high - low, max(0, Double(side - size) / 2 - abs(stretched - position) - 1))
            var center = stretched + generator.uniform(-reach, reach)
            if center < low { center = 2 * low - center }
            if center > high { center = 2 * high - center }
            let wanted = Int(center.rounded(.down)) - size / 2
            return min(max(wanted, patch.corner[axis]), patch.corner[axis] + side - size)
        }
        return CropGeometry(start: start, size: size, scale: scale)
    }

    private static func draw(_ range: ClosedRange<Double>, _ generator: inout CounterGenerator) -> Double {
        generator.uniform(range.lowerBound, range.upperBound)
    }

    /// A point of the clean volume in the scaled crop's voxels.
    func crop(_ point: ZYX<Double>) -> ZYX<Double> {
        (point - start.map(Double.init)).map { $0 * scale }
    }
}
