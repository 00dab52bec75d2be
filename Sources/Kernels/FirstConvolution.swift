// The first layer: one input channel. With so few multiplications per input Winograd gains nothing; this is the plain
// sum over 27 taps, some voxels of a row at a time: a matrix product whose left side is the row itself.

import CKernels

/// Where things lie in the scratch.
private struct RowScratch {
    /// Nine rows of input with a zero at either end lie first; then, on a cache line, a row of output.
    let output: Int
    /// Sums of one row, [2][C] doubles.
    let sums: Int
    let size: Int

    @inline(__always) init(_ a: ck_first_convolution) {
        output = (9 * (a.input.width + 2) + 15) / 16 * 16
        sums = output + a.input.width * a.channels
        size = sums + 2 * a.channels * MemoryLayout<Double>.size / MemoryLayout<Float>.size
    }
}

func firstConvolutionScratch(_ arguments: UnsafePointer<ck_first_convolution>) -> Int {
    RowScratch(arguments.pointee).size
}

/// Copies the nine rows of input that one row of output needs, with a zero at either end: [3][3][width + 2].
@inline(__always)
private func gatherRows(_ a: ck_first_convolution, _ row: Int, _ rows: MutableFloats) {
    let (depth, height, width) = (a.input.depth, a.input.height, a.input.width)
    let sample = row / (depth * height)
    let z = row / height % depth
    let y = row % height
    for dz in 0..<3 {
        for dy in 0..<3 {
            let p = rows + (dz * 3 + dy) * (width + 2)
            let (sz, sy) = (z + dz - 1, y + dy - 1)
            p[0] = 0
            p[width + 1] = 0
            if sz < 0 || sz >= depth || sy < 0 || sy >= height {
                for x in 0..<width { p[x + 1] = 0 }
            } else {
                let source: MutableFloats = a.input.values + ((sample * depth + sz) * height + sy) * width
                for x in 0..<width { p[x + 1] = source[x] }
            }
        }
    }
}

/// One row of output voxels to `out` [width][C]. `rows` is what `gatherRows` left.
@inline(__always)
private func convolve(_ a: ck_first_convolution, _ rows: MutableFloats, into out: MutableFloats) {
    var channel = 0
    while a.channels - channel >= 24 {
        convolve(FirstBlock.self, a, channel, rows, into: out)
        channel += 24
    }
    if a.channels - channel == 16 { convolve(Block8<Row16>.self, a, channel, rows, into: out) }
    if a.channels - channel == 8 { convolve(Block8<Row8>.self, a, channel, rows, into: out) }
    for x in 0..<a.input.width {
        let p = out + x * a.channels
        forEachVector(of: a.channels) {
            (F16(at: p + $0) + F16(at: a.bias + $0)).store(at: p + $0)
        } _: {
            (F8(at: p + $0) + F8(at: a.bias + $0)).store(at: p + $0)
        }
    }
}

/// The channels of a block from `channel` on.
@inline(__always)
private func convolve<B: Block>(
    _: B.Type, _ a: ck_first_convolution, _ channel: Int, _ rows: MutableFloats, into out: MutableFloats
) {
    let width = a.input.width
    let out = out + channel
    var x = 0
    while x + B.rows <= width {
        var sums = B()
        forEachTap(a, channel, rows + x) { sums.add($0, 1, $1) }
        sums.eachRow { $1.store(out + (x + $0) * a.channels) }
        x += B.rows
    }
    while x < width {
        var sum = B.Columns()
        forEachTap(a, channel, rows + x) { sum.add($0[0], $1) }
        sum.store(out + x * a.channels)
        x += 1
    }
}

/// Runs `body` with every tap's place in the rows and its weights from `channel` on.
@inline(__always)
private func forEachTap<R: Row>(
    _ a: ck_first_convolution, _ channel: Int, _ rows: MutableFloats, _ body: (Floats, R) -> Void
) {
    for line in 0..<9 {
        let p = Floats(rows) + line * (a.input.width + 2)
        let w = a.weights + line * 3 * a.channels + channel
        body(p, R(w))
        body(p + 1, R(w + a.channels))
        body(p + 2, R(w + 2 * a.channels))
    }
}

/// One row of output voxels, over all samples.
func firstConvolution(_ arguments: UnsafePointer<ck_first_convolution>, _ row: Int, _ scratch: MutableFloats) {
    let a = arguments.pointee
    gatherRows(a, row, scratch)
    let output: MutableFloats = a.output + row * a.input.width * a.channels
    convolve(a, scratch, into: output)
    guard let scale = a.scale, let shift = a.shift else { return }
    for x in 0..<a.input.width {
        let p = output + x * a.channels
        forEachVector(of: a.channels) {
            maximum(F16(at: p + $0).fused(F16(at: scale + $0), F16(at: shift + $0)), F16.zero).store(at: p + $0)
        } _: {
            ck_max8(F8(at: p + $0).fused(F8(at: scale + $0), F8(at: shift + $0)), F8.zero).store(at: p + $0)
        }
    }
}

// With so little arithmetic, the layer's output is computed again wherever its values are needed for normalisation: for
// the statistics, and twice for the gradient. It is never stored.

