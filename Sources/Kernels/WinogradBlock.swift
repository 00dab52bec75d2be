// A block of tiles whose planes are transformed once, though tiles in a column share some.

import CKernels

/// Some tiles in the order of `Tiling.columnOrigin`.
struct TileBlock {
    let tiling: Tiling
    let first: Int
    let count: Int
    /// Where each tile's planes begin among the block's; of the next tile in a column the first two are the last of this
    /// one.
    let slots: UnsafeMutablePointer<Int32>
    /// Planes of the block.
    let planes: Int

    /// - Parameter scratch: At least `count` floats.
    @inline(__always) init(_ tiling: Tiling, first: Int, count: Int, scratch: MutableFloats) {
        self.tiling = tiling
        self.first = first
        self.count = count
        slots = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int32.self)
        var used = 0
        for t in 0..<count {
            let continues = t > 0 && tiling.columnOrigin(first + t).rank > 0
            used += continues ? tiling.tileDepth : tiling.depthComponents
            slots[t] = Int32(used - tiling.depthComponents)
        }
        planes = used
    }

    /// Runs `body` for all tiles, along rows first, as memory goes.
    @inline(__always) func forEachTile(_ body: (_ t: Int, _ origin: Origin) -> Void) {
        for rank in 0..<tiling.run {
            for t in 0..<count {
                let origin = tiling.columnOrigin(first + t)
                if origin.rank == rank { body(t, origin) }
            }
        }
    }

    /// Bᵀ d B of every plane: component p of the plane in slot s goes to `out + p * componentStride + s * channels`.
    ///
    /// - Parameters:
    ///   - depth: Planes of the map, of which `offset` lies at the tiling's first.
    ///   - scratch: 16 zeros, then a plane of a tile.
    @inline(__always)
    func transformPlanes(
        _ map: Floats, depth: Int, offset: Int, stride: Int, channels: Int, into out: MutableFloats,
        componentStride: Int, scratch: MutableFloats
    ) {
        forEachTile { t, origin in
            for p in (t > 0 && origin.rank > 0 ? 2 : 0)..<tiling.depthComponents {
                let window = PlaneWindow(
                    map, depth: depth, stride: stride, tiling: tiling, sample: origin.sample,
                    plane: origin.z - 1 + p + offset, y: origin.y - 1, x: origin.x - 1, side: tiling.tile + 2,
                    zeros: scratch)
                let out = out + (Int(slots[t]) + p) * channels
                @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
                    transformInput(
                        tile: tiling.tile, out: out + channel, componentStride: componentStride, scratch: scratch + 16
                    ) { y in
                        window.row(y, channel).six() as Six<V>
                    } four: { y in
                        window.row(y, channel).four()
                    }
                }
                forEachVector(of: channels) {
                    transform(F16.self, $0)
                } _: {
                    transform(F8.self, $0)
                }
            }
        }
    }

    /// Bᵀ along z of one component of the planes: [l + 2][rows][channels].
    @inline(__always)
    func transformDepth(_ component: MutableFloats, rows: Int, channels: Int, into v: MutableFloats) {
        for t in 0..<count {
            let p = component + Int(slots[t]) * channels
            let out = v + t * channels
            @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
                if tiling.tileDepth == 4 {
                    let column: Six<V> = six(p + channel, channels)
                    put(inputTransform4(column), out + channel, rows * channels)
                } else {
                    let column: Four<V> = four(p + channel, channels)
                    put(inputTransform2(column), out + channel, rows * channels)
                }
            }
            forEachVector(of: channels) {
                transform(F16.self, $0)
            } _: {
                transform(F8.self, $0)
            }
        }
    }
}
