// Blocks of a matrix product, put together from single rows of single vectors. All of it is inlined: a block's
// accumulators are so many registers, and its loops straight lines of multiply-adds.

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

/// The columns of one vector.
struct VectorRow<V: Vector>: Row {
    private var v: V

    @inline(__always) init() { v = V.zero }
    @inline(__always) init(_ p: Floats) { v = V(at: p) }
    @inline(__always) mutating func add(_ factor: Float, _ row: Self) { v = fma(factor, row.v, v) }
    @inline(__always) func store(_ p: MutableFloats) { v.store(at: p) }
    @inline(__always) func add(to p: MutableFloats) { (V(at: p) + v).store(at: p) }
}

/// Columns beside columns.
struct Beside<First: Row, Second: Row>: Row {
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

typealias Row8 = VectorRow<F8>
typealias Row16 = VectorRow<F16>
typealias Row24 = Beside<Row16, Row8>
typealias Row32 = Beside<Row16, Row16>
typealias Row64 = Beside<Row32, Row32>

/// Some rows of a product.
protocol Block {
    associatedtype Columns: Row
    static var rows: Int { get }
    init()
    /// Adds to row i the product of `left[i * step]` and `row`.
    mutating func add(_ left: Floats, _ step: Int, _ row: Columns)
    func eachRow(from first: Int, _ body: (Int, Columns) -> Void)
}

extension Block {
    @inline(__always) func eachRow(_ body: (Int, Columns) -> Void) { eachRow(from: 0, body) }
}

struct Block1<Columns: Row>: Block {
    private var row = Columns()

    @inline(__always) static var rows: Int { 1 }
    @inline(__always) init() {}
    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Columns) { self.row.add(left[0], row) }
    @inline(__always) func eachRow(from first: Int, _ body: (Int, Columns) -> Void) { body(first, row) }
}

/// Rows above rows.
struct Above<Top: Block, Bottom: Block>: Block where Top.Columns == Bottom.Columns {
    private var top = Top()
    private var bottom = Bottom()

    @inline(__always) static var rows: Int { Top.rows + Bottom.rows }
    @inline(__always) init() {}
    @inline(__always) mutating func add(_ left: Floats, _ step: Int, _ row: Top.Columns) {
        top.add(left, step, row)
        bottom.add(left + Top.rows * step, step, row)
    }
    @inline(__always) func eachRow(from first: Int, _ body: (Int, Top.Columns) -> Void) {
        top.eachRow(from: first, body)
        bottom.eachRow(from: first + Top.rows, body)
    }
}

typealias Block2<R: Row> = Above<Block1<R>, Block1<R>>
typealias Block4<R: Row> = Above<Block2<R>, Block2<R>>
typealias Block6<R: Row> = Above<Block4<R>, Block2<R>>
typealias Block8<R: Row> = Above<Block4<R>, Block4<R>>
typealias Block12<R: Row> = Above<Block8<R>, Block4<R>>
