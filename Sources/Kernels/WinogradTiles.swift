// How a volume is cut into tiles, and how a tile's planes are read and transformed.
//
// A tile makes l x m x m outputs (z, y, x) from (l + 2) x (m + 2) x (m + 2) inputs; l and m are 4 or 2. Each plane of
// inputs is a two-dimensional Winograd problem, whose (m + 2)² results are transformed along z in turn.

import CKernels

/// The tiling of one map.
struct Tiling {
    let depth: Int
    let height: Int
    let width: Int
    /// Outputs of a tile along z: l; along y and x: m.
    let tileDepth: Int
    let tile: Int
    let tilesZ: Int
    let tilesY: Int
    let tilesX: Int
    /// Tiles of all samples.
    let count: Int

    @inline(__always)
    init(samples: Int64, depth: Int64, height: Int64, width: Int64, tileDepth: Int64, tile: Int64) {
        self.depth = Int(depth)
        self.height = Int(height)
        self.width = Int(width)
        self.tileDepth = Int(tileDepth)
        self.tile = Int(tile)
        tilesZ = (self.depth + self.tileDepth - 1) / self.tileDepth
        tilesY = (self.height + self.tile - 1) / self.tile
        tilesX = (self.width + self.tile - 1) / self.tile
        count = Int(samples) * tilesZ * tilesY * tilesX
    }

    /// The components of a plane, and of a column of them along z.
    @inline(__always) var components: Int { (tile + 2) * (tile + 2) }
    @inline(__always) var depthComponents: Int { tileDepth + 2 }

    /// Row by row, plane by plane.
    @inline(__always) func origin(_ index: Int) -> Origin {
        let x = index % tilesX
        let y = index / tilesX % tilesY
        let z = index / (tilesX * tilesY) % tilesZ
        return Origin(
            sample: index / (tilesX * tilesY * tilesZ), z: tileDepth * z, y: tile * y, x: tile * x, rank: 0)
    }

    /// Tiles in a column of `columnOrigin`: 12 planes of outputs. Neighbours along z share two planes of inputs.
    @inline(__always) var run: Int { 12 / tileDepth }

    /// In slabs of `run` tiles along z, through rows and columns, along z first.
    @inline(__always) func columnOrigin(_ index: Int) -> Origin {
        let columns = tilesY * tilesX
        let sample = index / (tilesZ * columns)
        let inSample = index - sample * tilesZ * columns
        let slab = inSample / (run * columns)
        let inSlab = inSample - slab * run * columns
        let length = min(run, tilesZ - slab * run)
        let column = inSlab / length
        let rank = inSlab - column * length
        return Origin(
            sample: sample, z: tileDepth * (slab * run + rank), y: tile * (column / tilesX),
            x: tile * (column % tilesX), rank: rank)
    }
}

/// A tile's first output voxel.
struct Origin {
    let sample: Int
    let z: Int
    let y: Int
    let x: Int
    /// Where the tile stands in its column.
    let rank: Int
}

/// One plane of a map seen through a square window that may hang over the edges, where everything is zero.
struct PlaneWindow {
    private let corner: Floats?
    private let rowStride: Int
    private let voxelStride: Int
    /// The rows and columns of the window that lie inside the map.
    private let rows: Range<Int>
    private let columns: Range<Int>
    private let zeros: Floats

    /// - Parameters:
    ///   - depth: Planes of the map; a `plane` outside them is all zero.
    ///   - side: The window's side; `y`, `x` its corner.
    ///   - zeros: At least 16 zeros.
    @inline(__always)
    init(
        _ map: Floats, depth: Int, stride: Int, tiling: Tiling, sample: Int, plane: Int, y: Int, x: Int, side: Int,
        zeros: Floats
    ) {
        corner =
            plane >= 0 && plane < depth
            ? map + (((sample * depth + plane) * tiling.height + y) * tiling.width + x) * stride : nil
        rowStride = tiling.width * stride
        voxelStride = stride
        rows = max(0, -y)..<max(max(0, -y), min(side, tiling.height - y))
        columns = max(0, -x)..<max(max(0, -x), min(side, tiling.width - x))
        self.zeros = zeros
    }

