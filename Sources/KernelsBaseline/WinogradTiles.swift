// How a volume is cut into tiles, and how a tile's planes are read.
//
// A tile makes 2 x m x m outputs (z, y, x), m = 4 or 2, from 4 x (m + 2) x (m + 2) inputs. The transform along z is
// applied while loading: each of its 4 components is the sum or difference of two planes. So a component is a plane
// of its own, a two-dimensional Winograd problem, and whoever works on one needs memory for one only.

import CKernels

/// The tiling of one map.
struct Tiling {
    let depth: Int
    let height: Int
    let width: Int
    let tile: Int
    let tilesZ: Int
    let tilesY: Int
    let tilesX: Int
    /// Tiles of all samples.
    let count: Int

    @inline(__always)
    init(samples: Int64, depth: Int64, height: Int64, width: Int64, tile: Int64) {
        self.depth = Int(depth)
        self.height = Int(height)
        self.width = Int(width)
        self.tile = Int(tile)
        tilesZ = (self.depth + 1) / 2
        tilesY = (self.height + self.tile - 1) / self.tile
        tilesX = (self.width + self.tile - 1) / self.tile
        count = Int(samples) * tilesZ * tilesY * tilesX
    }

    /// The components of a plane.
    @inline(__always) var components: Int { (tile + 2) * (tile + 2) }

    @inline(__always) func origin(_ index: Int) -> Origin {
        let x = index % tilesX
        let y = index / tilesX % tilesY
        let z = index / (tilesX * tilesY) % tilesZ
        return Origin(
            sample: index / (tilesX * tilesY * tilesZ), z: 2 * z, y: tile * y, x: tile * x)
    }
}

/// A tile's first output voxel.
struct Origin {
    let sample: Int
    let z: Int
    let y: Int
    let x: Int
}

/// Two planes of a map combined as `first + sign * second`, seen through a square window that may hang over the edges,
/// where everything is zero.
struct PlanePair {
    private let first: Floats?
    private let second: Floats?
    private let sign: F16
    private let rowStride: Int
    private let voxelStride: Int
    /// The rows and columns of the window that lie inside the map.
    private let rows: Range<Int>
    private let columns: Range<Int>
    private let zeros: Floats

    /// - Parameters:
    ///   - depth: Planes of the map.
    ///   - planes: The two z coordinates; one outside the map is all zero.
    ///   - window: The window's side; `y`, `x` its corner.
    ///   - zeros: At least 16 zeros.
    @inline(__always)
    init(
        _ map: Floats, depth: Int, stride: Int, tiling: Tiling, sample: Int, planes: (Int, Int), sign: Float, y: Int,
        x: Int, window: Int, zeros: Floats
    ) {
        @inline(__always) func plane(_ z: Int) -> Floats? {
            guard z >= 0 && z < depth else { return nil }
            return map + (((sample * depth + z) * tiling.height + y) * tiling.width + x) * stride
        }
        first = plane(planes.0)
        second = plane(planes.1)
        self.sign = splat(sign)
        rowStride = tiling.width * stride
        voxelStride = stride
        rows = max(0, -y)..<max(max(0, -y), min(window, tiling.height - y))
        columns = max(0, -x)..<max(max(0, -x), min(window, tiling.width - x))
        self.zeros = zeros
    }

    /// Where a row starts, and the stride in it: that of the zeros is 0.
    @inline(__always) private func row(_ plane: Floats?, _ y: Int, _ channel: Int) -> (Floats, Int) {
        guard let plane, y >= rows.lowerBound, y < rows.upperBound else { return (zeros, 0) }
        return (plane + y * rowStride + channel, voxelStride)
    }

    /// Six voxels of row `y`, 16 channels from `channel`.
    @inline(__always) func six(_ y: Int, _ channel: Int) -> Six {
        let (p, s) = row(first, y, channel)
        let (q, t) = row(second, y, channel)
        if columns.lowerBound == 0 && columns.upperBound == 6 {
            return (
                fma(sign, load(q), load(p)), fma(sign, load(q + t), load(p + s)),
                fma(sign, load(q + 2 * t), load(p + 2 * s)), fma(sign, load(q + 3 * t), load(p + 3 * s)),
                fma(sign, load(q + 4 * t), load(p + 4 * s)), fma(sign, load(q + 5 * t), load(p + 5 * s))
            )
        }
        return (
            edge(p, s, q, t, 0), edge(p, s, q, t, 1), edge(p, s, q, t, 2), edge(p, s, q, t, 3), edge(p, s, q, t, 4),
            edge(p, s, q, t, 5)
        )
    }

