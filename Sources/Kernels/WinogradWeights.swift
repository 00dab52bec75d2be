// Weights into the Winograd domain, U = (G ⊗ G ⊗ G) g, and the gradient back, dg = (G ⊗ G ⊗ G)ᵀ dU.
//
// PyTorch keeps a filter's 27 taps together, the transforms want a tap of 16 output channels in one vector. So 16
// filters, or the last 8, are transposed in the first-level cache, eight by eight.

import CKernels

/// Input channels of one item: their filters lie side by side in memory.
private let neighbours = 8

/// A filter's taps, transposed: [27][16 output channels]; and nine of them, those of one plane.
private let filterSize = 27 * 16
private let planeSize = 9 * 16

/// The filters of an item's input channels for one or two vectors of output channels, all transformed together: a
/// component of U is one of up to 216 places far from one another, so what goes there should be many cache lines.
private struct FilterGroup<V: Vector> {
    private let a: ck_weights
    private let channels: Range<Int>
    private let output: Int
    private let vectors: Int
    /// One filter.
    private let taps: MutableFloats
    /// The filters after G along z, [filters][6][9][16], and a plane of each after G along y, [filters][18][16].
    private let columns: MutableFloats
    private let planes: MutableFloats

    private static var columnSize: Int { 6 * planeSize }
    private static var rowSize: Int { 18 * 16 }
    /// Floats of scratch.
    static var scratch: Int { filterSize + 2 * neighbours * (columnSize + rowSize) }

    @inline(__always)
    init(_ a: ck_weights, _ channels: Range<Int>, _ output: Int, _ vectors: Int, _ scratch: MutableFloats) {
        self.a = a
        self.channels = channels
        self.output = output
        self.vectors = vectors
        taps = scratch
        columns = scratch + filterSize
        planes = columns + 2 * neighbours * Self.columnSize
    }

    /// Runs `body` for every filter, with the numbers of its channels and its share of the scratch.
    @inline(__always)
    private func forEachFilter(
        _ body: (_ channel: Int, _ output: Int, _ column: MutableFloats, _ plane: MutableFloats) -> Void
    ) {
        var index = 0
        for channel in channels {
            for vector in 0..<vectors {
                body(
                    channel, output + vector * V.scalarCount, columns + index * Self.columnSize,
                    planes + index * Self.rowSize)
                index += 1
            }
        }
    }

    /// Runs `body` at the first of every eight taps; the last eight overlap the ones before.
    @inline(__always) private func forEachTapBlock(_ body: (_ tap: Int, _ lane: Int) -> Void) {
        for lane in stride(from: 0, to: V.scalarCount, by: 8) {
            body(0, lane)
            body(8, lane)
            body(16, lane)
            body(19, lane)
        }
    }

    @inline(__always) func transform() {
        forEachFilter { channel, output, column, _ in
            if channel < a.source_channels {
                read(channel, output)
            } else {
                for index in 0..<filterSize { taps[index] = 0 }
            }
            for tap in 0..<9 {
                let depths: Three<V> = three(taps + tap * 16, planeSize)
                if a.tile_depth == 4 {
                    put(weightTransform4(depths), column + tap * 16, planeSize)
                } else {
                    put(weightTransform2(depths), column + tap * 16, planeSize)
                }
            }
        }
        let components = (a.tile + 2) * (a.tile + 2)
        // Panels begin at multiples of 16, so that a vector lies in one of them.
        for z in 0..<a.tile_depth + 2 {
            let u = a.transformed + z * components * a.component_stride
            forEachFilter { _, _, column, plane in
                for x in 0..<3 {
                    let taps: Three<V> = three(column + z * planeSize + x * 16, 48)
                    if a.tile == 4 {
                        put(weightTransform4(taps), plane + x * 16, 48)
                    } else {
                        put(weightTransform2(taps), plane + x * 16, 48)
                    }
                }
            }
            for y in 0..<a.tile + 2 {
                let row = u + y * (a.tile + 2) * a.component_stride
                forEachFilter { channel, output, _, plane in
                    let panel = Panel(of: output, columns: a.output_channels)
                    let place = row + panel.place(channel, output, inputs: a.input_channels)
                    let taps: Three<V> = three(plane + y * 48, 16)
                    if a.tile == 4 {
                        put(weightTransform4(taps), place, a.component_stride)
                    } else {
                        put(weightTransform2(taps), place, a.component_stride)
                    }
                }
            }
        }
    }

