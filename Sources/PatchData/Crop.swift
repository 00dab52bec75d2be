// A crop on its way to the network: voxels, boxes and coordinates, changed together.

import Basics
import Detection

/// The changes that augmentation has made to a crop.
public struct CropChanges: Hashable, Sendable {
    /// The factor of its enlargement.
    public var scale: Double
    /// The angle in radians by which it was turned in the plane of its slices, before its axes were permuted.
    public var angle = 0.0
    /// The axis of the scan (0 is z) that each axis of the crop runs along.
    public var order = [0, 1, 2]
    /// Whether each axis of the crop runs backwards.
    public var reversed = [false, false, false]

    /// Creates the changes of a crop that was only enlarged.
    public init(scale: Double = 1) { self.scale = scale }
}

/// A cube of voxels with the nodules in it and the place it was cut from.
struct Crop: Sendable {
    /// The number of voxels along each axis.
    let side: Int
    /// The grey levels, [side, side, side].
    var voxels: [UInt8]
    /// The nodules that reach into the patch, in the crop's voxels.
    var nodules: [Box]
    /// The nodule that the crop was made for, as an index into `nodules`.
    var target: Int?
    /// The coordinate ramps [3, side/4, side/4, side/4]: where each cell lies in the volume, −0.5 to 0.5 along z, y, x.
    var coord: [Float]
    var changes = CropChanges()

    var cells: Int { side / Grid.stride }

    /// The ramps of a crop from `start`, `size` voxels wide, of a volume of `extent` voxels: [3, cells, cells, cells].
    static func ramps(start: ZYX<Int>, size: Int, extent: ZYX<Int>, cells: Int) -> [Float] {
        let axes = ZYX(0, 1, 2).map { axis -> [Float] in
            let first = Double(start[axis]) / Double(extent[axis]) - 0.5
            let last = Double(start[axis] + size) / Double(extent[axis]) - 0.5
            return (0..<cells).map { Float(first + (last - first) * (cells > 1 ? Double($0) / Double(cells - 1) : 0)) }
        }
        var coord: [Float] = []
        coord.reserveCapacity(3 * cells * cells * cells)
        for z in 0..<cells { for _ in 0..<cells * cells { coord.append(axes.z[z]) } }
        for _ in 0..<cells { for y in 0..<cells { for _ in 0..<cells { coord.append(axes.y[y]) } } }
        for _ in 0..<cells * cells { for x in 0..<cells { coord.append(axes.x[x]) } }
        return coord
    }

    /// Reorders voxels and cells: output axis a runs along input axis `order[a]`, backwards where `reversed[a]`.
    mutating func permute(_ order: [Int], reversed: [Bool]) {
        changes.order = order.map { changes.order[$0] }
        changes.reversed = order.indices.map { changes.reversed[order[$0]] != reversed[$0] }
        voxels = Self.permuted(voxels, side: side, order, reversed)
        let count = cells * cells * cells
        coord = (0..<3).flatMap { channel in
            Self.permuted(Array(coord[channel * count..<(channel + 1) * count]), side: cells, order, reversed)
        }
        for index in nodules.indices {
            let old = nodules[index].center
            nodules[index].center = ZYX(0, 1, 2).map { axis in
                reversed[axis] ? Double(side - 1) - old[order[axis]] : old[order[axis]]
            }
        }
    }

    private static func permuted<Element>(
        _ values: [Element], side: Int, _ order: [Int], _ reversed: [Bool]
    ) -> [Element] {
        let strides = [side * side, side, 1]
        let steps = (0..<3).map { reversed[$0] ? -strides[order[$0]] : strides[order[$0]] }
        let start = (0..<3).reduce(0) { $0 + (reversed[$1] ? (side - 1) * strides[order[$1]] : 0) }
        return [Element](unsafeUninitializedCapacity: values.count) { out, count in
            values.withUnsafeBufferPointer { values in
                var place = 0
                for z in 0..<side {
                    for y in 0..<side {
                        var source = start + z * steps[0] + y * steps[1]
                        for _ in 0..<side {
                            (out.baseAddress.unsafelyUnwrapped + place).initialize(to: values[source])
                            place += 1
                            source += steps[2]
                        }
                    }
                }
            }
            count = values.count
        }
    }

    /// The crop with every slice turned by `angle` radians about its middle, linearly interpolated; places from outside
    /// become `padding`. Nil where the target's centre would come nearer to a face than its diameter.
    func rotated(by angle: Double, padding: UInt8) -> Crop? {
        let (c, s) = (Elementary.cos(angle), Elementary.sin(angle))
        var result = self
        result.changes.angle = angle
        let middle = Double(side - 1) / 2
        for index in nodules.indices {
            let (y, x) = (nodules[index].center.y - middle, nodules[index].center.x - middle)
            result.nodules[index].center.y = middle + c * y - s * x
            result.nodules[index].center.x = middle + s * y + c * x
        }
        if let target {
            let center = result.nodules[target].center
            let margin = nodules[target].diameter
            guard min(center.y, center.x) >= margin, max(center.y, center.x) <= Double(side - 1) - margin else {
                return nil
            }
        }
        for y in 0..<side {
            for x in 0..<side {
                let (dy, dx) = (Double(y) - middle, Double(x) - middle)
                let (py, px) = (middle + c * dy + s * dx, middle - s * dy + c * dx)
                let (iy, ix) = (Int(py.rounded(.down)), Int(px.rounded(.down)))
                let inside = iy >= 0 && ix >= 0 && iy + 1 < side && ix + 1 < side
                let (fy, fx) = (Float(py - Double(iy)), Float(px - Double(ix)))
                for z in 0..<side {
                    let plane = z * side * side
                    var value = Float(padding)
                    if inside {
                        let p = plane + iy * side + ix
                        let top = Float(voxels[p]) * (1 - fx) + Float(voxels[p + 1]) * fx
                        let bottom = Float(voxels[p + side]) * (1 - fx) + Float(voxels[p + side + 1]) * fx
                        value = top * (1 - fy) + bottom * fy
                    }
                    result.voxels[plane + y * side + x] = UInt8(value + 0.5)
                }
            }
        }
        result.rotateRamps(c, s)
        return result
    }

    /// Turns the ramps: they are linear, so that the y and x channels mix.
    private mutating func rotateRamps(_ c: Double, _ s: Double) {
        let count = cells * cells * cells
        let middle = Double(cells - 1) / 2
        func slope(_ channel: Int, _ step: Int) -> (first: Double, slope: Double) {
            let base = channel * count
            return (Double(coord[base]), cells > 1 ? Double(coord[base + step]) - Double(coord[base]) : 0)
        }
        let (y0, ySlope) = slope(1, cells)
        let (x0, xSlope) = slope(2, 1)
        for z in 0..<cells {
            for y in 0..<cells {
                for x in 0..<cells {
                    let (dy, dx) = (Double(y) - middle, Double(x) - middle)
                    let place = (z * cells + y) * cells + x
                    coord[count + place] = Float(y0 + ySlope * (middle + c * dy + s * dx))
                    coord[2 * count + place] = Float(x0 + xSlope * (middle - s * dy + c * dx))
                }
            }
        }
    }
}
