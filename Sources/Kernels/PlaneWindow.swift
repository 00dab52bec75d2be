// How the planes of a tile are read: through a window that may hang over a map's edges.

import CKernels

/// One plane of a map seen through a square window that may hang over the edges, where everything is zero.
struct PlaneWindow {
    private let corner: Floats?
    private let rowStride: Int
    private let voxelStride: Int
    /// The rows and columns of the window that lie inside the map.
    private let rows: Range<Int>
    private let columns: Range<Int>
    private let zeros: Floats
    /// The columns that are read in rows outside the map.
    private let outside: Int

    /// - Parameters:
    ///   - plane: Which one; outside the map it is all zero.
    ///   - side: The window's side; `y`, `x` its corner.
    ///   - zeros: At least 16 zeros.
    ///   - readsZeros: Whether these are read where there is no map, which saves looking at every column.
    @inline(__always)
    init(
        _ map: ck_map, sample: Int, plane: Int, y: Int, x: Int, side: Int, zeros: Floats, readsZeros: Bool = true
    ) {
        let isInside = plane >= 0 && plane < map.depth
        let row = (sample * map.depth + plane) * map.height + y
        corner = isInside ? Floats(map.values + (row * map.width + x) * map.stride) : nil
        rowStride = map.width * map.stride
        voxelStride = map.stride
        rows = max(0, -y)..<max(max(0, -y), min(side, map.height - y))
        columns = max(0, -x)..<max(max(0, -x), min(side, map.width - x))
        self.zeros = zeros
        outside = readsZeros ? 6 : 0
    }

    /// Row `y` from `channel` on.
    @inline(__always) func row(_ y: Int, _ channel: Int) -> WindowRow {
        guard let corner, y >= rows.lowerBound, y < rows.upperBound else {
            // The same zeros at every column.
            return WindowRow(p: zeros, step: 0, first: 0, end: outside)
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

    @inline(__always) func six<V: Vector>(_ reader: VoxelReader<V>) -> Six<V> {
        if holds(6) {
            return (
                reader(p), reader(p + step), reader(p + 2 * step), reader(p + 3 * step), reader(p + 4 * step),
                reader(p + 5 * step)
            )
        }
        return (
            voxel(0, reader), voxel(1, reader), voxel(2, reader), voxel(3, reader), voxel(4, reader), voxel(5, reader)
        )
    }

    @inline(__always) func four<V: Vector>(_ reader: VoxelReader<V>) -> Four<V> {
        if holds(4) {
            return (reader(p), reader(p + step), reader(p + 2 * step), reader(p + 3 * step))
        }
        return (voxel(0, reader), voxel(1, reader), voxel(2, reader), voxel(3, reader))
    }

    @inline(__always) private func voxel<V: Vector>(_ x: Int, _ reader: VoxelReader<V>) -> V {
        x >= first && x < end ? reader(p + x * step) : V.zero
    }

    @inline(__always) func two<V: Vector>() -> Two<V> { (voxel(0), voxel(1)) }
}

/// How the numbers of some channels are read: as they are, or with their activation, ReLU(x · scale + shift).
struct VoxelReader<V: Vector> {
    private let activation: (scale: V, shift: V)?

    /// Reads numbers as they are.
    @inline(__always) init() { activation = nil }

    /// - Parameter channel: The first of the channels, all of which have a scale and a shift.
    @inline(__always) init(_ activation: (scale: Floats, shift: Floats)?, _ channel: Int) {
        self.activation = activation.map { (V(at: $0.scale + channel), V(at: $0.shift + channel)) }
    }

    @inline(__always) func callAsFunction(_ p: Floats) -> V {
        let x = V(at: p)
        guard let activation else { return x }
        return x.fused(activation.scale, activation.shift).rectified
    }
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

    /// The sum for tiles of 2, whose columns along z are short as well: two planes at most.
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
