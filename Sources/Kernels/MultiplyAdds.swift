// The most arithmetic that a thread can do: fused multiply-adds on registers, of which none waits for another.

#if WIDE_REGISTERS
    private typealias Widest = F16
#else
    private typealias Widest = F8
#endif

/// Multiplies and adds on twelve registers; 16 numbers at `numbers` are the factors, and then part of the result.
///
/// - Returns: The number of floating-point operations.
func multiplyAdds(_ rounds: Int, _ numbers: MutableFloats) -> Int {
    let x = Widest(at: numbers)
    var (a, b, c, d, e, f) = (x, x, x, x, x, x)
    var (g, h, i, j, k, l) = (x, x, x, x, x, x)
    for _ in 0..<rounds {
        a = a.fused(x, x)
        b = b.fused(x, x)
        c = c.fused(x, x)
        d = d.fused(x, x)
        e = e.fused(x, x)
        f = f.fused(x, x)
        g = g.fused(x, x)
        h = h.fused(x, x)
        i = i.fused(x, x)
        j = j.fused(x, x)
        k = k.fused(x, x)
        l = l.fused(x, x)
    }
    (a + b + c + d + e + f + (g + h + i + j + k + l)).store(at: numbers)
    return rounds * 12 * 2 * Widest.scalarCount
}
