// The 3x3x3 convolution by Winograd's F(2, m, m), m = 4 or 2: transform tiles, multiply channels, transform back.
//
// A convolution is, per tile, an elementwise product of transformed input and weights summed over input channels. For a
// block of T tiles that sum is one matrix product per component: M[T, C_out] = V[T, C_in] U[C_in, C_out]. F(2, 4, 4)
// has 4 x 36 components for 32 outputs: 4.5 multiplications per output and channel pair instead of 27.
//
// One work item is one block of tiles: V of one z component and M of both output planes stay in the second-level
// cache while U streams by. The gradient of the data is the same kernel with other weights.

import CKernels

/// One block of tiles. The scratch holds zeros, one plane of a tile, V and M: `Compute` knows its size.
func winograd(_ arguments: UnsafePointer<ck_convolution>, _ item: Int64, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(samples: a.samples, depth: a.depth, height: a.height, width: a.width, tile: a.tile)
    let tile = tiling.tile
    let components = tiling.components
    let block = Int(a.block)
    let inputs = Int(a.input_channels)
    let outputs = Int(a.output_channels)
    let first = Int(item) * block
    let count = min(block, tiling.count - first)
    let rows = (count + 11) / 12 * 12

    let zeros = scratch
    let plane = scratch + 16
    let v = plane + 36 * 16
    let m = v + components * block * inputs
    let mPlane = components * block * outputs
    for lane in 0..<16 { zeros[lane] = 0 }

    // Aᵀ along z: the planes are M1 + M2 + M0 and M1 - M2 + M3. In this order each product needs one kind of ending.
    @inline(__always) func multiply(_ z: Int, _ epilogue: Epilogue, into m: MutableFloats, _ m2: MutableFloats) {
        let (near, far, sign) = inputPlanes(z)
        for t in 0..<count {
            let origin = tiling.origin(first + t)
            let above = origin.z - 1 + Int(a.input_first)
            let pair = PlanePair(
                a.input, depth: Int(a.input_depth), stride: Int(a.input_stride), tiling: tiling,
                sample: origin.sample, planes: (above + near, above + far), sign: sign, y: origin.y - 1,
                x: origin.x - 1, window: tile + 2, zeros: zeros)
            transformInput(
                pair, tile: tile, firstChannel: 0, channels: inputs, v: v + t * inputs,
                componentStride: block * inputs, scratch: plane)
        }
        for component in 0..<components {
            Product(
                a: v + component * block * inputs, aRow: inputs, aDepth: 1,
                b: a.weights + (z * components + component) * Int(a.component_stride), bDepth: 0,
                c: m + component * block * outputs, cRow: outputs, c2: m2 + component * block * outputs,
                depth: inputs, epilogue: epilogue
            ).tall(rows: rows, columns: outputs)
        }
    }
    multiply(1, .store, into: m, m)
    multiply(2, .split, into: m, m + mPlane)
    multiply(0, .add, into: m, m)
    multiply(3, .add, into: m + mPlane, m)

    for t in 0..<count {
        let origin = tiling.origin(first + t)
        for z in 0..<min(2, tiling.depth - origin.z) {
            let mapRow = (origin.sample * tiling.depth + origin.z + z) * tiling.height
            let voxel = (mapRow + origin.y) * tiling.width + origin.x
            let out = a.output + voxel * Int(a.output_stride)
            transformOutput(
                m + z * mPlane + t * outputs, componentStride: block * outputs, tile: tile, channels: outputs,
                bias: a.bias, rows: min(tile, tiling.height - origin.y), columns: min(tile, tiling.width - origin.x),
                out: out, rowStride: tiling.width * Int(a.output_stride), voxelStride: Int(a.output_stride),
                scratch: plane)
        }
    }
}

/// Aᵀ M A of one plane of a tile, and the bias; writes the rows and columns that lie inside the map.
@inline(__always)
private func transformOutput(
    _ m: MutableFloats, componentStride: Int, tile: Int, channels: Int, bias: Floats?, rows: Int, columns: Int,
    out: MutableFloats, rowStride: Int, voxelStride: Int, scratch: MutableFloats
) {
    forEachGroup(of: channels) { channel in
        let b = bias.map { load($0 + channel) } ?? F16.zero
        if tile == 4 {
            for x in 0..<6 {
                put(
                    outputTransform4(six(m + channel + x * componentStride, 6 * componentStride)), scratch + x * 16, 96)
            }
            for y in 0..<rows {
                let v = outputTransform4(six(scratch + y * 96, 16))
                let p = out + y * rowStride + channel
                store(v.0 + b, p)
                if columns > 1 { store(v.1 + b, p + voxelStride) }
                if columns > 2 { store(v.2 + b, p + 2 * voxelStride) }
                if columns > 3 { store(v.3 + b, p + 3 * voxelStride) }
            }
        } else {
            for x in 0..<4 {
                let v = outputTransform2(four(m + channel + x * componentStride, 4 * componentStride))
                store(v.0, scratch + x * 16)
                store(v.1, scratch + x * 16 + 64)
            }
            for y in 0..<rows {
                let v = outputTransform2(four(scratch + y * 64, 16))
                let p = out + y * rowStride + channel
                store(v.0 + b, p)
                if columns > 1 { store(v.1 + b, p + voxelStride) }
            }
        }
    }
}
