// Weights into the Winograd domain, U = (G ⊗ G ⊗ G) g, and the gradient back, dg = (G ⊗ G ⊗ G)ᵀ dU.
//
// PyTorch keeps a filter's 27 taps together, the transforms want a tap of 16 output channels in one vector. So 16
// filters of some neighbouring input channels, or the last 8, are transposed in the first-level cache, eight by eight.

import CKernels

/// Input channels of one item: their filters lie side by side in memory.
private let neighbours = 8

/// A filter's taps, transposed: [27][16 output channels]; and nine of them, those of one plane.
private let filterSize = 27 * 16
private let planeSize = 9 * 16

/// Floats of scratch: the filters of some neighbours, one of them after G along z, and one of its planes after G along
/// y.
func winogradFiltersScratch() -> Int { neighbours * filterSize + 6 * planeSize + 18 * 16 }

/// Transforms the weights of some input channels, `first` a multiple of 8, to their rows of each component's panels. A
/// channel that the weights do not have becomes zero.
func winogradTransformWeights(_ arguments: UnsafePointer<ck_weights>, _ first: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let channels = first..<min(first + neighbours, a.input_channels)
    let plane = scratch + neighbours * filterSize
    @inline(__always) func filters<V: Vector>(_: V.Type, _ output: Int) {
        for channel in channels {
            let taps = scratch + (channel - channels.lowerBound) * filterSize
            guard channel < a.source_channels else {
                for index in 0..<filterSize { taps[index] = 0 }
                continue
            }
            let filters = a.source + channel * a.row_stride + output * a.column_stride
            // Taps in reverse for the gradient of the data.
            let (start, step) = a.flip == 0 ? (taps, 16) : (taps + 26 * 16, -16)
            forEachTapBlock { tap in
                for lane in stride(from: 0, to: V.scalarCount, by: 8) {
                    ck_transpose8(
                        filters + lane * a.column_stride + tap, a.column_stride, start + tap * step + lane, step)
                }
            }
        }
        for channel in channels {
            transform(V.self, a, scratch + (channel - channels.lowerBound) * filterSize, channel, output, plane)
        }
    }
    forEachVector(of: a.output_channels) {
        filters(F16.self, $0)
    } _: {
        filters(F8.self, $0)
    }
}

/// Runs `body` at the first of every eight taps; the last eight overlap the ones before.
@inline(__always) private func forEachTapBlock(_ body: (Int) -> Void) {
    body(0)
    body(8)
    body(16)
    body(19)
}

@inline(__always)
private func transform<V: Vector>(
    _: V.Type, _ a: ck_weights, _ g: MutableFloats, _ channel: Int, _ output: Int, _ scratch: MutableFloats
) {
    let stride = a.component_stride
    let components = (a.tile + 2) * (a.tile + 2)
    // Panels begin at multiples of 16, so that a vector lies in one of them.
    let panel = Panel(of: output, columns: a.output_channels)
    let place = panel.place(channel, output, inputs: a.input_channels)
    let plane = scratch + 6 * planeSize
    for tap in 0..<9 {
        let column: Three<V> = three(g + tap * 16, planeSize)
        if a.tile_depth == 4 {
            put(weightTransform4(column), scratch + tap * 16, planeSize)
        } else {
            put(weightTransform2(column), scratch + tap * 16, planeSize)
        }
    }
    for z in 0..<a.tile_depth + 2 {
        let taps = scratch + z * planeSize
        let u = a.transformed + z * components * stride + place
        if a.tile == 4 {
            for x in 0..<3 { put(weightTransform4(three(taps + x * 16, 48) as Three<V>), plane + x * 16, 48) }
            for y in 0..<6 {
                put(weightTransform4(three(plane + y * 48, 16) as Three<V>), u + y * 6 * stride, stride)
            }
        } else {
            for x in 0..<3 { put(weightTransform2(three(taps + x * 16, 48) as Three<V>), plane + x * 16, 48) }
            for y in 0..<4 {
                put(weightTransform2(three(plane + y * 48, 16) as Three<V>), u + y * 4 * stride, stride)
            }
        }
    }
}

/// Brings the gradient of some input channels' components back to PyTorch's layout, overwriting it there.
func winogradRestoreWeights(_ arguments: UnsafePointer<ck_weights>, _ first: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let channels = first..<min(first + neighbours, a.source_channels)
    let plane = scratch + neighbours * filterSize
    @inline(__always) func filters<V: Vector>(_: V.Type, _ output: Int) {
        for channel in channels {
            let taps = scratch + (channel - channels.lowerBound) * filterSize
            restore(V.self, a, taps, channel, output, plane)
            let filters = a.gradient + channel * a.row_stride + output * a.column_stride
            forEachTapBlock { tap in
                for lane in stride(from: 0, to: V.scalarCount, by: 8) {
                    ck_transpose8(taps + tap * 16 + lane, 16, filters + lane * a.column_stride + tap, a.column_stride)
                }
            }
        }
    }
    forEachVector(of: a.output_channels) {
        filters(F16.self, $0)
    } _: {
        filters(F8.self, $0)
    }
}

@inline(__always)
private func restore<V: Vector>(
    _: V.Type, _ a: ck_weights, _ g: MutableFloats, _ channel: Int, _ output: Int, _ scratch: MutableFloats
) {
    let stride = a.component_stride
    let components = (a.tile + 2) * (a.tile + 2)
    let plane = scratch + 6 * planeSize
    for z in 0..<a.tile_depth + 2 {
        let u = a.transformed + z * components * stride + channel * a.output_channels + output
        let taps = scratch + z * planeSize
        if a.tile == 4 {
            for y in 0..<6 {
                put(weightGradientTransform4(six(u + y * 6 * stride, stride) as Six<V>), plane + y * 48, 16)
            }
            for x in 0..<3 { put(weightGradientTransform4(six(plane + x * 16, 48) as Six<V>), taps + x * 16, 48) }
        } else {
            for y in 0..<4 {
                put(weightGradientTransform2(four(u + y * 4 * stride, stride) as Four<V>), plane + y * 48, 16)
            }
            for x in 0..<3 { put(weightGradientTransform2(four(plane + x * 16, 48) as Four<V>), taps + x * 16, 48) }
        }
    }
    for tap in 0..<9 {
        if a.tile_depth == 4 {
            put(weightGradientTransform4(six(scratch + tap * 16, planeSize) as Six<V>), g + tap * 16, planeSize)
        } else {
            put(weightGradientTransform2(four(scratch + tap * 16, planeSize) as Four<V>), g + tap * 16, planeSize)
        }
    }
}
