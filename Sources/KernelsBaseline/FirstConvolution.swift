// The first layer: one input channel. With so few multiplications per input Winograd gains nothing; this is the plain
// sum over 27 taps, vectorised over output channels, eight voxels of a row at a time.

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

/// One row of output voxels, over all samples. The scratch holds nine rows of `width + 2`, and eight floats more.
func firstConvolution(_ arguments: UnsafePointer<ck_first_convolution>, _ row: Int64, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let width = Int(a.width)
    let channels = Int(a.channels)
    gatherRows(a, Int(row), scratch)
    let out = a.output + Int(row) * width * channels
    forEachGroup(of: channels) { channel in
        let bias = load(a.bias + channel)
        let w = a.weights + channel
        var x = 0
        while x < width {
            // The last group of a row whose width is no multiple of 4 reads past it, into the next row of the scratch.
            var (s0, s1, s2, s3) = (bias, bias, bias, bias)
            for line in 0..<9 {
                let p = scratch + line * (width + 2) + x
                for dx in 0..<3 {
                    let factor = load(w + (line * 3 + dx) * channels)
                    s0 = fma(splat(p[dx]), factor, s0)
                    s1 = fma(splat(p[dx + 1]), factor, s1)
                    s2 = fma(splat(p[dx + 2]), factor, s2)
                    s3 = fma(splat(p[dx + 3]), factor, s3)
                }
            }
            let q = out + x * channels + channel
            store(s0, q)
            if x + 1 < width { store(s1, q + channels) }
            if x + 2 < width { store(s2, q + 2 * channels) }
            if x + 3 < width { store(s3, q + 3 * channels) }
            x += 4
        }
    }
}

/// The gradient of the weights from one plane of output, [27][C] overwritten. Each row is summed by itself first: a
/// single sum over the plane would lose digits.
func firstConvolutionWeights(
    _ arguments: UnsafePointer<ck_first_convolution>, _ plane: Int64, _ scratch: MutableFloats
) {
    let a = arguments.pointee
    let height = Int(a.height)
    let width = Int(a.width)
    let channels = Int(a.channels)
    for index in 0..<27 * channels { a.weights_gradient[index] = 0 }
    for y in 0..<height {
        let row = Int(plane) * height + y
        gatherRows(a, row, scratch)
        let gradient = a.output_gradient + row * width * channels
        var channel = 0
        while channel < channels {
            for dz in 0..<3 {
                if channel + 16 <= channels {
                    rowGradient16(
                        gradient + channel, channels, scratch + dz * 3 * (width + 2), width,
                        a.weights_gradient + dz * 9 * channels + channel)
                } else {
                    rowGradient8(
                        gradient + channel, channels, scratch + dz * 3 * (width + 2), width,
                        a.weights_gradient + dz * 9 * channels + channel)
                }
            }
            channel += 16
        }
    }
}

/// Nine taps (dy, dx) of 16 channels over one row of voxels.
@inline(__always)
private func rowGradient16(
    _ gradient: Floats, _ channels: Int, _ rows: MutableFloats, _ width: Int, _ sum: MutableFloats
) {
    let (row0, row1, row2) = (rows, rows + width + 2, rows + 2 * (width + 2))
    var s0 = F16.zero
    var s1 = F16.zero
    var s2 = F16.zero
    var s3 = F16.zero
    var s4 = F16.zero
    var s5 = F16.zero
    var s6 = F16.zero
    var s7 = F16.zero
    var s8 = F16.zero
    for x in 0..<width {
        let g = load(gradient + x * channels)
        s0 = fma(splat(row0[x + 0]), g, s0)
        s1 = fma(splat(row0[x + 1]), g, s1)
        s2 = fma(splat(row0[x + 2]), g, s2)
        s3 = fma(splat(row1[x + 0]), g, s3)
        s4 = fma(splat(row1[x + 1]), g, s4)
        s5 = fma(splat(row1[x + 2]), g, s5)
        s6 = fma(splat(row2[x + 0]), g, s6)
        s7 = fma(splat(row2[x + 1]), g, s7)
        s8 = fma(splat(row2[x + 2]), g, s8)
    }
    store(load(sum) + s0, sum)
    store(load(sum + channels) + s1, sum + channels)
    store(load(sum + 2 * channels) + s2, sum + 2 * channels)
    store(load(sum + 3 * channels) + s3, sum + 3 * channels)
    store(load(sum + 4 * channels) + s4, sum + 4 * channels)
    store(load(sum + 5 * channels) + s5, sum + 5 * channels)
    store(load(sum + 6 * channels) + s6, sum + 6 * channels)
    store(load(sum + 7 * channels) + s7, sum + 7 * channels)
    store(load(sum + 8 * channels) + s8, sum + 8 * channels)
}

/// Nine taps (dy, dx) of 8 channels over one row of voxels.
@inline(__always)
private func rowGradient8(
    _ gradient: Floats, _ channels: Int, _ rows: MutableFloats, _ width: Int, _ sum: MutableFloats
) {
    let (row0, row1, row2) = (rows, rows + width + 2, rows + 2 * (width + 2))
    var s0 = F8.zero
    var s1 = F8.zero
    var s2 = F8.zero
    var s3 = F8.zero
    var s4 = F8.zero
    var s5 = F8.zero
    var s6 = F8.zero
    var s7 = F8.zero
    var s8 = F8.zero
    for x in 0..<width {
        let g = ck_load8(gradient + x * channels)
        s0 = fma(F8(repeating: row0[x + 0]), g, s0)
        s1 = fma(F8(repeating: row0[x + 1]), g, s1)
        s2 = fma(F8(repeating: row0[x + 2]), g, s2)
        s3 = fma(F8(repeating: row1[x + 0]), g, s3)
        s4 = fma(F8(repeating: row1[x + 1]), g, s4)
        s5 = fma(F8(repeating: row1[x + 2]), g, s5)
        s6 = fma(F8(repeating: row2[x + 0]), g, s6)
        s7 = fma(F8(repeating: row2[x + 1]), g, s7)
        s8 = fma(F8(repeating: row2[x + 2]), g, s8)
    }
    ck_store8(sum, ck_load8(sum) + s0)
    ck_store8(sum + channels, ck_load8(sum + channels) + s1)
    ck_store8(sum + 2 * channels, ck_load8(sum + 2 * channels) + s2)
    ck_store8(sum + 3 * channels, ck_load8(sum + 3 * channels) + s3)
    ck_store8(sum + 4 * channels, ck_load8(sum + 4 * channels) + s4)
    ck_store8(sum + 5 * channels, ck_load8(sum + 5 * channels) + s5)
    ck_store8(sum + 6 * channels, ck_load8(sum + 6 * channels) + s6)
    ck_store8(sum + 7 * channels, ck_load8(sum + 7 * channels) + s7)
    ck_store8(sum + 8 * channels, ck_load8(sum + 8 * channels) + s8)
}
