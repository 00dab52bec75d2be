// Some vectors at once: a row or a column of a transform.

typealias Six<V> = (V, V, V, V, V, V)
typealias Four<V> = (V, V, V, V)
typealias Three<V> = (V, V, V)
typealias Two<V> = (V, V)

@inline(__always) func six<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Six<V> {
    (
        V(at: p), V(at: p + stride), V(at: p + 2 * stride), V(at: p + 3 * stride), V(at: p + 4 * stride),
        V(at: p + 5 * stride)
    )
}

@inline(__always) func four<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Four<V> {
    (V(at: p), V(at: p + stride), V(at: p + 2 * stride), V(at: p + 3 * stride))
}

@inline(__always) func three<V: Vector>(_ p: MutableFloats, _ stride: Int) -> Three<V> {
    (V(at: p), V(at: p + stride), V(at: p + 2 * stride))
}

@inline(__always) func put<V: Vector>(_ v: Six<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
    v.3.store(at: p + 3 * stride)
    v.4.store(at: p + 4 * stride)
    v.5.store(at: p + 5 * stride)
}

@inline(__always) func put<V: Vector>(_ v: Four<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
    v.3.store(at: p + 3 * stride)
}

@inline(__always) func put<V: Vector>(_ v: Three<V>, _ p: MutableFloats, _ stride: Int) {
    v.0.store(at: p)
    v.1.store(at: p + stride)
    v.2.store(at: p + 2 * stride)
}
