// Short names for the vector operations that the kernels are written in. All are one instruction on the widest target
// and are inlined everywhere: SIMD16 would be passed in pieces by Swift's calling convention.

import CKernels

typealias F16 = SIMD16<Float>
typealias F8 = SIMD8<Float>
typealias Floats = UnsafePointer<Float>
typealias MutableFloats = UnsafeMutablePointer<Float>

@inline(__always) func load(_ p: Floats) -> F16 { ck_load16(p) }
@inline(__always) func load(_ p: MutableFloats) -> F16 { ck_load16(p) }
@inline(__always) func store(_ v: F16, _ p: MutableFloats) { ck_store16(p, v) }
@inline(__always) func fma(_ a: F16, _ b: F16, _ c: F16) -> F16 { ck_fma16(a, b, c) }
@inline(__always) func fma(_ a: F8, _ b: F8, _ c: F8) -> F8 { ck_fma8(a, b, c) }
@inline(__always) func maximum(_ a: F16, _ b: F16) -> F16 { ck_max16(a, b) }
@inline(__always) func splat(_ value: Float) -> F16 { ck_splat16(value) }

/// Sixteen lanes or eight, for code that is written once and inlined for either.
protocol Vector: SIMD where Scalar == Float {
    init(at p: Floats)
    init(filledWith value: Float)
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    func store(at p: MutableFloats)
    /// self * factor + addend
    func fused(_ factor: Self, _ addend: Self) -> Self
    /// max(self, 0)
    var rectified: Self { get }
}

extension SIMD16: Vector where Scalar == Float {
    @inline(__always) init(at p: Floats) { self = ck_load16(p) }
    @inline(__always) init(filledWith value: Float) { self = ck_splat16(value) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { ck_add16(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { ck_subtract16(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { ck_multiply16(a, b) }
    @inline(__always) static func += (a: inout Self, b: Self) { a = ck_add16(a, b) }
    @inline(__always) func store(at p: MutableFloats) { ck_store16(p, self) }
    @inline(__always) func fused(_ factor: Self, _ addend: Self) -> Self { ck_fma16(self, factor, addend) }
    @inline(__always) var rectified: Self { ck_max16(self, .zero) }
}

extension SIMD8: Vector where Scalar == Float {
    @inline(__always) init(at p: Floats) { self = ck_load8(p) }
    @inline(__always) init(filledWith value: Float) { self = ck_splat8(value) }
    @inline(__always) static func + (a: Self, b: Self) -> Self { ck_add8(a, b) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { ck_subtract8(a, b) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { ck_multiply8(a, b) }
    @inline(__always) static func += (a: inout Self, b: Self) { a = ck_add8(a, b) }
    @inline(__always) func store(at p: MutableFloats) { ck_store8(p, self) }
    @inline(__always) func fused(_ factor: Self, _ addend: Self) -> Self { ck_fma8(self, factor, addend) }
    @inline(__always) var rectified: Self { ck_max8(self, .zero) }
}

/// a * b + c
@inline(__always) func fma<V: Vector>(_ a: Float, _ b: V, _ c: V) -> V { V(filledWith: a).fused(b, c) }
@inline(__always) func times<V: Vector>(_ a: Float, _ b: V) -> V { V(filledWith: a) * b }

/// Runs `wide` at the first channel of every 16 of `channels`, a multiple of 8, and `narrow` where 8 remain.
@inline(__always)
func forEachVector(of channels: Int, _ wide: (Int) -> Void, _ narrow: (Int) -> Void) {
    var channel = 0
    while channel + 16 <= channels {
        wide(channel)
        channel += 16
    }
    if channel < channels { narrow(channel) }
}

/// Which lanes of a vector stand for channels.
enum Lanes {
    case all
    /// The lower eight.
    case low
}

@inline(__always) func load(_ p: Floats, _ lanes: Lanes) -> F16 { lanes == .all ? ck_load16(p) : ck_load_low(p) }
@inline(__always) func store(_ v: F16, _ p: MutableFloats, _ lanes: Lanes) {
    if lanes == .all { ck_store16(p, v) } else { ck_store_low(p, v) }
}

/// Runs `body` at the first channel of every 16 of `channels`, a multiple of 8, and once with the lower lanes for the
/// 8 that may remain: every channel once, as in-place arithmetic needs it.
@inline(__always) func forEachWholeGroup(of channels: Int, _ body: (Int, Lanes) -> Void) {
    var channel = 0
    while channel + 16 <= channels {
        body(channel, .all)
        channel += 16
    }
    if channel < channels { body(channel, .low) }
}
