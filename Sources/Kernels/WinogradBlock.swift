// A block of tiles whose planes are transformed once, though tiles in a column share some.

import CKernels

/// The beginning of the scratch of whatever works on tiles: zeros, then the plane of a tile that transforms leave
/// between rows and columns.
enum TileScratch {
    static let zeros = 16
    /// Six rows of six vectors.
    static let plane = 36 * 16
    static var size: Int { zeros + plane }
}

/// Some tiles in the order of `Tiling.columnOrigin`.
struct TileBlock {
    let tiling: Tiling
    let first: Int
    let count: Int
    /// Where each tile's planes begin among the block's; of the next tile in a column the first two are the last of
    /// this one.
    let slots: UnsafeMutablePointer<Int32>
    /// Planes of the block.
    let planes: Int

    /// Floats of scratch for blocks of `tiles`.
    @inline(__always) static func scratch(_ tiles: Int) -> Int { (tiles + 15) / 16 * 16 }

    /// - Parameter scratch: As many floats as `scratch(_:)` says.
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
    ///   - activation: What is done to the map's numbers first.
    ///   - offset: Which plane of the map lies at the tiling's first.
    ///   - scratch: What `TileScratch` holds.
    @inline(__always)
    func transformPlanes(
        _ map: ck_map, _ activation: ck_activation, offset: Int, into out: MutableFloats, componentStride: Int,
        scratch: MutableFloats
    ) {
        // Two loops, so that none asks for every number.
        if let scale = activation.scale, let shift = activation.shift {
            transformPlanes(map, offset: offset, into: out, componentStride: componentStride, scratch: scratch) {
                (scale + $0 * activation.sample_stride, shift + $0 * activation.sample_stride)
            }
        } else {
            transformPlanes(map, offset: offset, into: out, componentStride: componentStride, scratch: scratch) { _ in
                nil
            }
        }
    }

    @inline(__always)
    private func transformPlanes(
        _ map: ck_map, offset: Int, into out: MutableFloats, componentStride: Int, scratch: MutableFloats,
        activation: (_ sample: Int) -> (scale: Floats, shift: Floats)?
    ) {
        forEachTile { t, origin in
            let activation = activation(origin.sample)
            for p in (t > 0 && origin.rank > 0 ? 2 : 0)..<tiling.depthComponents {
                let window = PlaneWindow(
                    map, sample: origin.sample, plane: origin.z - 1 + p + offset, y: origin.y - 1,
                    x: origin.x - 1, side: tiling.tile + 2, zeros: scratch, readsZeros: activation == nil)
                let out = out + (Int(slots[t]) + p) * map.channels
                @inline(__always) func transform<V: Vector>(_: V.Type, _ channel: Int) {
                    let reader = VoxelReader<V>(activation, channel)
                    transformInput(
                        tile: tiling.tile, out: out + channel, componentStride: componentStride,
                        scratch: scratch + TileScratch.zeros
                    ) { y in
                        window.row(y, channel).six(reader)
                    } four: { y in
                        window.row(y, channel).four(reader)
                    }
                }
                forEachVector(of: map.channels) {
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
