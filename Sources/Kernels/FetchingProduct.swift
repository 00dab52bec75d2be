// Products whose right sides come from far away, one after the other, as transformed weights do. On AVX-512 a product
// is done before the third-level cache has delivered the next panels, so they are asked for meanwhile. Narrower
// registers take longer, and the processor's own prefetching suffices.

import CKernels

extension Product {
    /// Stores the product for `rows`, a multiple of 12, and `columns`, a multiple of 8; B is in panels.
    ///
    /// - Parameter next: The B of the following product; nil where B stays in the second-level cache anyway.
    @inline(__always) func tall(rows: Int, columns: Int, next: Floats?) {
        #if WIDE_REGISTERS
            if let next {
                forEachPanel(of: columns) { panel in
                    let end = panel.first + panel.width
                    let ahead = end < columns ? b + end * depth : next
                    switch panel.width {
                    case 64: fetchingStrip(Block6<Row64>.self, rows, panel, ahead)
                    case 32: fetchingStrip(Block12<Row32>.self, rows, panel, ahead)
                    case 24: fetchingStrip(Block12<Row24>.self, rows, panel, ahead)
                    case 16: fetchingStrip(Block12<Row16>.self, rows, panel, ahead)
                    default: fetchingStrip(Block12<Row8>.self, rows, panel, ahead)
                    }
                }
                return
            }
        #endif
        tall(rows: rows, columns: columns)
    }

    #if WIDE_REGISTERS
        /// One block below the other, which fetch the next panel between them: a cache line of it for each depth. It
        /// is written beside `block`, since one function for both made products that fetch nothing slower by a fifth.
        @inline(__always)
        private func fetchingStrip<B: Block>(_: B.Type, _ rows: Int, _ panel: Panel, _ ahead: Floats) {
            var ahead = ahead
            for row in stride(from: 0, to: rows, by: B.rows) {
                var sums = B()
                var left = a + row * aRow
                var right = b + panel.first * depth
                for _ in 0..<depth {
                    sums.add(left, aRow, B.Columns(right))
                    left += aDepth
                    right += panel.width
                    ck_prefetch(ahead)
                    ahead += 16
                }
                let p = row * cRow + panel.first
                sums.eachRow { $1.store(c + p + $0 * cRow) }
            }
        }
    #endif
}