    /// Row `y` from `channel` on.
    @inline(__always) func row(_ y: Int, _ channel: Int) -> WindowRow {
        guard let corner, y >= rows.lowerBound, y < rows.upperBound else {
            // The same zeros at every column.
            return WindowRow(p: zeros, step: 0, first: 0, end: 6)
        }
        return WindowRow(
            p: corner + y * rowStride + channel, step: voxelStride, first: columns.lowerBound,
            end: columns.upperBound)
    }
}

/// A row of a window.
struct WindowRow {
    let p: Floats
    let step: Int
    /// The columns inside the map.
    let first: Int
    let end: Int

    @inline(__always) func voxel<V: Vector>(_ x: Int) -> V {
        x >= first && x < end ? V(at: p + x * step) : V.zero
    }

    /// Whether the first `count` columns are inside.
    @inline(__always) func holds(_ count: Int) -> Bool { first == 0 && end >= count }

    @inline(__always) func six<V: Vector>() -> Six<V> {
        if holds(6) {
            return (
                V(at: p), V(at: p + step), V(at: p + 2 * step), V(at: p + 3 * step), V(at: p + 4 * step),
                V(at: p + 5 * step)
            )
        }
        return (voxel(0), voxel(1), voxel(2), voxel(3), voxel(4), voxel(5))
    }

    @inline(__always) func four<V: Vector>() -> Four<V> {
        if holds(4) {
            return (V(at: p), V(at: p + step), V(at: p + 2 * step), V(at: p + 3 * step))
        }
        return (voxel(0), voxel(1), voxel(2), voxel(3))
    }

    @inline(__always) func two<V: Vector>() -> Two<V> { (voxel(0), voxel(1)) }
}

/// A weighted sum of up to four planes: one component along z.
struct PlaneSum {
    private let windows: (PlaneWindow, PlaneWindow, PlaneWindow, PlaneWindow)
    private let weights: DepthWeights

    /// - Parameter window: The window on a plane, by its place in the tile.
    @inline(__always) init(_ weights: DepthWeights, _ window: (Int) -> PlaneWindow) {
        self.weights = weights
        let first = window(weights.planes.0)
        windows = (
            first, weights.count > 1 ? window(weights.planes.1) : first,
            weights.count > 2 ? window(weights.planes.2) : first, weights.count > 2 ? window(weights.planes.3) : first
        )
    }

    @inline(__always) func six<V: Vector>(_ y: Int, _ channel: Int) -> Six<V> {
        let (a, b) = (windows.0.row(y, channel), windows.1.row(y, channel))
        if weights.count > 2 {
            let (c, d) = (windows.2.row(y, channel), windows.3.row(y, channel))
            if a.holds(6) && b.holds(6) && c.holds(6) && d.holds(6) {
                return (
                    sum(a, b, c, d, 0), sum(a, b, c, d, 1), sum(a, b, c, d, 2), sum(a, b, c, d, 3),
                    sum(a, b, c, d, 4), sum(a, b, c, d, 5)
                )
            }
            return (
                edge(a, b, c, d, 0), edge(a, b, c, d, 1), edge(a, b, c, d, 2), edge(a, b, c, d, 3),
                edge(a, b, c, d, 4), edge(a, b, c, d, 5)
            )
        }
        if a.holds(6) && b.holds(6) {
            return (sum(a, b, 0), sum(a, b, 1), sum(a, b, 2), sum(a, b, 3), sum(a, b, 4), sum(a, b, 5))
        }
        return (edge(a, b, 0), edge(a, b, 1), edge(a, b, 2), edge(a, b, 3), edge(a, b, 4), edge(a, b, 5))
    }

    @inline(__always) func four<V: Vector>(_ y: Int, _ channel: Int) -> Four<V> {
        let (a, b) = (windows.0.row(y, channel), windows.1.row(y, channel))
        if weights.count > 2 {
            let (c, d) = (windows.2.row(y, channel), windows.3.row(y, channel))
            if a.holds(4) && b.holds(4) && c.holds(4) && d.holds(4) {
                return (sum(a, b, c, d, 0), sum(a, b, c, d, 1), sum(a, b, c, d, 2), sum(a, b, c, d, 3))
            }
            return (edge(a, b, c, d, 0), edge(a, b, c, d, 1), edge(a, b, c, d, 2), edge(a, b, c, d, 3))
        }
        if a.holds(4) && b.holds(4) { return (sum(a, b, 0), sum(a, b, 1), sum(a, b, 2), sum(a, b, 3)) }
        return (edge(a, b, 0), edge(a, b, 1), edge(a, b, 2), edge(a, b, 3))
    }

