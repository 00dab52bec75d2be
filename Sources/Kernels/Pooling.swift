// Max-pooling of 2x2x2 voxels. Backward finds the maximum again instead of storing where it was; among equals the first
// in (z, y, x) order gets the gradient, as in PyTorch.
//
// Where only the pooled map is wanted, normalisation and ReLU happen on the way: the full-size activation is never
// written, and the gradient of what was normalised is formed straight from that of the pooled map.

import CKernels

private typealias Eight<T> = (T, T, T, T, T, T, T, T)

/// The eight voxels of a window, by (z, y, x).
@inline(__always) private func corners(_ a: ck_pooling, _ row: Int, stride: Int) -> (
    base: Int, offsets: Eight<Int>
) {
    let height = a.x.height
    let width = a.x.width
    let y = row % (height / 2)
    let plane = row / (height / 2)  // counts planes of all samples: the depth is even
    let line = width * stride
    let slice = height * line
    return (
        2 * plane * slice + 2 * y * line,
        (0, stride, line, line + stride, slice, slice + stride, slice + line, slice + line + stride)
    )
}

/// One row of pooled voxels, over all samples and planes.
func pool(_ arguments: UnsafePointer<ck_pooling>, _ row: Int) {
    let a = arguments.pointee
    let stride = a.x.stride
    let (base, o) = corners(a, row, stride: stride)
    let width = a.x.width / 2
    for voxel in 0..<width {
        let p = a.x.values + base + 2 * voxel * stride
        let y = a.y.values + (row * width + voxel) * a.y.stride
        forEachWholeGroup(of: a.x.channels) { c, lanes in
            let near = maximum(
                maximum(load(p + o.0 + c, lanes), load(p + o.1 + c, lanes)),
                maximum(load(p + o.2 + c, lanes), load(p + o.3 + c, lanes)))
            let far = maximum(
                maximum(load(p + o.4 + c, lanes), load(p + o.5 + c, lanes)),
                maximum(load(p + o.6 + c, lanes), load(p + o.7 + c, lanes)))
            store(maximum(near, far), y + c, lanes)
        }
    }
}

/// The gradient of one row of pooled voxels: every voxel of their windows is written.
func unpool(_ arguments: UnsafePointer<ck_pooling>, _ row: Int) {
    let a = arguments.pointee
    let stride = a.x.stride
    let channels = a.x.channels
    let (base, o) = corners(a, row, stride: stride)
    let (gradientBase, q) = corners(a, row, stride: channels)
    let width = a.x.width / 2
    for voxel in 0..<width {
        let p = a.x.values + base + 2 * voxel * stride
        let out = a.x_gradient + gradientBase + 2 * voxel * channels
        let y = a.y.values + (row * width + voxel) * a.y.stride
        let g = a.y_gradient + (row * width + voxel) * channels
        forEachWholeGroup(of: channels) { c, lanes in
            let top = load(y + c, lanes)
            var left = load(g + c, lanes)
            // The gradient goes to the first voxel that is not below the maximum; after that, none is left.
            @inline(__always) func give(_ from: Int, _ to: Int) {
                let given = left - ck_where_greater16(top, load(p + from + c, lanes), left)
                store(given, out + to + c, lanes)
                left -= given
            }
            give(o.0, q.0)
            give(o.1, q.1)
            give(o.2, q.2)
            give(o.3, q.3)
            give(o.4, q.4)
            give(o.5, q.5)
            give(o.6, q.6)
            give(o.7, q.7)
        }
    }
}

/// The eight values of a window after normalisation.
@inline(__always)
private func normalized(
    _ p: Floats, _ o: Eight<Int>, _ scale: F16, _ shift: F16, _ lanes: Lanes
) -> Eight<F16> {
    (
        fma(load(p + o.0, lanes), scale, shift), fma(load(p + o.1, lanes), scale, shift),
        fma(load(p + o.2, lanes), scale, shift), fma(load(p + o.3, lanes), scale, shift),
        fma(load(p + o.4, lanes), scale, shift), fma(load(p + o.5, lanes), scale, shift),
        fma(load(p + o.6, lanes), scale, shift), fma(load(p + o.7, lanes), scale, shift)
    )
}

