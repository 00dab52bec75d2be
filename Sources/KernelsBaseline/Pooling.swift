// Max-pooling of 2x2x2 voxels. Backward finds the maximum again instead of storing where it was; among equals the first
// in (z, y, x) order gets the gradient, as in PyTorch.

import CKernels

/// The eight voxels of a window, by (z, y, x).
@inline(__always) private func corners(_ a: ck_pooling, _ row: Int, stride: Int) -> (
    base: Int, offsets: (Int, Int, Int, Int, Int, Int, Int, Int)
) {
    let height = Int(a.height)
    let width = Int(a.width)
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
func pool(_ arguments: UnsafePointer<ck_pooling>, _ row: Int64) {
    let a = arguments.pointee
    let stride = Int(a.x_stride)
    let (base, o) = corners(a, Int(row), stride: stride)
    let width = Int(a.width) / 2
    for voxel in 0..<width {
        let p = a.x + base + 2 * voxel * stride
        let y = a.y + (Int(row) * width + voxel) * Int(a.y_stride)
        forEachGroup(of: Int(a.channels)) { c in
            let near = maximum(
                maximum(load(p + o.0 + c), load(p + o.1 + c)), maximum(load(p + o.2 + c), load(p + o.3 + c)))
            let far = maximum(
                maximum(load(p + o.4 + c), load(p + o.5 + c)), maximum(load(p + o.6 + c), load(p + o.7 + c)))
            store(maximum(near, far), y + c)
        }
    }
}

/// The gradient of one row of pooled voxels: every voxel of their windows is written.
func unpool(_ arguments: UnsafePointer<ck_pooling>, _ row: Int64) {
    let a = arguments.pointee
    let stride = Int(a.x_stride)
    let channels = Int(a.channels)
    let (base, o) = corners(a, Int(row), stride: stride)
    let (gradientBase, q) = corners(a, Int(row), stride: channels)
    let width = Int(a.width) / 2
    for voxel in 0..<width {
        let p = a.x + base + 2 * voxel * stride
        let out = a.x_gradient + gradientBase + 2 * voxel * channels
        let y = a.y + (Int(row) * width + voxel) * Int(a.y_stride)
        let g = a.y_gradient + (Int(row) * width + voxel) * channels
        forEachGroup(of: channels) { c in
            let top = load(y + c)
            var left = load(g + c)
            // The gradient goes to the first voxel that is not below the maximum; after that, none is left.
            @inline(__always) func give(_ from: Int, _ to: Int) {
                let given = left - ck_where_greater16(top, load(p + from + c), left)
                store(given, out + to + c)
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
