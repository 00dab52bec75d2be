import Basics

/// The way from a scan to the wanted box at 1 mm: luminance, padding, bone and resampling, slice by slice, with memory
/// for a few slices only.
struct CleanResampler<Voxel: VoxelScalar> {
    let scan: Volume<Voxel>
    let mask: Volume<UInt8>
    let lungs: LungMask
    let flipped: Bool
    /// The whole scan's extent at 1 mm.
    let resampled: ZYX<Int>
    /// The first voxel of the wanted box in it.
    let start: ZYX<Int>
    let extent: ZYX<Int>

    /// The voxels of the wanted box, `[z, y, x]`.
    func voxels() -> [UInt8] {
        func axis(_ axis: Int) -> LinearAxis {
            LinearAxis(
                input: scan.extent[axis], output: resampled[axis], range: start[axis]..<start[axis] + extent[axis])
        }
        let (zAxis, yAxis, xAxis) = (axis(0), axis(1), axis(2))
        let rows = yAxis.inputRange
        let columns = xAxis.inputRange
        let luminance = LuminanceTable<Voxel>()
        var slice = [UInt8](repeating: 0, count: rows.count * columns.count)
        let plane = extent.y * extent.x
        var below = [Float](repeating: 0, count: plane)
        var above = below
        var (belowSlice, aboveSlice) = (-1, -1)
        var result = [UInt8](repeating: 0, count: extent.product)
        for z in 0..<extent.z {
            let (lower, upper) = (zAxis.lower[z], zAxis.upper[z])
            if belowSlice != lower {
                if aboveSlice == lower {
                    swap(&below, &above)
                    swap(&belowSlice, &aboveSlice)
                } else {
                    clean(lower, rows, columns, luminance, into: &slice)
                    interpolate(slice, yAxis, xAxis, rows, columns, into: &below)
                    belowSlice = lower
                }
            }
            if aboveSlice != upper {
                if belowSlice == upper {
                    above = below
                } else {
                    clean(upper, rows, columns, luminance, into: &slice)
                    interpolate(slice, yAxis, xAxis, rows, columns, into: &above)
                }
                aboveSlice = upper
            }
            let weight = zAxis.weight[z]
            result.withUnsafeMutableBufferPointer { output in
                for index in 0..<plane {
                    // A half rounds up, as in SciPy.
                    let value = below[index] + (above[index] - below[index]) * weight + 0.5
                    output[z * plane + index] = UInt8(truncatingIfNeeded: Int32(value))
                }
            }
        }
        return result
    }

    /// Cleans the wanted rows and columns of one upright raw slice.
    private func clean(
        _ z: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ luminance: LuminanceTable<Voxel>,
        into slice: inout [UInt8]
    ) {
        let size = scan.extent
        let region = lungs.region
        let bitStart = lungs.regionStart
        let inRegion = { (value: Int, axis: Int) in
            value >= bitStart[axis] && value < bitStart[axis] + region.extent[axis]
        }
        slice.withUnsafeMutableBufferPointer { output in
            scan.voxels.withUnsafeBufferPointer { voxels in
                mask.voxels.withUnsafeBufferPointer { labels in
                    output.update(repeating: CleanVolume.padding)
                    guard inRegion(z, 0) else { return }
                    let from = max(columns.lowerBound, bitStart.x)
                    let to = min(columns.upperBound, bitStart.x + region.extent.x)
                    for y in rows where inRegion(y, 1) && from < to {
                        let row = (z * size.y + (flipped ? size.y - 1 - y : y)) * size.x
                        let target = (y - rows.lowerBound) * columns.count - columns.lowerBound
                        let bits = ((z - bitStart.z) * region.extent.y + y - bitStart.y) * region.wordsPerRow
                        region.words.withUnsafeBufferPointer { words in
                            for x in from..<to {
                                let bit = x - bitStart.x
                                guard words[bits + bit >> 6] >> UInt64(bit & 63) & 1 == 1 else { continue }
                                let index = row + (flipped ? size.x - 1 - x : x)
                                let grey = luminance[voxels[index]]
                                let isLung = labels[index] == 3 || labels[index] == 4
                                let isBone = !isLung && grey > Preprocessing.boneThreshold
                                output[target + x] = isBone ? CleanVolume.padding : grey
                            }
                        }
                    }
                }
            }
        }
    }

    /// Interpolates linearly within a slice: first between rows, then along the row.
    private func interpolate(
        _ slice: [UInt8], _ yAxis: LinearAxis, _ xAxis: LinearAxis, _ rows: Range<Int>, _ columns: Range<Int>,
        into plane: inout [Float]
    ) {
        var blended = [Float](repeating: 0, count: columns.count)
        let width = extent.x
        slice.withUnsafeBufferPointer { slice in
            blended.withUnsafeMutableBufferPointer { blended in
                plane.withUnsafeMutableBufferPointer { plane in
                    xAxis.lower.withUnsafeBufferPointer { lower in
                        xAxis.weight.withUnsafeBufferPointer { weight in
                            for y in 0..<extent.y {
                                let a = (yAxis.lower[y] - rows.lowerBound) * columns.count
                                let b = (yAxis.upper[y] - rows.lowerBound) * columns.count
                                let w = yAxis.weight[y]
                                for x in 0..<columns.count {
                                    let value = Float(slice[a + x])
                                    blended[x] = value + (Float(slice[b + x]) - value) * w
                                }
                                for x in 0..<width {
                                    let i = lower[x] - columns.lowerBound
                                    let value = blended[i]
                                    let next = blended[min(i + 1, columns.count - 1)]
                                    plane[y * width + x] = value + (next - value) * weight[x]
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The step from HU to grey level: clip((HU + 1200)/1800, 0, 1) × 255, truncated. It uses a table where the voxels have
/// 16 bits.
struct LuminanceTable<Voxel: VoxelScalar> {
    private let table: [UInt8]

    init() {
        table =
            Voxel.self == Int16.self
            ? (0..<65536).map { Self.luminance(Double(Int16(truncatingIfNeeded: $0))) } : []
    }

    private static func luminance(_ hounsfield: Double) -> UInt8 {
        UInt8(max(0, min(1, (hounsfield + 1200) / 1800)) * 255)
    }

    @inline(__always) subscript(voxel: Voxel) -> UInt8 {
        if Voxel.self == Int16.self { return table[Int(UInt16(bitPattern: unsafeBitCast(voxel, to: Int16.self)))] }
        return Self.luminance(voxel.clamped(to: Double.self))
    }
}
