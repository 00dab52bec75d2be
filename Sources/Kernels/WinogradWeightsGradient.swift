// The gradient of the weights in the Winograd domain: per component, dU[C_in, C_out] = Σ over tiles of Vᵀ dM, where V
// is the transformed input as in the forward pass and dM = A dY Aᵀ the transformed output gradient.
//
// For many channels one work item owns one z component of dU for some input channels and walks over all tiles in order,
// so that no two threads add to the same number and the sum's order depends on nothing but the map's size. (For few
// channels see WinogradNarrowWeights.swift.)

import CKernels

/// Where things lie in the scratch, after what `TileScratch` holds: V and M of a block, one component after the other.
private struct WideScratch {
    let v: Int
    let vStride: Int
    let m: Int
    let mStride: Int
    let size: Int

    @inline(__always) init(_ a: ck_weights_gradient) {
        let components = Tiling(a.tiling).components
        v = TileScratch.size
        vStride = ck_component_stride(a.block * a.channels)
        mStride = ck_component_stride(a.block * a.output_gradient.channels)
        m = v + components * vStride
        size = m + components * mStride
    }
}

func winogradWeightsGradientScratch(_ arguments: UnsafePointer<ck_weights_gradient>) -> Int {
    WideScratch(arguments.pointee).size
}

func winogradWeightsGradient(_ arguments: UnsafePointer<ck_weights_gradient>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(a.tiling)
    let tile = tiling.tile
    let components = tiling.components
    let channels = a.channels
    let outputs = a.output_gradient.channels
    let z = a.z_component
    let inputWeights = DepthWeights.input(tiling.tileDepth, z)
    let gradientWeights = DepthWeights.gradient(tiling.tileDepth, z)

    let layout = WideScratch(a)
    let zeros = scratch
    let plane = scratch + TileScratch.zeros
    let v = scratch + layout.v
    let m = scratch + layout.m
    for lane in 0..<TileScratch.zeros { zeros[lane] = 0 }

    var first = 0
    while first < tiling.count {
        let count = min(a.block, tiling.count - first)
        for t in 0..<count {
            let origin = tiling.origin(first + t)
            @inline(__always) func window(_ map: ck_map, _ plane: Int, border: Int, side: Int) -> PlaneWindow {
                PlaneWindow(
                    map, sample: origin.sample, plane: plane, y: origin.y - border, x: origin.x - border, side: side,
                    zeros: zeros)
            }
            let input = PlaneSum(inputWeights) { window(a.input, origin.z - 1 + $0, border: 1, side: tile + 2) }
            let vOut = v + t * channels
            @inline(__always) func transformV<V: Vector>(_: V.Type, _ channel: Int) {
                transformInput(tile: tile, out: vOut + channel, componentStride: layout.vStride, scratch: plane) { y in
                    input.six(y, a.first_channel + channel) as Six<V>
                } four: { y in
                    input.four(y, a.first_channel + channel)
                }
            }
            forEachVector(of: channels) {
                transformV(F16.self, $0)
            } _: {
                transformV(F8.self, $0)
            }
            let gradient = PlaneSum(gradientWeights) { window(a.output_gradient, origin.z + $0, border: 0, side: tile) }
            let mOut = m + t * outputs
            @inline(__always) func transformM<V: Vector>(_: V.Type, _ channel: Int) {
                transformGradient(
                    tile: tile, out: mOut + channel, componentStride: layout.mStride, scratch: plane
                ) { y in
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
                a.weights_gradient + (z * components + component) * a.component_stride + a.first_channel * outputs
            Product(
                a: v + component * layout.vStride, aRow: 1, aDepth: channels, b: m + component * layout.mStride,
                bDepth: outputs, c: sum, cRow: outputs, depth: count, epilogue: first == 0 ? .store : .add
            ).wide(rows: channels, columns: outputs)
        }
        first += a.block
    }
}
