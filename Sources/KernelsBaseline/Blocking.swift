// Which blocks of a matrix product an instruction set's registers hold: as many accumulators as fit beside one row of B
// and a broadcast element of A.

import CKernels

#if WIDE_REGISTERS
    // AVX-512, 32 registers of 16 lanes: 6 x 4 = 24 accumulators for 64 columns, 12 x 2 for 32. Twenty-four columns take
    // a whole and a half register.

    typealias FirstBlock = Block8<Row24>

    extension Product {
        /// For `rows` a multiple of 12 and `columns` made of 64s, then at most one 32 or 24.
        @inline(__always) func tall(rows: Int, columns: Int) {
            var column = 0
            while columns - column >= 64 {
                for row in stride(from: 0, to: rows, by: 6) { block(Block6<Row64>.self, row, column, panel: 64) }
                column += 64
            }
            if columns - column == 32 {
                for row in stride(from: 0, to: rows, by: 12) { block(Block12<Row32>.self, row, column, panel: 32) }
            } else if columns - column == 24 {
                for row in stride(from: 0, to: rows, by: 12) { block(Block12<Row24>.self, row, column, panel: 24) }
            }
        }

        /// For `rows` a multiple of 8 and `columns` made of 64s, then at most one 32 or 24.
        @inline(__always) func wide(rows: Int, columns: Int) {
            var column = 0
            while columns - column >= 64 {
                for row in stride(from: 0, to: rows, by: 4) { block(Block4<Row64>.self, row, column) }
                column += 64
            }
            if columns - column == 32 {
                for row in stride(from: 0, to: rows, by: 8) { block(Block8<Row32>.self, row, column) }
            } else if columns - column == 24 {
                for row in stride(from: 0, to: rows, by: 8) { block(Block8<Row24>.self, row, column) }
            }
        }
    }
#else
    // AVX2, 16 registers of 8 lanes: 6 x 2 = 12 accumulators for 16 columns, 4 x 3 for 24. The same blocks suit the 32
    // registers of 4 lanes of arm64; without AVX the compiler keeps some accumulators in the first-level cache.

    typealias FirstBlock = Block4<Row24>

    extension Product {
        /// For `rows` a multiple of 12 and 24 `columns` or a multiple of 16.
        @inline(__always) func tall(rows: Int, columns: Int) {
            if columns == 24 {
                for row in stride(from: 0, to: rows, by: 4) { block(Block4<Row24>.self, row, 0, panel: 24) }
                return
            }
            for column in stride(from: 0, to: columns, by: 16) {
                for row in stride(from: 0, to: rows, by: 6) { block(Block6<Row16>.self, row, column, panel: 16) }
            }
        }

        /// For `rows` a multiple of 8 and 24 `columns` or a multiple of 16.
        @inline(__always) func wide(rows: Int, columns: Int) {
            if columns == 24 {
                for row in stride(from: 0, to: rows, by: 4) { block(Block4<Row24>.self, row, 0) }
                return
            }
            for column in stride(from: 0, to: columns, by: 16) {
                var row = 0
                while rows - row >= 6 {
                    block(Block6<Row16>.self, row, column)
                    row += 6
                }
                while row < rows {
                    block(Block2<Row16>.self, row, column)
                    row += 2
                }
            }
        }
    }
#endif

/// The layout of transformed weights: the columns of one block after the other, each a matrix [C_in][width], so that the
/// innermost loop reads them from end to end. A matrix [C_in][C_out] would bring the lines of a block into a few sets of
/// the cache only.
struct Panel {
    /// Its first column and its width.
    let first: Int
    let width: Int

    /// The panel that holds `column` of `columns`.
    @inline(__always) init(of column: Int, columns: Int) {
        #if WIDE_REGISTERS
            first = column / 64 * 64
            width = min(64, columns - first)
        #else
            width = columns == 24 ? 24 : 16
            first = column / width * width
        #endif
    }

    /// Where element (input, column) lies.
    @inline(__always) func place(_ input: Int, _ column: Int, inputs: Int) -> Int {
        first * inputs + input * width + column - first
    }
}
