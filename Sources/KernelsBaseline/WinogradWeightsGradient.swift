// The gradient of the weights in the Winograd domain: per component, dU[C_in, C_out] = Σ over tiles of Vᵀ dM, where V is
// the transformed input as in the forward pass and dM = A dY Aᵀ the transformed output gradient.
//
// One work item owns one z component of dU for some input channels and walks over all tiles in order, so that no two
// threads add to the same number and the sum's order depends on nothing but the map's size.

import CKernels

func winogradWeightsGradient(_ arguments: UnsafePointer<ck_weights_gradient>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(samples: a.samples, depth: a.depth, height: a.height, width: a.width, tile: a.tile)
    let tile = tiling.tile
    let components = tiling.components
    let block = Int(a.block)
    let channels = Int(a.channels)
    let outputs = Int(a.output_channels)
    let z = Int(a.z_component)
    let (near, far, sign) = inputPlanes(z)

    let zeros = scratch
    let plane = scratch + 16
    let v = plane + 36 * 16
    let m = v + components * block * channels
    for lane in 0..<16 { zeros[lane] = 0 }

    var first = 0
    while first < tiling.count {
        let count = min(block, tiling.count - first)
        for t in 0..<count {
            let origin = tiling.origin(first + t)
            let input = PlanePair(
                a.input, depth: tiling.depth, stride: Int(a.input_stride), tiling: tiling, sample: origin.sample,
                planes: (origin.z - 1 + near, origin.z - 1 + far), sign: sign, y: origin.y - 1, x: origin.x - 1,
                window: tile + 2, zeros: zeros)
            transformInput(
                input, tile: tile, firstChannel: Int(a.first_channel), channels: channels, v: v + t * channels,
                componentStride: block * channels, scratch: plane)
            // A along z: y0, y0 + y1, y0 - y1, y1.
            let gradient = PlanePair(
                a.output_gradient, depth: tiling.depth, stride: Int(a.output_stride), tiling: tiling,
                sample: origin.sample,
                planes: (z == 3 ? origin.z + 1 : origin.z, z == 0 || z == 3 ? -1 : origin.z + 1),
                sign: z == 2 ? -1 : 1, y: origin.y, x: origin.x, window: tile, zeros: zeros)
            transformGradient(
                gradient, tile: tile, channels: outputs, m: m + t * outputs, componentStride: block * outputs,
                scratch: plane)
        }
        for component in 0..<components {
            let sum =
                a.weights_gradient + (z * components + component) * Int(a.component_stride)
                + Int(a.first_channel) * outputs
            Product(
                a: v + component * block * channels, aRow: 1, aDepth: channels, b: m + component * block * outputs,
                bDepth: outputs, c: sum, cRow: outputs, c2: sum, depth: count, epilogue: first == 0 ? .store : .add
            ).wide(rows: channels, columns: outputs)
        }
        first += block
    }
}

/// A dY Aᵀ of one plane pair; component p goes to `m + p * componentStride + channel`.
@inline(__always)
private func transformGradient(
    _ pair: PlanePair, tile: Int, channels: Int, m: MutableFloats, componentStride: Int, scratch: MutableFloats
) {
    forEachGroup(of: channels) { channel in
        let out = m + channel
        if tile == 4 {
            for y in 0..<4 { put(outputGradientTransform4(pair.four(y, channel)), scratch + y * 96, 16) }
            for x in 0..<6 {
                put(
                    outputGradientTransform4(four(scratch + x * 16, 96)), out + x * componentStride, 6 * componentStride
                )
            }
        } else {
            for y in 0..<2 { put(outputGradientTransform2(pair.two(y, channel)), scratch + y * 64, 16) }
            for x in 0..<4 {
                put(
                    outputGradientTransform2((load(scratch + x * 16), load(scratch + x * 16 + 64))),
                    out + x * componentStride, 4 * componentStride)
            }
        }
    }
}