    /// Transposes a filter into the scratch; in reverse for the gradient of the data.
    @inline(__always) private func read(_ channel: Int, _ output: Int) {
        let filters = a.source + channel * a.row_stride + output * a.column_stride
        let (start, step) = a.flip == 0 ? (taps, 16) : (taps + 26 * 16, -16)
        forEachTapBlock { tap, lane in
            ck_transpose8(filters + lane * a.column_stride + tap, a.column_stride, start + tap * step + lane, step)
        }
    }

    @inline(__always) func restore() {
        let components = (a.tile + 2) * (a.tile + 2)
        for z in 0..<a.tile_depth + 2 {
            let u = a.transformed + z * components * a.component_stride
            for y in 0..<a.tile + 2 {
                let row = u + y * (a.tile + 2) * a.component_stride
                forEachFilter { channel, output, _, plane in
                    let place = row + channel * a.output_channels + output
                    if a.tile == 4 {
                        put(weightGradientTransform4(six(place, a.component_stride) as Six<V>), plane + y * 48, 16)
                    } else {
                        put(weightGradientTransform2(four(place, a.component_stride) as Four<V>), plane + y * 48, 16)
                    }
                }
            }
            forEachFilter { _, _, column, plane in
                for x in 0..<3 {
                    let taps = column + z * planeSize + x * 16
                    if a.tile == 4 {
                        put(weightGradientTransform4(six(plane + x * 16, 48) as Six<V>), taps, 48)
                    } else {
                        put(weightGradientTransform2(four(plane + x * 16, 48) as Four<V>), taps, 48)
                    }
                }
            }
        }
        forEachFilter { channel, output, column, _ in
            for tap in 0..<9 {
                if a.tile_depth == 4 {
                    let depths: Six<V> = six(column + tap * 16, planeSize)
                    put(weightGradientTransform4(depths), taps + tap * 16, planeSize)
                } else {
                    let depths: Four<V> = four(column + tap * 16, planeSize)
                    put(weightGradientTransform2(depths), taps + tap * 16, planeSize)
                }
            }
            let filters = a.gradient + channel * a.row_stride + output * a.column_stride
            forEachTapBlock { tap, lane in
                ck_transpose8(taps + tap * 16 + lane, 16, filters + lane * a.column_stride + tap, a.column_stride)
            }
        }
    }
}

/// Floats of scratch.
func winogradFiltersScratch() -> Int { FilterGroup<F16>.scratch }

/// Transforms the weights of some input channels, `first` a multiple of 8, to their rows of each component's panels. A
/// channel that the weights do not have becomes zero.
func winogradTransformWeights(_ arguments: UnsafePointer<ck_weights>, _ first: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let channels = first..<min(first + neighbours, a.input_channels)
    forEachPair(of: a.output_channels) {
        FilterGroup<F16>(a, channels, $0, $1, scratch).transform()
    } _: {
        FilterGroup<F8>(a, channels, $0, 1, scratch).transform()
    }
}

/// Brings the gradient of some input channels' components back to PyTorch's layout, overwriting it there.
func winogradRestoreWeights(_ arguments: UnsafePointer<ck_weights>, _ first: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let channels = first..<min(first + neighbours, a.source_channels)
    forEachPair(of: a.output_channels) {
        FilterGroup<F16>(a, channels, $0, $1, scratch).restore()
    } _: {
        FilterGroup<F8>(a, channels, $0, 1, scratch).restore()
    }
}

/// Runs `wide` for every two vectors of 16 channels, or one that is left, and `narrow` where 8 channels remain.
@inline(__always)
private func forEachPair(
    of channels: Int, _ wide: (_ first: Int, _ vectors: Int) -> Void, _ narrow: (_ first: Int) -> Void
) {
    var channel = 0
    while channel + 16 <= channels {
        let vectors = channel + 32 <= channels ? 2 : 1
        wide(channel, vectors)
        channel += 16 * vectors
    }
    if channel < channels { narrow(channel) }
}
