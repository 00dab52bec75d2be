// Matrix products of any width: 1x1x1 and transposed convolutions.
//
// Every element is a sum over the depth from first to last in one accumulator, then the bias. So it depends on nothing
// but its row of A and its column of B: not on where the row stands, how many there are, or which blocks an instruction
// set has. A library's product promises none of that.

import CKernels

/// Floats of B in panels: columns are filled up to a multiple of 8.
func panelsSize(_ depth: Int, _ columns: Int) -> Int { depth * filledUp(columns) }

@inline(__always) private func filledUp(_ columns: Int) -> Int { (columns + 7) / 8 * 8 }

/// Brings B into panels; the columns that fill it up are zero.
func pack(_ arguments: UnsafePointer<ck_panels>) {
    let a = arguments.pointee
    let depth = a.depth
    let columns = a.columns
    let step = a.column_stride
    forEachPanel(of: filledUp(columns)) { panel in
        let valid = min(panel.width, columns - panel.first)
        var source = a.source + panel.first * step
        var target = a.panels + panel.first * depth
        for _ in 0..<depth {
            if step == 1 && valid == panel.width {
                for column in stride(from: 0, to: valid, by: 8) { F8(at: source + column).store(at: target + column) }
            } else {
                for column in 0..<valid { target[column] = source[column * step] }
                for column in valid..<panel.width { target[column] = 0 }
            }
            source += a.depth_stride
            target += panel.width
        }
    }
}

/// Rows of a last panel that are computed at a time.
private let rowsAtOnce = 12

/// Floats of scratch of `product`: some rows of the widest panel.
func productScratch() -> Int { rowsAtOnce * 64 }

/// C = A B, or C = A B + bias, or C += A B.
func product(_ arguments: UnsafePointer<ck_product>, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let columns = a.columns
    let rows = a.rows
    let epilogue: Epilogue = a.bias.map { .plus($0) } ?? (a.adds == 0 ? .store : .add)
    var part = Product(
        a: a.a, aRow: a.a_row, aDepth: a.a_depth, b: a.b, bDepth: 0, c: a.c, cRow: a.c_row,
        depth: a.depth, epilogue: epilogue)
    forEachPanel(of: filledUp(columns)) { panel in
        let isWhole = panel.first + panel.width <= columns
        if !isWhole {
            // The last panel: some of its rows are computed in the scratch, and of them what is wanted is copied.
            part.c = scratch - panel.first
            part.cRow = panel.width
            part.epilogue = .store
        }
        var first = 0
        while first < rows {
            let count = isWhole ? rows : min(rowsAtOnce, rows - first)
            part.a = a.a + first * a.a_row
            part.tall(panel, rows: count)
            if !isWhole { copy(a, first..<first + count, panel, from: scratch) }
            first += count
        }
    }
}

/// The sums of a panel's rows that are wanted, as the epilogue says.
@inline(__always) private func copy(_ a: ck_product, _ rows: Range<Int>, _ panel: Panel, from scratch: MutableFloats) {
    for row in rows {
        let target = a.c + row * a.c_row + panel.first
        let sums = scratch + (row - rows.lowerBound) * panel.width
        for column in 0..<a.columns - panel.first {
            if let bias = a.bias {
                target[column] = sums[column] + bias[panel.first + column]
            } else {
                target[column] = a.adds == 0 ? sums[column] : target[column] + sums[column]
            }
        }
    }
}
