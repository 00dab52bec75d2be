// The gradient of the weights for few channels. There the transforms cost as much as the products, so they should
// happen once; and dU is small, so that every work item can have one of its own. An item is a range of tiles, fixed by
// the map's size, with all components; the items' sums are added in their order afterwards.

import CKernels

/// Where things lie in the scratch, after what `TileScratch` holds.
private struct NarrowScratch {
    /// Where tiles' planes lie.
    let slots: Int
    /// V and M of one component of a plane.
    let v: Int
    let m: Int
    /// The planes of a block of both maps, one component after the other, and floats from one to the next.
    let vPlanes: Int
    let vStride: Int
    let mPlanes: Int
    let mStride: Int
    let size: Int

    @inline(__always) init(_ a: ck_weights_gradient) {
        let tiling = Tiling(a.tiling)
        let depths = tiling.depthComponents
        slots = TileScratch.size
        v = slots + TileBlock.scratch(a.block)
        m = v + depths * a.block * a.input.channels
        vPlanes = m + depths * a.block * a.output_gradient.channels
        vStride = ck_component_stride(depths * a.block * a.input.channels)
        mPlanes = vPlanes + tiling.components * vStride
        mStride = ck_component_stride(tiling.tileDepth * a.block * a.output_gradient.channels)
        size = mPlanes + tiling.components * mStride
    }
}

func winogradNarrowWeightsScratch(_ arguments: UnsafePointer<ck_weights_gradient>) -> Int {
    NarrowScratch(arguments.pointee).size
}

/// dU of the tiles `first_tile ..< end_tile`, overwritten.
func winogradNarrowWeights(_ arguments: UnsafePointer<ck_weights_gradient>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(a.tiling)
    let depths = tiling.depthComponents
    let components = tiling.components
    let inputs = a.input.channels
    let outputs = a.output_gradient.channels
    let layout = NarrowScratch(a)
    let v = scratch + layout.v
    let m = scratch + layout.m
    let vPlanes = scratch + layout.vPlanes
    let mPlanes = scratch + layout.mPlanes
    for lane in 0..<TileScratch.zeros { scratch[lane] = 0 }

    var first = a.first_tile
    while first < a.end_tile {
        let count = min(a.block, a.end_tile - first)
        let tiles = TileBlock(tiling, first: first, count: count, scratch: scratch + layout.slots)
        tiles.transformPlanes(
            a.input, a.activation, offset: 0, into: vPlanes, componentStride: layout.vStride, scratch: scratch)
        transformPlanes(a, tiles, into: mPlanes, componentStride: layout.mStride, scratch: scratch)
        for component in 0..<components {
            tiles.transformDepth(vPlanes + component * layout.vStride, rows: count, channels: inputs, into: v)
            transformDepth(mPlanes + component * layout.mStride, tiles, outputs, into: m)
            for z in 0..<depths {
                Product(
                    a: v + z * count * inputs, aRow: 1, aDepth: inputs, b: m + z * count * outputs, bDepth: outputs,
                    c: a.weights_gradient + (z * components + component) * a.component_stride, cRow: outputs,
                    depth: count, epilogue: first == a.first_tile ? .store : .add
                ).wide(rows: inputs, columns: outputs)
            }
        }
        first += a.block
    }
}

/// A dY Aᵀ of the planes of all tiles, [tiles][l][C_out] for each component.
@inline(__always)
private func transformPlanes(
    _ a: ck_weights_gradient, _ tiles: TileBlock, into out: MutableFloats, componentStride: Int, scratch: MutableFloats
) {
    let tiling = tiles.tiling
    let outputs = a.output_gradient.channels
    tiles.forEachTile { t, origin in
        for p in 0..<tiling.tileDepth {
            let window = PlaneWindow(
                a.output_gradient, sample: origin.sample, plane: origin.z + p, y: origin.y, x: origin.x,
                side: tiling.tile, zeros: scratch)
            let out = out + (t * tiling.tileDepth + p) * outputs
            @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
                transformGradient(
                    tile: tiling.tile, out: out + channel, componentStride: componentStride,
                    scratch: scratch + TileScratch.zeros
                ) { y in
                    window.row(y, channel).four(VoxelReader<V>())
                } two: { y in
                    window.row(y, channel).two()
                }
            }
            forEachVector(of: outputs) {
                transform(F16.self, $0)
            } _: {
                transform(F8.self, $0)
            }
        }
    }
}

/// A along z of one component of the planes: [l + 2][tiles][C_out].
@inline(__always)
private func transformDepth(_ planes: MutableFloats, _ tiles: TileBlock, _ outputs: Int, into m: MutableFloats) {
    let size = tiles.count * outputs
    for t in 0..<tiles.count {
        let p = planes + t * tiles.tiling.tileDepth * outputs
        let out = m + t * outputs
        @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
            if tiles.tiling.tileDepth == 4 {
                let column: Four<V> = four(p + channel, outputs)
                put(outputGradientTransform4(column), out + channel, size)
            } else {
                let column: Two<V> = (V(at: p + channel), V(at: p + channel + outputs))
                put(outputGradientTransform2(column), out + channel, size)
            }
        }
        forEachVector(of: outputs) {
            transform(F16.self, $0)
        } _: {
            transform(F8.self, $0)
        }
    }
}