    /// Four voxels of row `y`, 16 channels from `channel`.
    @inline(__always) func four(_ y: Int, _ channel: Int) -> Four {
        let (p, s) = row(first, y, channel)
        let (q, t) = row(second, y, channel)
        if columns.lowerBound == 0 && columns.upperBound == 4 {
            return (
                fma(sign, load(q), load(p)), fma(sign, load(q + t), load(p + s)),
                fma(sign, load(q + 2 * t), load(p + 2 * s)), fma(sign, load(q + 3 * t), load(p + 3 * s))
            )
        }
        return (edge(p, s, q, t, 0), edge(p, s, q, t, 1), edge(p, s, q, t, 2), edge(p, s, q, t, 3))
    }

    /// Two voxels of row `y`, 16 channels from `channel`.
    @inline(__always) func two(_ y: Int, _ channel: Int) -> Two {
        let (p, s) = row(first, y, channel)
        let (q, t) = row(second, y, channel)
        return (edge(p, s, q, t, 0), edge(p, s, q, t, 1))
    }

    @inline(__always)
    private func edge(_ p: Floats, _ s: Int, _ q: Floats, _ t: Int, _ x: Int) -> F16 {
        guard x >= columns.lowerBound && x < columns.upperBound else { return F16.zero }
        return fma(sign, load(q + x * t), load(p + x * s))
    }
}

/// The planes that component `z` of Bᵀ along z combines, relative to the plane before the tile, and the second's sign.
@inline(__always) func inputPlanes(_ z: Int) -> (first: Int, second: Int, sign: Float) {
    switch z {
    case 0: (0, 2, -1)
    case 1: (1, 2, 1)
    case 2: (2, 1, -1)
    default: (3, 1, -1)
    }
}

/// Bᵀ d B of one plane pair, for `channels` channels from `firstChannel`: component p goes to
/// `v + p * componentStride + channel`.
@inline(__always)
func transformInput(
    _ pair: PlanePair, tile: Int, firstChannel: Int, channels: Int, v: MutableFloats, componentStride: Int,
    scratch: MutableFloats
) {
    forEachGroup(of: channels) { channel in
        let out = v + channel
        if tile == 4 {
            for y in 0..<6 { put(inputTransform4(pair.six(y, firstChannel + channel)), scratch + y * 96, 16) }
            for x in 0..<6 {
                put(inputTransform4(six(scratch + x * 16, 96)), out + x * componentStride, 6 * componentStride)
            }
        } else {
            for y in 0..<4 { put(inputTransform2(pair.four(y, firstChannel + channel)), scratch + y * 64, 16) }
            for x in 0..<4 {
                put(inputTransform2(four(scratch + x * 16, 64)), out + x * componentStride, 4 * componentStride)
            }
        }
    }
}

@inline(__always) func six(_ p: MutableFloats, _ stride: Int) -> Six {
    (
        load(p), load(p + stride), load(p + 2 * stride), load(p + 3 * stride), load(p + 4 * stride),
        load(p + 5 * stride)
    )
}

@inline(__always) func four(_ p: MutableFloats, _ stride: Int) -> Four {
    (load(p), load(p + stride), load(p + 2 * stride), load(p + 3 * stride))
}

@inline(__always) func put(_ v: Six, _ p: MutableFloats, _ stride: Int) {
    store(v.0, p)
    store(v.1, p + stride)
    store(v.2, p + 2 * stride)
    store(v.3, p + 3 * stride)
    store(v.4, p + 4 * stride)
    store(v.5, p + 5 * stride)
}

@inline(__always) func put(_ v: Four, _ p: MutableFloats, _ stride: Int) {
    store(v.0, p)
    store(v.1, p + stride)
    store(v.2, p + 2 * stride)
    store(v.3, p + 3 * stride)
}