/// Adds up over one plane what `row` [2][C] finds in each of its rows.
@inline(__always)
private func sumRows(
    _ a: ck_first_convolution, _ plane: Int, _ scratch: MutableFloats, _ sums: UnsafeMutablePointer<Double>,
    _ row: (_ output: MutableFloats, _ row: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
) {
    let width = 2 * a.channels
    let layout = RowScratch(a)
    let output = scratch + layout.output
    let partial = UnsafeMutableRawPointer(scratch + layout.sums).assumingMemoryBound(to: Double.self)
    for index in 0..<width { sums[index] = 0 }
    for y in 0..<a.input.height {
        let line = plane * a.input.height + y
        gatherRows(a, line, scratch)
        convolve(a, scratch, into: output)
        row(output, line, partial)
        for index in 0..<width { sums[index] += partial[index] }
    }
}

/// One row of output as a map.
@inline(__always) private func rowMap(_ a: ck_first_convolution, _ output: MutableFloats) -> ck_map {
    ck_map(
        values: output, samples: 1, depth: 1, height: 1, width: a.input.width, channels: a.channels,
        stride: a.channels)
}

/// `moments` over one plane of output.
func firstMoments(
    _ arguments: UnsafePointer<ck_first_convolution>, _ shift: Floats, _ plane: Int, _ scratch: MutableFloats,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    sumRows(a, plane, scratch, sums) { output, _, partial in
        var row = rowMap(a, output)
        moments(&row, shift, 0, a.input.width, partial)
    }
}

/// The normalisation's arguments for one row of output, held in `output`.
@inline(__always)
private func rowOf(
    _ a: ck_first_convolution, _ n: ck_normalization_gradient, _ output: MutableFloats, _ row: Int
) -> ck_normalization_gradient {
    var own = n
    own.x = rowMap(a, output)
    own.gradient.values = n.gradient.values + row * a.input.width * n.gradient.stride
    own.x_gradient = own.x
    return own
}

/// `normalizationSums` over one plane of output.
func firstNormalizationSums(
    _ arguments: UnsafePointer<ck_first_convolution>, _ normalization: UnsafePointer<ck_normalization_gradient>,
    _ plane: Int, _ scratch: MutableFloats, _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let n = normalization.pointee
    sumRows(a, plane, scratch, sums) { output, row, partial in
        var own = rowOf(a, n, output, row)
        normalizationSums(&own, 0, a.input.width, partial)
    }
}

/// The gradient of the weights from one plane, [27][C] overwritten: of the convolution alone, or through the
/// normalisation behind it. Each row is summed by itself first: a single sum over the plane would lose digits.
func firstConvolutionWeights(
    _ arguments: UnsafePointer<ck_first_convolution>, _ normalization: UnsafePointer<ck_normalization_gradient>?,
    _ plane: Int, _ scratch: MutableFloats
) {
    let a = arguments.pointee
    let width = a.input.width
    let channels = a.channels
    for index in 0..<27 * channels { a.weights_gradient[index] = 0 }
    for y in 0..<a.input.height {
        let row = plane * a.input.height + y
        gatherRows(a, row, scratch)
        var gradient = a.output_gradient.map { $0 + row * width * channels }
        if let normalization {
            let output = scratch + RowScratch(a).output
            convolve(a, scratch, into: output)
            var own = rowOf(a, normalization.pointee, output, row)
            normalizationApply(&own, 0, width)
            gradient = Floats(output)
        }
        guard let gradient else { return }
        for dz in 0..<3 {
            let lines = scratch + dz * 3 * (width + 2)
            let sum: MutableFloats = a.weights_gradient + dz * 9 * channels
            forEachVector(of: channels) {
                rowGradient(F16.self, gradient + $0, channels, lines, width, sum + $0)
            } _: {
                rowGradient(F8.self, gradient + $0, channels, lines, width, sum + $0)
            }
        }
    }
}

/// Nine taps (dy, dx) of one vector's channels over one row of voxels.
@inline(__always)
private func rowGradient<V: Vector>(
    _: V.Type, _ gradient: Floats, _ channels: Int, _ rows: MutableFloats, _ width: Int, _ sum: MutableFloats
) {
    let (row0, row1, row2) = (rows, rows + width + 2, rows + 2 * (width + 2))
    var s0 = V.zero
    var s1 = V.zero
    var s2 = V.zero
    var s3 = V.zero
    var s4 = V.zero
    var s5 = V.zero
    var s6 = V.zero
    var s7 = V.zero
    var s8 = V.zero
    for x in 0..<width {
        let g = V(at: gradient + x * channels)
        s0 = fma(row0[x + 0], g, s0)
        s1 = fma(row0[x + 1], g, s1)
        s2 = fma(row0[x + 2], g, s2)
        s3 = fma(row1[x + 0], g, s3)
        s4 = fma(row1[x + 1], g, s4)
        s5 = fma(row1[x + 2], g, s5)
        s6 = fma(row2[x + 0], g, s6)
        s7 = fma(row2[x + 1], g, s7)
        s8 = fma(row2[x + 2], g, s8)
    }
    @inline(__always) func add(_ v: V, _ tap: Int) {
        let p = sum + tap * channels
        (V(at: p) + v).store(at: p)
    }
    add(s0, 0)
    add(s1, 1)
    add(s2, 2)
    add(s3, 3)
    add(s4, 4)
    add(s5, 5)
    add(s6, 6)
    add(s7, 7)
    add(s8, 8)
}
