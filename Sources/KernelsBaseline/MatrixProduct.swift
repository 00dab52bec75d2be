// The matrix product at the heart of everything: small blocks of C kept in registers while K runs.
//
// A block of C has R rows and 64, 32 or 24 columns. Its 16 to 24 vector accumulators, one row of B and one broadcast
// element of A fill the 32 vector registers of AVX-512. Each `Row` struct is a row of the block; the compiler keeps
// its fields in registers.

import CKernels

/// What happens to a block of results.
enum Epilogue: Int {
    case discard, store, add, subtract
}

/// Sixty-four columns.
struct Row64 {
    var a: F16
    var b: F16
    var c: F16
    var d: F16

    @inline(__always) init() {
        a = F16.zero
        b = F16.zero
        c = F16.zero
        d = F16.zero
    }

    @inline(__always) init(_ p: Floats) {
        a = load(p)
        b = load(p + 16)
        c = load(p + 32)
        d = load(p + 48)
    }

    @inline(__always) mutating func add(_ factor: Float, _ row: Row64) {
        let f = splat(factor)
        a = fma(f, row.a, a)
        b = fma(f, row.b, b)
        c = fma(f, row.c, c)
        d = fma(f, row.d, d)
    }

    @inline(__always) func finish(_ p: MutableFloats, _ epilogue: Epilogue) {
        finish16(a, p, epilogue)
        finish16(b, p + 16, epilogue)
        finish16(c, p + 32, epilogue)
        finish16(d, p + 48, epilogue)
    }
}

/// Thirty-two columns.
struct Row32 {
    var a: F16
    var b: F16

    @inline(__always) init() {
        a = F16.zero
        b = F16.zero
    }

    @inline(__always) init(_ p: Floats) {
        a = load(p)
        b = load(p + 16)
    }

    @inline(__always) mutating func add(_ factor: Float, _ row: Row32) {
        let f = splat(factor)
        a = fma(f, row.a, a)
        b = fma(f, row.b, b)
    }

    @inline(__always) func finish(_ p: MutableFloats, _ epilogue: Epilogue) {
        finish16(a, p, epilogue)
        finish16(b, p + 16, epilogue)
    }
}

/// Twenty-four columns: sixteen and eight.
struct Row24 {
    var a: F16
    var b: F8

    @inline(__always) init() {
        a = F16.zero
        b = F8.zero
    }

    @inline(__always) init(_ p: Floats) {
        a = load(p)
        b = ck_load8(p + 16)
    }

    @inline(__always) mutating func add(_ factor: Float, _ row: Row24) {
        a = fma(splat(factor), row.a, a)
        b = fma(F8(repeating: factor), row.b, b)
    }

    @inline(__always) func finish(_ p: MutableFloats, _ epilogue: Epilogue) {
        finish16(a, p, epilogue)
        switch epilogue {
        case .discard: break
        case .store: ck_store8(p + 16, b)
        case .add: ck_store8(p + 16, ck_load8(p + 16) + b)
        case .subtract: ck_store8(p + 16, ck_load8(p + 16) - b)
        }
    }
}

@inline(__always) private func finish16(_ v: F16, _ p: MutableFloats, _ epilogue: Epilogue) {
    switch epilogue {
    case .discard: break
    case .store: store(v, p)
    case .add: store(load(p) + v, p)
    case .subtract: store(load(p) - v, p)
    }
}

/// The operands of a product C[rows, columns] (+)= A[rows, depth] B[depth, columns].
struct Product {
    var a: Floats
    /// Floats in `a` from row to row, and from one depth to the next.
    var aRow: Int
    var aDepth: Int
    var b: Floats
    var bDepth: Int
    var c: MutableFloats
    var cRow: Int
    /// Where the same result goes as well.
    var c2: MutableFloats
    var depth: Int
    var epilogue: Epilogue
    var epilogue2: Epilogue

    /// The product for `rows` a multiple of 12 and `columns` made of 64s, then at most one 32 or 24.
    @inline(__always) func tall(rows: Int, columns: Int) {
        var column = 0
        while columns - column >= 64 {
            for row in stride(from: 0, to: rows, by: 6) { block6x64(row, column) }
            column += 64
        }
        if columns - column >= 32 {
            for row in stride(from: 0, to: rows, by: 12) { block12x32(row, column) }
        } else if columns - column >= 24 {
            for row in stride(from: 0, to: rows, by: 12) { block12x24(row, column) }
        }
    }

    /// The product for `rows` a multiple of 8 and `columns` made of 64s, then at most one 32 or 24.
    @inline(__always) func wide(rows: Int, columns: Int) {
        var column = 0
        while columns - column >= 64 {
            for row in stride(from: 0, to: rows, by: 4) { block4x64(row, column) }
            column += 64
        }
        if columns - column >= 32 {
            for row in stride(from: 0, to: rows, by: 8) { block8x32(row, column) }
        } else if columns - column >= 24 {
            for row in stride(from: 0, to: rows, by: 8) { block8x24(row, column) }
        }
    }

    @inline(__always) private func finish(_ p: Int, _ row: Row64) {
        row.finish(c + p, epilogue)
        row.finish(c2 + p, epilogue2)
    }

