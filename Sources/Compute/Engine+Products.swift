// Products of matrices, of which 1x1x1, transposed and strided convolutions are made.
//
// The products are our own: every element is one sum from first to last, whatever its row and its neighbours, so that
// equal voxels give equal results and all processors of an instruction set the same bits. OpenBLAS promises neither:
// its kernels for Haswell and Zen round rows at a block's edge in another order, and those for SkylakeX and Cooperlake,
// both of AVX-512, split long sums at different places.

import CKernels

/// A matrix [rows, columns] in memory: floats from row to row, and from column to column.
struct Operand {
    var pointer: UnsafePointer<Float>
    var rowStride: Int
    var columnStride = 1
}

extension Engine {
    /// Voxels of one item of products: a multiple of every block's rows.
    private static let rows = 240

    /// Runs `body` over the rows of a product in fixed chunks, each with the scratch of one.
    func overRows(
        _ voxels: Int, _ body: (_ first: Int, _ count: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        parallel((voxels + Self.rows - 1) / Self.rows, scratch: kernels.product_scratch()) { item, scratch in
            body(item * Self.rows, min(Self.rows, voxels - item * Self.rows), scratch)
        }
    }

    /// Brings the right side of products, [depth, columns], into panels.
    func pack(_ b: Operand, depth: Int, columns: Int, into panels: UnsafeMutablePointer<Float>) {
        var p = ck_panels()
        p.source = b.pointer
        p.depth_stride = b.rowStride
        p.column_stride = b.columnStride
        p.depth = depth
        p.columns = columns
        p.panels = panels
        kernels.pack(&p)
    }

    /// Panels of the right side of products, in a buffer of their own.
    func packed(_ b: Operand, depth: Int, columns: Int) -> FloatBuffer {
        let panels = workspace.take(kernels.panels_size(depth, columns))
        pack(b, depth: depth, columns: columns, into: panels.pointer)
        return panels
    }

    /// C [rows, columns] = A [rows, depth] B, plus a bias for each column if there is one; or C += A B.
    func multiply(
        _ a: Operand, _ panels: UnsafePointer<Float>, bias: UnsafePointer<Float>? = nil, rows: Int, depth: Int,
        columns: Int, into c: UnsafeMutablePointer<Float>, rowStride: Int, adds: Bool = false,
        scratch: UnsafeMutablePointer<Float>
    ) {
        var p = ck_product()
        p.a = a.pointer
        p.a_row = a.rowStride
        p.a_depth = a.columnStride
        p.b = panels
        p.bias = bias
        p.c = c
        p.c_row = rowStride
        p.rows = rows
        p.depth = depth
        p.columns = columns
        p.adds = adds ? 1 : 0
        kernels.product(&p, scratch)
    }

    /// Weights [A, B, taps] as [A, taps, B].
    func tapMajor(_ weights: UnsafeBufferPointer<Float>, _ a: Int, _ b: Int, taps: Int) -> FloatBuffer {
        requireCount(weights.count, a * b * taps, "weights")
        let result = workspace.take(weights.count)
        for first in 0..<a {
            for second in 0..<b {
                for tap in 0..<taps {
                    result.pointer[(first * taps + tap) * b + second] = weights[(first * b + second) * taps + tap]
                }
            }
        }
        return result
    }
}