    /// Of maps with tiles of 2, whose columns along z are short as well: two planes at most.
    @inline(__always) func two<V: Vector>(_ y: Int, _ channel: Int) -> Two<V> {
        let (a, b) = (windows.0.row(y, channel), windows.1.row(y, channel))
        return (edge(a, b, 0), edge(a, b, 1))
    }

    @inline(__always) private func sum<V: Vector>(_ a: WindowRow, _ b: WindowRow, _ x: Int) -> V {
        let first = times(weights.values.0, V(at: a.p + x * a.step))
        return weights.count > 1 ? fma(weights.values.1, V(at: b.p + x * b.step), first) : first
    }

    @inline(__always)
    private func sum<V: Vector>(_ a: WindowRow, _ b: WindowRow, _ c: WindowRow, _ d: WindowRow, _ x: Int) -> V {
        let first = times(weights.values.0, V(at: a.p + x * a.step))
        let second = fma(weights.values.1, V(at: b.p + x * b.step), first)
        let third = fma(weights.values.2, V(at: c.p + x * c.step), second)
        return fma(weights.values.3, V(at: d.p + x * d.step), third)
    }

    @inline(__always) private func edge<V: Vector>(_ a: WindowRow, _ b: WindowRow, _ x: Int) -> V {
        let first: V = times(weights.values.0, a.voxel(x))
        return weights.count > 1 ? fma(weights.values.1, b.voxel(x), first) : first
    }

    @inline(__always)
    private func edge<V: Vector>(_ a: WindowRow, _ b: WindowRow, _ c: WindowRow, _ d: WindowRow, _ x: Int) -> V {
        let two: V = edge(a, b, x)
        return fma(weights.values.3, d.voxel(x), fma(weights.values.2, c.voxel(x), two))
    }
}

/// Bᵀ d B of one plane for the channels of one vector: component p goes to `out + p * componentStride`.
///
/// - Parameters:
///   - six, four: A row of d, for m = 4 and for m = 2.
@inline(__always)
func transformInput<V: Vector>(
    tile: Int, out: MutableFloats, componentStride: Int, scratch: MutableFloats, six row6: (Int) -> Six<V>,
    four row4: (Int) -> Four<V>
) {
    if tile == 4 {
        for y in 0..<6 { put(inputTransform4(row6(y)), scratch + y * 96, 16) }
        for x in 0..<6 {
            let column: Six<V> = six(scratch + x * 16, 96)
            put(inputTransform4(column), out + x * componentStride, 6 * componentStride)
        }
    } else {
        for y in 0..<4 { put(inputTransform2(row4(y)), scratch + y * 64, 16) }
        for x in 0..<4 {
            let column: Four<V> = four(scratch + x * 16, 64)
            put(inputTransform2(column), out + x * componentStride, 4 * componentStride)
        }
    }
}

@inline(__always) func six<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Six<V> {
    (
        V(at: p), V(at: p + stride), V(at: p + 2 * stride), V(at: p + 3 * stride), V(at: p + 4 * stride),
        V(at: p + 5 * stride)
    )
}

@inline(__always) func four<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Four<V> {
    (V(at: p), V(at: p + stride), V(at: p + 2 * stride), V(at: p + 3 * stride))
}

@inline(__always) func three<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Three<V> {
    (V(at: p), V(at: p + stride), V(at: p + 2 * stride))
}

@inline(__always) func put<V: Vector>(_ v: Six<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
    v.3.store(at: p + 3 * stride)
    v.4.store(at: p + 4 * stride)
    v.5.store(at: p + 5 * stride)
}

@inline(__always) func put<V: Vector>(_ v: Four<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
    v.3.store(at: p + 3 * stride)
}

@inline(__always) func put<V: Vector>(_ v: Three<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
}