@inline(__always)
private func forEachCorner(_ v: Eight<F16>, _ o: Eight<Int>, _ body: (F16, Int) -> Void) {
    body(v.0, o.0)
    body(v.1, o.1)
    body(v.2, o.2)
    body(v.3, o.3)
    body(v.4, o.4)
    body(v.5, o.5)
    body(v.6, o.6)
    body(v.7, o.7)
}

@inline(__always) private func largest(_ v: Eight<F16>) -> F16 {
    maximum(maximum(maximum(v.0, v.1), maximum(v.2, v.3)), maximum(maximum(v.4, v.5), maximum(v.6, v.7)))
}

/// One row of pooled voxels of ReLU(x · scale + shift).
func poolNormalized(_ arguments: UnsafePointer<ck_pooling>, _ row: Int) {
    let a = arguments.pointee
    let stride = a.x.stride
    let (base, o) = corners(a, row, stride: stride)
    let width = a.x.width / 2
    forEachWholeGroup(of: a.x.channels) { c, lanes in
        let (scale, shift) = (load(a.scale + c, lanes), load(a.shift + c, lanes))
        for voxel in 0..<width {
            let v = normalized(a.x.values + base + 2 * voxel * stride + c, o, scale, shift, lanes)
            store(maximum(largest(v), F16.zero), a.y.values + (row * width + voxel) * a.y.stride + c, lanes)
        }
    }
}

/// `normalizationSums` over one plane of pooled voxels: elsewhere than at the maxima the gradient is zero.
func poolNormalizationSums(
    _ arguments: UnsafePointer<ck_pooling>, _ normalization: UnsafePointer<ck_normalization_gradient>, _ plane: Int,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let n = normalization.pointee
    let stride = a.x.stride
    let channels = a.x.channels
    let width = a.x.width / 2
    let rows = a.x.height / 2
    for index in 0..<2 * channels { sums[index] = 0 }
    for row in plane * rows..<(plane + 1) * rows {
        let (base, o) = corners(a, row, stride: stride)
        forEachWholeGroup(of: channels) { c, lanes in
            let (scale, shift) = (load(a.scale + c, lanes), load(a.shift + c, lanes))
            let (mean, inverse) = (load(n.mean + c, lanes), load(n.inverse_deviation + c, lanes))
            var s = F16.zero
            var q = F16.zero
            for voxel in 0..<width {
                let p = a.x.values + base + 2 * voxel * stride + c
                let v = normalized(p, o, scale, shift, lanes)
                let top = largest(v)
                let g = ck_where_greater16(
                    top, F16.zero, load(a.y_gradient + (row * width + voxel) * channels + c, lanes))
                var left = g
                // What was normalised, times the gradient, at the first of the largest.
                @inline(__always) func give(_ value: F16, _ from: Int) {
                    let given = left - ck_where_greater16(top, value, left)
                    q = fma(given, (load(p + from, lanes) - mean) * inverse, q)
                    left -= given
                }
                forEachCorner(v, o, give)
                s += g
            }
            add(s, to: sums + c, lanes)
            add(q, to: sums + channels + c, lanes)
        }
    }
}

/// The gradient of what was normalised, over it, for one row of pooled voxels.
func poolNormalizationApply(
    _ arguments: UnsafePointer<ck_pooling>, _ normalization: UnsafePointer<ck_normalization_gradient>, _ row: Int
) {
    let a = arguments.pointee
    let n = normalization.pointee
    let stride = a.x.stride
    let channels = a.x.channels
    let (base, o) = corners(a, row, stride: stride)
    let width = a.x.width / 2
    forEachWholeGroup(of: channels) { c, lanes in
        let (scale, shift) = (load(a.scale + c, lanes), load(a.shift + c, lanes))
        let gradient = NormalizationGradient(n, c, lanes)
        for voxel in 0..<width {
            let place = base + 2 * voxel * stride + c
            let p = a.x.values + place
            let out = n.x_gradient.values + place
            let v = normalized(p, o, scale, shift, lanes)
            let top = largest(v)
            var left = ck_where_greater16(
                top, F16.zero, load(a.y_gradient + (row * width + voxel) * channels + c, lanes))
            @inline(__always) func give(_ value: F16, _ at: Int) {
                let given = left - ck_where_greater16(top, value, left)
                store(gradient.apply(given, load(p + at, lanes)), out + at, lanes)
                left -= given
            }
            forEachCorner(v, o, give)
        }
    }
}