    @inline(__always) private func finish(_ p: Int, _ row: Row32) {
        row.finish(c + p, epilogue)
        row.finish(c2 + p, epilogue2)
    }

    @inline(__always) private func finish(_ p: Int, _ row: Row24) {
        row.finish(c + p, epilogue)
        row.finish(c2 + p, epilogue2)
    }

    @inline(__always) private func block6x64(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row64()
        var r1 = Row64()
        var r2 = Row64()
        var r3 = Row64()
        var r4 = Row64()
        var r5 = Row64()
        for _ in 0..<depth {
            let x = Row64(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            r4.add(left[4 * aRow], x)
            r5.add(left[5 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
        finish(p + 4 * cRow, r4)
        finish(p + 5 * cRow, r5)
    }

    @inline(__always) private func block4x64(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row64()
        var r1 = Row64()
        var r2 = Row64()
        var r3 = Row64()
        for _ in 0..<depth {
            let x = Row64(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
    }

    @inline(__always) private func block12x32(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row32()
        var r1 = Row32()
        var r2 = Row32()
        var r3 = Row32()
        var r4 = Row32()
        var r5 = Row32()
        var r6 = Row32()
        var r7 = Row32()
        var r8 = Row32()
        var r9 = Row32()
        var r10 = Row32()
        var r11 = Row32()
        for _ in 0..<depth {
            let x = Row32(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            r4.add(left[4 * aRow], x)
            r5.add(left[5 * aRow], x)
            r6.add(left[6 * aRow], x)
            r7.add(left[7 * aRow], x)
            r8.add(left[8 * aRow], x)
            r9.add(left[9 * aRow], x)
            r10.add(left[10 * aRow], x)
            r11.add(left[11 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
        finish(p + 4 * cRow, r4)
        finish(p + 5 * cRow, r5)
        finish(p + 6 * cRow, r6)
        finish(p + 7 * cRow, r7)
        finish(p + 8 * cRow, r8)
        finish(p + 9 * cRow, r9)
        finish(p + 10 * cRow, r10)
        finish(p + 11 * cRow, r11)
    }

    @inline(__always) private func block8x32(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row32()
        var r1 = Row32()
        var r2 = Row32()
        var r3 = Row32()
        var r4 = Row32()
        var r5 = Row32()
        var r6 = Row32()
        var r7 = Row32()
        for _ in 0..<depth {
            let x = Row32(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            r4.add(left[4 * aRow], x)
            r5.add(left[5 * aRow], x)
            r6.add(left[6 * aRow], x)
            r7.add(left[7 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
        finish(p + 4 * cRow, r4)
        finish(p + 5 * cRow, r5)
        finish(p + 6 * cRow, r6)
        finish(p + 7 * cRow, r7)
    }

    @inline(__always) private func block12x24(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row24()
        var r1 = Row24()
        var r2 = Row24()
        var r3 = Row24()
        var r4 = Row24()
        var r5 = Row24()
        var r6 = Row24()
        var r7 = Row24()
        var r8 = Row24()
        var r9 = Row24()
        var r10 = Row24()
        var r11 = Row24()
        for _ in 0..<depth {
            let x = Row24(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            r4.add(left[4 * aRow], x)
            r5.add(left[5 * aRow], x)
            r6.add(left[6 * aRow], x)
            r7.add(left[7 * aRow], x)
            r8.add(left[8 * aRow], x)
            r9.add(left[9 * aRow], x)
            r10.add(left[10 * aRow], x)
            r11.add(left[11 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
        finish(p + 4 * cRow, r4)
        finish(p + 5 * cRow, r5)
        finish(p + 6 * cRow, r6)
        finish(p + 7 * cRow, r7)
        finish(p + 8 * cRow, r8)
        finish(p + 9 * cRow, r9)
        finish(p + 10 * cRow, r10)
        finish(p + 11 * cRow, r11)
    }

    @inline(__always) private func block8x24(_ row: Int, _ column: Int) {
        var left = a + row * aRow
        var right = b + column
        var r0 = Row24()
        var r1 = Row24()
        var r2 = Row24()
        var r3 = Row24()
        var r4 = Row24()
        var r5 = Row24()
        var r6 = Row24()
        var r7 = Row24()
        for _ in 0..<depth {
            let x = Row24(right)
            r0.add(left[0], x)
            r1.add(left[aRow], x)
            r2.add(left[2 * aRow], x)
            r3.add(left[3 * aRow], x)
            r4.add(left[4 * aRow], x)
            r5.add(left[5 * aRow], x)
            r6.add(left[6 * aRow], x)
            r7.add(left[7 * aRow], x)
            left += aDepth
            right += bDepth
        }
        let p = row * cRow + column
        finish(p, r0)
        finish(p + cRow, r1)
        finish(p + 2 * cRow, r2)
        finish(p + 3 * cRow, r3)
        finish(p + 4 * cRow, r4)
        finish(p + 5 * cRow, r5)
        finish(p + 6 * cRow, r6)
        finish(p + 7 * cRow, r7)
    }
}
