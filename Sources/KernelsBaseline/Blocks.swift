// Blocks of a matrix product: rows of accumulators. Each row is a field of its own, since only named values stay in
// registers; that is why these lines repeat.

import CKernels

/// Some columns of one row.
protocol Row {
    init()
    init(_ p: Floats)
    /// self += factor * row
    mutating func add(_ factor: Float, _ row: Self)
    func store(_ p: MutableFloats)
    func add(to p: MutableFloats)
}

/// Some rows of a product.
protocol Block {
    associatedtype Columns: Row
    static var rows: Int { get }
    init()
    /// Adds to row i the product of `left[i * step]` and `row`.
    mutating func add(_ left: Floats, _ step: Int, _ row: Columns)
    func eachRow(_ body: (Int, Columns) -> Void)
}

/// Sixteen columns.
struct Row16: Row {
    private var v: F16

    @inline(__always) init() { v = F16.zero }
    @inline(__always) init(_ p: Floats) { v = load(p) }
    @inline(__always) mutating func add(_ factor: Float, _ row: Row16) { v = fma(splat(factor), row.v, v) }
    @inline(__always) func store(_ p: MutableFloats) { ck_store16(p, v) }
    @inline(__always) func add(to p: MutableFloats) { ck_store16(p, load(p) + v) }
}

/// Eight columns.
struct Row8: Row {
    private var v: F8

    @inline(__always) init() { v = F8.zero }
    @inline(__always) init(_ p: Floats) { v = ck_load8(p) }
    @inline(__always) mutating func add(_ factor: Float, _ row: Row8) { v = fma(F8(repeating: factor), row.v, v) }
    @inline(__always) func store(_ p: MutableFloats) { ck_store8(p, v) }
    @inline(__always) func add(to p: MutableFloats) { ck_store8(p, ck_load8(p) + v) }
}

/// Columns beside columns.
struct Pair<First: Row, Second: Row>: Row {
    private var first: First
    private var second: Second

    /// Where the second begins.
    @inline(__always) private static var width: Int { MemoryLayout<First>.size / MemoryLayout<Float>.size }

    @inline(__always) init() {
        first = First()
        second = Second()
    }
    @inline(__always) init(_ p: Floats) {
        first = First(p)
        second = Second(p + Self.width)
    }
    @inline(__always) mutating func add(_ factor: Float, _ row: Self) {
        first.add(factor, row.first)
        second.add(factor, row.second)
    }
    @inline(__always) func store(_ p: MutableFloats) {
        first.store(p)
        second.store(p + Self.width)
    }
    @inline(__always) func add(to p: MutableFloats) {
        first.add(to: p)
        second.add(to: p + Self.width)
    }
}

typealias Row24 = Pair<Row16, Row8>
typealias Row32 = Pair<Row16, Row16>
typealias Row64 = Pair<Row32, Row32>

/// 2 rows.
struct Block2<Columns: Row>: Block {
    @inline(__always) static var rows: Int { 2 }

    private var r0 = Columns()
    private var r1 = Columns()

    @inline(__always) init() {}

    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) {
        r0.add(left[0], row)
        r1.add(left[step], row)
    }

    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) {
        body(0, r0)
        body(1, r1)
    }
}

/// 4 rows.
struct Block4<Columns: Row>: Block {
    @inline(__always) static var rows: Int { 4 }

    private var r0 = Columns()
    private var r1 = Columns()
    private var r2 = Columns()
    private var r3 = Columns()

    @inline(__always) init() {}

    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) {
        r0.add(left[0], row)
        r1.add(left[step], row)
        r2.add(left[2 * step], row)
        r3.add(left[3 * step], row)
    }

    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) {
        body(0, r0)
        body(1, r1)
        body(2, r2)
        body(3, r3)
    }
}

/// 6 rows.
struct Block6<Columns: Row>: Block {
    @inline(__always) static var rows: Int { 6 }

    private var r0 = Columns()
    private var r1 = Columns()
    private var r2 = Columns()
    private var r3 = Columns()
    private var r4 = Columns()
    private var r5 = Columns()

    @inline(__always) init() {}

    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) {
        r0.add(left[0], row)
        r1.add(left[step], row)
        r2.add(left[2 * step], row)
        r3.add(left[3 * step], row)
        r4.add(left[4 * step], row)
        r5.add(left[5 * step], row)
    }

    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) {
        body(0, r0)
        body(1, r1)
        body(2, r2)
        body(3, r3)
        body(4, r4)
        body(5, r5)
    }
}

/// 8 rows.
struct Block8<Columns: Row>: Block {
    @inline(__always) static var rows: Int { 8 }

    private var r0 = Columns()
    private var r1 = Columns()
    private var r2 = Columns()
    private var r3 = Columns()
    private var r4 = Columns()
    private var r5 = Columns()
    private var r6 = Columns()
    private var r7 = Columns()

    @inline(__always) init() {}

    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) {
        r0.add(left[0], row)
        r1.add(left[step], row)
        r2.add(left[2 * step], row)
        r3.add(left[3 * step], row)
        r4.add(left[4 * step], row)
        r5.add(left[5 * step], row)
        r6.add(left[6 * step], row)
        r7.add(left[7 * step], row)
    }

    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) {
        body(0, r0)
        body(1, r1)
        body(2, r2)
        body(3, r3)
        body(4, r4)
        body(5, r5)
        body(6, r6)
        body(7, r7)
    }
}

/// 12 rows.
struct Block12<Columns: Row>: Block {
    @inline(__always) static var rows: Int { 12 }

    private var r0 = Columns()
    private var r1 = Columns()
    private var r2 = Columns()
    private var r3 = Columns()
    private var r4 = Columns()
    private var r5 = Columns()
    private var r6 = Columns()
    private var r7 = Columns()
    private var r8 = Columns()
    private var r9 = Columns()
    private var r10 = Columns()
    private var r11 = Columns()

    @inline(__always) init() {}

    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) {
        r0.add(left[0], row)
        r1.add(left[step], row)
        r2.add(left[2 * step], row)
        r3.add(left[3 * step], row)
        r4.add(left[4 * step], row)
        r5.add(left[5 * step], row)
        r6.add(left[6 * step], row)
        r7.add(left[7 * step], row)
        r8.add(left[8 * step], row)
        r9.add(left[9 * step], row)
        r10.add(left[10 * step], row)
        r11.add(left[11 * step], row)
    }

    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) {
        body(0, r0)
        body(1, r1)
        body(2, r2)
        body(3, r3)
        body(4, r4)
        body(5, r5)
        body(6, r6)
        body(7, r7)
        body(8, r8)
        body(9, r9)
        body(10, r10)
        body(11, r11)
    }
}
