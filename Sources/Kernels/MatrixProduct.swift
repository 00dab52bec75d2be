// The matrix product at the heart of everything: a block of C stays in registers while K runs.
//
// A block has R rows and one `Row` of columns. Its accumulators, one row of B and a broadcast element of A fill the
// registers and no more; which blocks those are is said in Blocking.swift. Written once for every kind of row: the
// compiler makes a function of each combination, keeps its accumulators in registers and unrolls `eachRow`.

import CKernels

/// The way in which a block of results is stored.
enum Epilogue {
    /// c = r
    case store
    /// c += r
    case add
    /// c = r + a row of biases, one for each column
    case plus(Floats)
}

/// The operands of a product C[rows, columns] = A[rows, depth] B[depth, columns].
struct Product {
    var a: Floats
    /// Floats in `a` from row to row, and from one depth to the next.
    var aRow: Int
    var aDepth: Int
    /// Transformed weights in panels (see `Panel`), or a matrix with `bDepth` floats from one depth to the next.
    var b: Floats
    var bDepth: Int
    var c: MutableFloats
    var cRow: Int
    var depth: Int
    var epilogue: Epilogue

    /// One block: its rows begin at `row`, its columns at `column`, where a panel of B of that width begins; without
    /// one, B is a matrix.
    @inline(__always) func block<B: Block>(_: B.Type, _ row: Int, _ column: Int, panel: Int? = nil) {
        var sums = B()
        var left = a + row * aRow
        var right = b + (panel == nil ? column : column * depth)
        let rightStep = panel ?? bDepth
        for _ in 0..<depth {
            sums.add(left, aRow, B.Columns(right))
            left += aDepth
            right += rightStep
        }
        let p = row * cRow + column
        switch epilogue {
        case .store: sums.eachRow { $1.store(c + p + $0 * cRow) }
        case .add: sums.eachRow { $1.add(to: c + p + $0 * cRow) }
        case .plus(let bias):
            let bias = B.Columns(bias + column)
            sums.eachRow {
                var sum = $1
                sum.add(1, bias)
                sum.store(c + p + $0 * cRow)
            }
        }
    }
}
