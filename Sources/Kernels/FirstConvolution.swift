// The first layer: one input channel, 24 output channels. With so few multiplications per input Winograd gains nothing;
// this is the plain sum over 27 taps, some voxels of a row at a time: a matrix product whose left side is the row itself.

import CKernels

/// Copies the nine rows of input that one row of output needs, with a zero at either end: [3][3][width + 2].
@inline(__always)
private func gatherRows(_ a: ck_first_convolution, _ row: Int, _ rows: MutableFloats) {
    let depth = Int(a.depth)
    let height = Int(a.height)
    let width = Int(a.width)
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
                let source = a.input + ((sample * depth + sz) * height + sy) * width
                for x in 0..<width { p[x + 1] = source[x] }
            }
        }
    }
}

/// One row of output voxels to `out` [width][24]. `rows` is what `gatherRows` left.
@inline(__always)
private func convolve(_ a: ck_first_convolution, _ rows: MutableFloats, into out: MutableFloats) {
    let width = Int(a.width)
    let step = FirstBlock.rows
    var x = 0
    while x + step <= width {
        var sums = FirstBlock()
        forEachTap(a, rows + x) { sums.add($0, 1, $1) }
        sums.eachRow { $1.store(out + (x + $0) * 24) }
        x += step
    }
    while x < width {
        var sum = Row24()
        forEachTap(a, rows + x) { sum.add($0[0], $1) }
        sum.store(out + x * 24)
        x += 1
    }
    for x in 0..<width {
        let p = out + x * 24
        (F16(at: p) + F16(at: a.bias)).store(at: p)
        (F8(at: p + 16) + F8(at: a.bias + 16)).store(at: p + 16)
    }
}

/// Runs `body` with every tap's place in the rows and its weights.
@inline(__always)
private func forEachTap(_ a: ck_first_convolution, _ rows: MutableFloats, _ body: (Floats, Row24) -> Void) {
    for line in 0..<9 {
        let p = Floats(rows) + line * (Int(a.width) + 2)
        let w = a.weights + line * 72
        body(p, Row24(w))
        body(p + 1, Row24(w + 24))
        body(p + 2, Row24(w + 48))
    }
}

/// One row of output voxels, over all samples.
func firstConvolution(_ arguments: UnsafePointer<ck_first_convolution>, _ row: Int64, _ scratch: MutableFloats) {
    let a = arguments.pointee
    gatherRows(a, Int(row), scratch)
    let output = a.output + Int(row) * Int(a.width * a.channels)
    convolve(a, scratch, into: output)
    guard let scale = a.scale, let shift = a.shift else { return }
    for x in 0..<Int(a.width) {
        let p = output + x * 24
        let low = F16(at: p).fused(F16(at: scale), F16(at: shift))
        let high = F8(at: p + 16).fused(F8(at: scale + 16), F8(at: shift + 16))
        maximum(low, F16.zero).store(at: p)
        ck_max8(high, F8.zero).store(at: p + 16)
    }
}

// With so little arithmetic, the layer's output is computed again wherever its values are needed for normalisation: for
// the statistics, and twice for the gradient. It is never stored. The scratch holds nine rows of `width + 2`, rounded
// up to a cache line so that the sums are aligned; the row of output; sums.

@inline(__always) private func outputRow(_ a: ck_first_convolution, _ scratch: MutableFloats) -> MutableFloats {
    scratch + (9 * (Int(a.width) + 2) + 15) / 16 * 16
}

/// Adds up over one plane what `row` [2][C] finds in each of its rows.
@inline(__always)
private func sumRows(
    _ a: ck_first_convolution, _ plane: Int64, _ scratch: MutableFloats, _ sums: UnsafeMutablePointer<Double>,
    _ row: (_ output: MutableFloats, _ row: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
) {
    let width = 2 * Int(a.channels)
    let output = outputRow(a, scratch)
    let partial = UnsafeMutableRawPointer(output + Int(a.width * a.channels)).assumingMemoryBound(to: Double.self)
    for index in 0..<width { sums[index] = 0 }
    for y in 0..<Int(a.height) {
        let line = Int(plane * a.height) + y
        gatherRows(a, line, scratch)
        convolve(a, scratch, into: output)
        row(output, line, partial)
        for index in 0..<width { sums[index] += partial[index] }
    }
}

/// `moments` over one plane of output.
func firstMoments(
    _ arguments: UnsafePointer<ck_first_convolution>, _ shift: Floats, _ plane: Int64, _ scratch: MutableFloats,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    sumRows(a, plane, scratch, sums) { output, _, partial in
        moments(output, a.channels, a.channels, shift, 0, a.width, partial)
    }
}

/// The normalisation's arguments for one row of output, held in `output`.
@inline(__always)
private func rowOf(
    _ a: ck_first_convolution, _ n: ck_normalization_gradient, _ output: MutableFloats, _ row: Int
) -> ck_normalization_gradient {
    var own = n
    own.x = Floats(output)
    own.x_stride = a.channels
    own.gradient = n.gradient + row * Int(a.width) * Int(n.gradient_stride)
    own.x_gradient = output
    own.x_gradient_stride = a.channels
    return own
}

/// `normalizationSums` over one plane of output.
func firstNormalizationSums(
    _ arguments: UnsafePointer<ck_first_convolution>, _ normalization: UnsafePointer<ck_normalization_gradient>,
    _ plane: Int64, _ scratch: MutableFloats, _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let n = normalization.pointee
    sumRows(a, plane, scratch, sums) { output, row, partial in
        var own = rowOf(a, n, output, row)
        normalizationSums(&own, 0, a.width, partial)
    }
}

/// The gradient of the weights from one plane, [27][C] overwritten: of the convolution alone, or through the
/// normalisation behind it. Each row is summed by itself first: a single sum over the plane would lose digits.
func firstConvolutionWeights(
    _ arguments: UnsafePointer<ck_first_convolution>, _ normalization: UnsafePointer<ck_normalization_gradient>?,
    _ plane: Int64, _ scratch: MutableFloats
) {
    let a = arguments.pointee
    let width = Int(a.width)
    let channels = Int(a.channels)
    for index in 0..<27 * channels { a.weights_gradient[index] = 0 }
    for y in 0..<Int(a.height) {
        let row = Int(plane * a.height) + y
        gatherRows(a, row, scratch)
        var gradient = a.output_gradient.map { $0 + row * width * channels }
        if let normalization {
            let output = outputRow(a, scratch)
            convolve(a, scratch, into: output)
            var own = rowOf(a, normalization.pointee, output, row)
            normalizationApply(&own, 0, a.width)
            gradient = Floats(output)
        }
        guard let gradient else { return }
        for dz in 0..<3 {
            let lines = scratch + dz * 3 * (width + 2)
            let sum = a.weights_gradient + dz * 9 * channels
            rowGradient(F16.self, gradient, channels, lines, width, sum)
            rowGradient(F8.self, gradient + 16, channels, lines, width, sum + 16)
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
