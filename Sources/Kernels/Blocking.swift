// Which blocks of a matrix product an instruction set's registers hold: as many accumulators as fit beside one row of B
// and a broadcast element of A.

import CKernels

#if WIDE_REGISTERS
    // AVX-512, 32 registers of 16 lanes: 6 x 4 = 24 accumulators for 64 columns, 12 x 2 for 32. Twenty-four columns
    // take a whole and a half register.

    typealias FirstBlock = Block8<Row24>

    extension Product {
        /// The columns of one panel, for any number of rows; B is in panels.
        @inline(__always) func tall(_ panel: Panel, rows: Int) {
            switch panel.width {
            case 64: strip(Block6<Row64>.self, rows, panel.first, panel: 64)
            case 32: strip(Block12<Row32>.self, rows, panel.first, panel: 32)
            case 24: strip(Block12<Row24>.self, rows, panel.first, panel: 24)
            case 16: strip(Block12<Row16>.self, rows, panel.first, panel: 16)
            default: strip(Block12<Row8>.self, rows, panel.first, panel: 8)
            }
        }

        /// The columns of one panel, for any number of rows; B is a matrix.
        @inline(__always) func wide(_ panel: Panel, rows: Int) {
            switch panel.width {
            case 64: strip(Block4<Row64>.self, rows, panel.first)
            case 32: strip(Block8<Row32>.self, rows, panel.first)
            case 24: strip(Block8<Row24>.self, rows, panel.first)
            case 16: strip(Block8<Row16>.self, rows, panel.first)
            default: strip(Block8<Row8>.self, rows, panel.first)
            }
        }
    }
#else
    // AVX2, 16 registers of 8 lanes: 6 x 2 = 12 accumulators for 16 columns, 4 x 3 for 24. The same blocks suit the 32
    // registers of 4 lanes of arm64; without AVX the compiler keeps some accumulators in the first-level cache.

    typealias FirstBlock = Block4<Row24>

    extension Product {
        /// The columns of one panel, for any number of rows; B is in panels.
        @inline(__always) func tall(_ panel: Panel, rows: Int) {
            switch panel.width {
            case 24: strip(Block4<Row24>.self, rows, panel.first, panel: 24)
            case 16: strip(Block6<Row16>.self, rows, panel.first, panel: 16)
            default: strip(Block12<Row8>.self, rows, panel.first, panel: 8)
            }
        }

        /// The columns of one panel, for any number of rows; B is a matrix.
        @inline(__always) func wide(_ panel: Panel, rows: Int) {
            switch panel.width {
            case 24: strip(Block4<Row24>.self, rows, panel.first)
            case 16: strip(Block6<Row16>.self, rows, panel.first)
            default: strip(Block12<Row8>.self, rows, panel.first)
            }
        }
    }
#endif

extension Product {
    /// For any `rows`, and `columns` a multiple of 8; B is in panels.
    @inline(__always) func tall(rows: Int, columns: Int) {
        forEachPanel(of: columns) { tall($0, rows: rows) }
    }

    /// For any `rows`, and `columns` a multiple of 8; B is a matrix.
    @inline(__always) func wide(rows: Int, columns: Int) {
        forEachPanel(of: columns) { wide($0, rows: rows) }
    }

    /// One block below the other, and smaller ones for the rows that remain. Every element is the same sum in the same
    /// order whichever block it falls into.
    @inline(__always) private func strip<B: Block>(_: B.Type, _ rows: Int, _ column: Int, panel: Int? = nil) {
        var row = 0
        while rows - row >= B.rows {
            block(B.self, row, column, panel: panel)
            row += B.rows
        }
        while B.rows > 4 && rows - row >= 4 {
            block(Block4<B.Columns>.self, row, column, panel: panel)
            row += 4
        }
        while rows - row >= 2 {
            block(Block2<B.Columns>.self, row, column, panel: panel)
            row += 2
        }
        if row < rows { block(Block1<B.Columns>.self, row, column, panel: panel) }
    }
}

/// Some neighbouring columns of a matrix product, as wide as a block.
///
/// Panels are the layout of transformed weights as well: the columns of one after those of the other, each a matrix
/// [C_in][width], so that the innermost loop reads them from end to end. A matrix [C_in][C_out] would bring the lines
/// of a block into a few sets of the cache only.
struct Panel {
    /// Its first column and its width.
    let first: Int
    let width: Int

    /// The panel that begins at column `first` of `columns`, a multiple of 8.
    @inline(__always) init(from first: Int, columns: Int) {
        self.first = first
        let left = columns - first
        #if WIDE_REGISTERS
            // 64s, then at most one 32, then at most one of 24, 16 or 8.
            width = left >= 64 ? 64 : left >= 32 ? 32 : left
        #else
            // 16s, and a last 24 where they leave 8.
            width = left == 24 ? 24 : min(16, left)
        #endif
    }

    /// The panel that holds `column` of `columns`.
    @inline(__always) init(of column: Int, columns: Int) {
        var panel = Panel(from: 0, columns: columns)
        while panel.first + panel.width <= column {
            panel = Panel(from: panel.first + panel.width, columns: columns)
        }
        self = panel
    }

    /// Where element (input, column) lies.
    @inline(__always) func place(_ input: Int, _ column: Int, inputs: Int) -> Int {
        first * inputs + input * width + column - first
    }
}

/// Runs `body` for all panels of `columns`, a multiple of 8.
@inline(__always) func forEachPanel(of columns: Int, _ body: (Panel) -> Void) {
    var first = 0
    while first < columns {
        let panel = Panel(from: first, columns: columns)
        body(panel)
        first += panel.width
    }
}
