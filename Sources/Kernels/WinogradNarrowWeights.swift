// The gradient of the weights for few channels. There the transforms cost as much as the products, so they should happen
// once; and dU is small, so that every work item can have one of its own. An item is a range of tiles, fixed by the map's
// size, with all components; the items' sums are added in their order afterwards.

import CKernels

/// dU of the tiles `first_tile ..< end_tile`, overwritten. The scratch holds 16 zeros, a plane of a tile, where tiles'
/// planes lie, V and M of one component of a plane, and the planes of a block of both maps.
func winogradNarrowWeights(_ arguments: UnsafePointer<ck_weights_gradient>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let tiling = Tiling(
        samples: a.samples, depth: a.depth, height: a.height, width: a.width, tileDepth: a.tile_depth, tile: a.tile)
    let depths = tiling.depthComponents
    let components = tiling.components
    let block = Int(a.block)
    let inputs = Int(a.input_channels)
    let outputs = Int(a.output_channels)

    let plane = scratch + 16
    let slots = plane + 36 * 16
    let v = slots + (block + 15) / 16 * 16
    let m = v + depths * block * inputs
    let vPlanes = m + depths * block * outputs
    let vStride = Int(ck_component_stride(Int64(depths * block * inputs)))
    let mPlanes = vPlanes + components * vStride
    let mStride = Int(ck_component_stride(Int64(tiling.tileDepth * block * outputs)))
    for lane in 0..<16 { scratch[lane] = 0 }

    var first = Int(a.first_tile)
    while first < Int(a.end_tile) {
        let count = min(block, Int(a.end_tile) - first)
        let tiles = TileBlock(tiling, first: first, count: count, scratch: slots)
        tiles.transformPlanes(
            a.input, depth: tiling.depth, offset: 0, stride: Int(a.input_stride), channels: inputs, into: vPlanes,
            componentStride: vStride, scratch: scratch)
        transformPlanes(a, tiles, into: mPlanes, componentStride: mStride, scratch: scratch)
        for component in 0..<components {
            tiles.transformDepth(vPlanes + component * vStride, rows: count, channels: inputs, into: v)
            transformDepth(mPlanes + component * mStride, tiles, outputs, into: m)
            for z in 0..<depths {
                Product(
                    a: v + z * count * inputs, aRow: 1, aDepth: inputs, b: m + z * count * outputs, bDepth: outputs,
                    c: a.weights_gradient + (z * components + component) * Int(a.component_stride), cRow: outputs,
                    depth: count, epilogue: first == Int(a.first_tile) ? .store : .add
                ).wide(rows: inputs, columns: outputs)
            }
        }
        first += block
    }
}

/// A dY Aᵀ of the planes of all tiles, [tiles][l][C_out] for each component.
@inline(__always)
private func transformPlanes(
    _ a: ck_weights_gradient, _ tiles: TileBlock, into out: MutableFloats, componentStride: Int, scratch: MutableFloats
) {
    let tiling = tiles.tiling
    let outputs = Int(a.output_channels)
    tiles.forEachTile { t, origin in
        for p in 0..<tiling.tileDepth {
            let window = PlaneWindow(
                a.output_gradient, depth: tiling.depth, stride: Int(a.output_stride), tiling: tiling,
                sample: origin.sample, plane: origin.z + p, y: origin.y, x: origin.x, side: tiling.tile, zeros: scratch)
            let out = out + (t * tiling.tileDepth + p) * outputs
            @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
                transformGradient(
                    tile: tiling.tile, out: out + channel, componentStride: componentStride, scratch: scratch + 16
                ) { y in
                    window.row(y, channel).four() as Four<V>
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
