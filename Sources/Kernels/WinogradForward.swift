// The 3x3x3 convolution by Winograd's F(l, m, m), l and m being 4 or 2: transform tiles, multiply channels, transform
// back.
//
// A convolution is, per tile, an elementwise product of transformed input and weights summed over input channels. For a
// block of T tiles that sum is one matrix product per component: M[T, C_out] = V[T, C_in] U[C_in, C_out]. F(4, 4, 4)
// has 216 components for 64 outputs: 3.4 multiplications per output and channel pair instead of 27; F(2, 4, 4) has 4.5.
//
// One work item is one block of tiles:
//   1. Every plane of input that its tiles see is transformed once, though two tiles in a column share it.
//   2. For each component of a plane: Bᵀ along z, products with the weights that stream by, and Aᵀ along z.
//   3. Aᵀ M A of the output planes.
// The results of a component take the place of the input of the component before: a block fits the second-level cache.
// The gradient of the data is the same kernel with other weights.

import CKernels

/// Where things lie in the scratch of one block of tiles, after what `TileScratch` holds.
private struct ForwardScratch {
    /// Where tiles' planes lie.
    let slots: Int
    /// V and M of one component of a plane.
    let v: Int
    let m: Int
    /// The planes, one component after the other: the results one place before the inputs.
    let block: Int
    let size: Int

    @inline(__always) init(_ a: ck_convolution) {
        let tiling = Tiling(a.tiling)
        let (inputs, outputs) = (a.input.channels, a.output.channels)
        slots = TileScratch.size
        v = slots + TileBlock.scratch(a.block)
        m = v + tiling.depthComponents * a.block * inputs
        block = m + tiling.depthComponents * a.block * outputs
        // At worst no tile shares a plane with another.
        let planes = tiling.depthComponents * a.block
        size = block + (tiling.components + 1) * Self.stride(tiling, planes: planes, rows: a.block, inputs, outputs)
    }

    /// Floats from one component of the planes to the next.
    @inline(__always)
    static func stride(_ tiling: Tiling, planes: Int, rows: Int, _ inputs: Int, _ outputs: Int) -> Int {
        ck_component_stride(max(planes * inputs, tiling.tileDepth * rows * outputs))
    }
}

func winogradScratch(_ arguments: UnsafePointer<ck_convolution>) -> Int { ForwardScratch(arguments.pointee).size }

/// One block of tiles, a multiple of 12 of them or the last.
func winograd(_ arguments: UnsafePointer<ck_convolution>, _ item: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(a.tiling)
    let components = tiling.components
    let inputs = a.input.channels
    let outputs = a.output.channels
    let first = item * a.block
    let count = min(a.block, tiling.count - first)
    let rows = (count + 11) / 12 * 12

    let depths = tiling.depthComponents
    let layout = ForwardScratch(a)
    let plane = scratch + TileScratch.zeros
    let v = scratch + layout.v
    let m = scratch + layout.m
    let blockStart = scratch + layout.block
    for lane in 0..<TileScratch.zeros { scratch[lane] = 0 }
    for z in 0..<depths { for index in count * inputs..<rows * inputs { v[z * rows * inputs + index] = 0 } }

    let tiles = TileBlock(tiling, first: first, count: count, scratch: scratch + layout.slots)
    let stride = ForwardScratch.stride(tiling, planes: tiles.planes, rows: rows, inputs, outputs)
    let transformed = blockStart + stride
    tiles.transformPlanes(
        a.input, a.activation, offset: a.input_first, into: transformed, componentStride: stride, scratch: scratch)

    for component in 0..<components {
        tiles.transformDepth(transformed + component * stride, rows: rows, channels: inputs, into: v)
        for z in 0..<depths {
            let following = z + 1 < depths ? (z + 1) * components + component : component + 1
            Product(
                a: v + z * rows * inputs, aRow: inputs, aDepth: 1,
                b: a.weights + (z * components + component) * a.component_stride, bDepth: 0,
                c: m + z * rows * outputs, cRow: outputs, depth: inputs, epilogue: .store
            ).tall(
                rows: rows, columns: outputs,
                next: a.streams_weights == 0 ? nil : a.weights + following * a.component_stride)
        }
        restoreDepth(m, tiling, rows * outputs, into: blockStart + component * stride)
    }

    tiles.forEachTile { t, origin in
        for z in 0..<min(tiling.tileDepth, tiling.depth - origin.z) {
            let mapRow = (origin.sample * tiling.depth + origin.z + z) * tiling.height
            let voxel = (mapRow + origin.y) * tiling.width + origin.x
            let tile = OutputTile(
                m: blockStart + (z * rows + t) * outputs, componentStride: stride, tile: tiling.tile, bias: a.bias,
                rows: min(tiling.tile, tiling.height - origin.y), columns: min(tiling.tile, tiling.width - origin.x),
                out: a.output.values + voxel * a.output.stride, rowStride: tiling.width * a.output.stride,
                voxelStride: a.output.stride, scratch: plane)
            forEachVector(of: outputs) {
                tile.transform(F16.self, $0)
            } _: {
                tile.transform(F8.self, $0)
            }
        }
    }
}

/// Aᵀ along z of one component of a plane: from [l + 2][rows][C_out] to [l][rows][C_out], `size` floats each.
@inline(__always)
private func restoreDepth(_ m: MutableFloats, _ tiling: Tiling, _ size: Int, into out: MutableFloats) {
    for index in stride(from: 0, to: size, by: 16) {
        if tiling.tileDepth == 4 {
            let column: Six<F16> = six(m + index, size)
            put(outputTransform4(column), out + index, size)
        } else {
            let column: Four<F16> = four(m + index, size)
            let v = outputTransform2(column)
            v.0.store(at: out + index)
            v.1.store(at: out + index + size)
        }
    }
}

/// One plane of a tile's results on its way back.
private struct OutputTile {
    let m: MutableFloats
    let componentStride: Int
    let tile: Int
    let bias: Floats?
    /// The rows and columns that lie inside the map.
    let rows: Int
    let columns: Int
    let out: MutableFloats
    let rowStride: Int
    let voxelStride: Int
    let scratch: MutableFloats

    /// Aᵀ M A and the bias, for the channels of one vector.
    @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
        let b = bias.map { V(at: $0 + channel) } ?? V.zero
        let m = m + channel
        if tile == 4 {
            for x in 0..<6 {
                let column: Six<V> = six(m + x * componentStride, 6 * componentStride)
                put(outputTransform4(column), scratch + x * 16, 96)
            }
            for y in 0..<rows {
                let row: Six<V> = six(scratch + y * 96, 16)
                let v = outputTransform4(row)
                let p = out + y * rowStride + channel
                (v.0 + b).store(at: p)
                if columns > 1 { (v.1 + b).store(at: p + voxelStride) }
                if columns > 2 { (v.2 + b).store(at: p + 2 * voxelStride) }
                if columns > 3 { (v.3 + b).store(at: p + 3 * voxelStride) }
            }
        } else {
            for x in 0..<4 {
                let column: Four<V> = four(m + x * componentStride, 4 * componentStride)
                let v = outputTransform2(column)
                v.0.store(at: scratch + x * 16)
                v.1.store(at: scratch + x * 16 + 64)
            }
            for y in 0..<rows {
                let row: Four<V> = four(scratch + y * 64, 16)
                let v = outputTransform2(row)
                let p = out + y * rowStride + channel
                (v.0 + b).store(at: p)
                if columns > 1 { (v.1 + b).store(at: p + voxelStride) }
            }
        }
    }
}
