// The gradient of the weights in the Winograd domain: per component, dU[C_in, C_out] = Σ over tiles of Vᵀ dM, where V is
// the transformed input as in the forward pass and dM = A dY Aᵀ the transformed output gradient.
//
// For many channels one work item owns one z component of dU for some input channels and walks over all tiles in order, so
// that no two threads add to the same number and the sum's order depends on nothing but the map's size. (For few channels
// see WinogradNarrowWeights.swift.)

import CKernels

func winogradWeightsGradient(_ arguments: UnsafePointer<ck_weights_gradient>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(
        samples: a.samples, depth: a.depth, height: a.height, width: a.width, tileDepth: a.tile_depth, tile: a.tile)
    let tile = tiling.tile
    let components = tiling.components
    let block = Int(a.block)
    let channels = Int(a.channels)
    let outputs = Int(a.output_channels)
    let z = Int(a.z_component)
    let inputWeights = DepthWeights.input(tiling.tileDepth, z)
    let gradientWeights = DepthWeights.gradient(tiling.tileDepth, z)

    let zeros = scratch
    let plane = scratch + 16
    let v = plane + 36 * 16
    let vStride = Int(ck_component_stride(Int64(block * channels)))
    let mStride = Int(ck_component_stride(Int64(block * outputs)))
    let m = v + components * vStride
    for lane in 0..<16 { zeros[lane] = 0 }

    var first = 0
    while first < tiling.count {
        let count = min(block, tiling.count - first)
        for t in 0..<count {
            let origin = tiling.origin(first + t)
            @inline(__always)
            func window(_ map: Floats, _ stride: Int64, _ plane: Int, border: Int, side: Int) -> PlaneWindow {
                PlaneWindow(
                    map, depth: tiling.depth, stride: Int(stride), tiling: tiling, sample: origin.sample,
                    plane: plane, y: origin.y - border, x: origin.x - border, side: side, zeros: zeros)
            }
            let input = PlaneSum(inputWeights) {
                window(a.input, a.input_stride, origin.z - 1 + $0, border: 1, side: tile + 2)
            }
            let vOut = v + t * channels
            @inline(__always) func transformV<V: Vector>(_: V.Type, _ channel: Int) {
                transformInput(tile: tile, out: vOut + channel, componentStride: vStride, scratch: plane) { y in
                    input.six(y, Int(a.first_channel) + channel) as Six<V>
                } four: { y in
                    input.four(y, Int(a.first_channel) + channel)
                }
            }
            forEachVector(of: channels) {
                transformV(F16.self, $0)
            } _: {
                transformV(F8.self, $0)
            }
            let gradient = PlaneSum(gradientWeights) {
                window(a.output_gradient, a.output_stride, origin.z + $0, border: 0, side: tile)
            }
            let mOut = m + t * outputs
            @inline(__always) func transformM<V: Vector>(_: V.Type, _ channel: Int) {
                transformGradient(tile: tile, out: mOut + channel, componentStride: mStride, scratch: plane) { y in
                    gradient.four(y, channel) as Four<V>
                } two: { y in
                    gradient.two(y, channel)
                }
            }
            forEachVector(of: outputs) {
                transformM(F16.self, $0)
            } _: {
                transformM(F8.self, $0)
            }
        }
        for component in 0..<components {
            let sum =
                a.weights_gradient + (z * components + component) * Int(a.component_stride)
                + Int(a.first_channel) * outputs
            Product(
                a: v + component * vStride, aRow: 1, aDepth: channels, b: m + component * mStride,
                bDepth: outputs, c: sum, cRow: outputs, depth: count, epilogue: first == 0 ? .store : .add
            ).wide(rows: channels, columns: outputs)
        }
        first += block
    }
}

/// A dY Aᵀ of one plane for the channels of one vector; component p goes to `out + p * componentStride`.
///
/// - Parameters:
///   - four, two: A row of dY, for m = 4 and for m = 2.
@inline(__always)
func transformGradient<V: Vector>(
    tile: Int, out: MutableFloats, componentStride: Int, scratch: MutableFloats, four row4: (Int) -> Four<V>,
    two row2: (Int) -> Two<V>
) {
    if tile == 4 {
        for y in 0..<4 { put(outputGradientTransform4(row4(y)), scratch + y * 96, 16) }
        for x in 0..<6 {
            let column: Four<V> = four(scratch + x * 16, 96)
            put(outputGradientTransform4(column), out + x * componentStride, 6 * componentStride)
        }
    } else {
        for y in 0..<2 { put(outputGradientTransform2(row2(y)), scratch + y * 64, 16) }
        for x in 0..<4 {
            let column: Two<V> = (V(at: scratch + x * 16), V(at: scratch + x * 16 + 64))
            put(outputGradientTransform2(column), out + x * componentStride, 4 * componentStride)
        }
    }
}
