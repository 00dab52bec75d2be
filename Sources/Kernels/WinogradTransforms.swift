// The one-dimensional transforms of Winograd's minimal filtering F(m, 3): m outputs of a 3-tap filter from m + 2
// multiplications instead of 3 m. S. Winograd, "Arithmetic Complexity of Computations", 1980; for networks, A. Lavin
// and S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//
//     y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]         d: m + 2 inputs, g: 3 taps, y: m outputs
//
// The filter is a product of polynomials, computed from its values at m + 1 points and infinity: Bᵀ holds the
// coefficients of Π (x − other points), G the powers of the points over Π (point − others), Aᵀ the powers again.
// The points for m = 4 are 0, ±3/4, ±3/2, ∞: a third of the rounding error of the usual 0, ±1, ±2, ∞, since the powers
// stay near 1. For m = 2 they are 0, ±1, ∞.

/// The points ±a and ±b of F(4, 3), and the products of them that the matrices hold. All are exact in binary.
enum Point {
    static let a: Float = 0.75
    static let b: Float = 1.5
    @inline(__always) static var a2: Float { a * a }
    @inline(__always) static var b2: Float { b * b }
    @inline(__always) static var a3: Float { a * a * a }
    @inline(__always) static var b3: Float { b * b * b }
    /// G's denominators: at 0, at ±a, at ±b.
    @inline(__always) static var g0: Float { 1 / (a2 * b2) }
    @inline(__always) static var ga: Float { 1 / (2 * a2 * (a2 - b2)) }
    @inline(__always) static var gb: Float { 1 / (2 * b2 * (b2 - a2)) }
}

/// Bᵀ d of F(4, 3).
@inline(__always) func inputTransform4<V: Vector>(_ d: Six<V>) -> Six<V> {
    let even1 = fma(-Point.b2, d.2, d.4)
    let odd1 = times(Point.a, fma(-Point.b2, d.1, d.3))
    let even2 = fma(-Point.a2, d.2, d.4)
    let odd2 = times(Point.b, fma(-Point.a2, d.1, d.3))
    let outer = Point.a2 * Point.b2
    let inner = -(Point.a2 + Point.b2)
    return (
        fma(outer, d.0, fma(inner, d.2, d.4)), even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2,
        fma(outer, d.1, fma(inner, d.3, d.5))
    )
}

/// Aᵀ m of F(4, 3).
@inline(__always) func outputTransform4<V: Vector>(_ m: Six<V>) -> Four<V> {
    let even1 = m.1 + m.2
    let odd1 = m.1 - m.2
    let even2 = m.3 + m.4
    let odd2 = m.3 - m.4
    return (
        m.0 + even1 + even2, fma(Point.b, odd2, times(Point.a, odd1)),
        fma(Point.b2, even2, times(Point.a2, even1)),
        fma(Point.b3, odd2, fma(Point.a3, odd1, m.5))
    )
}

/// A y of F(4, 3): the gradient of `outputTransform4`.
@inline(__always) func outputGradientTransform4<V: Vector>(_ y: Four<V>) -> Six<V> {
    let even1 = fma(Point.a2, y.2, y.0)
    let odd1 = fma(Point.a3, y.3, times(Point.a, y.1))
    let even2 = fma(Point.b2, y.2, y.0)
    let odd2 = fma(Point.b3, y.3, times(Point.b, y.1))
    return (y.0, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, y.3)
}

/// G g of F(4, 3).
@inline(__always) func weightTransform4<V: Vector>(_ g: Three<V>) -> Six<V> {
    let even1 = times(Point.ga, fma(Point.a2, g.2, g.0))
    let odd1 = times(Point.ga * Point.a, g.1)
    let even2 = times(Point.gb, fma(Point.b2, g.2, g.0))
    let odd2 = times(Point.gb * Point.b, g.1)
    return (times(Point.g0, g.0), even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, g.2)
}

/// Gᵀ u of F(4, 3): the gradient of `weightTransform4`.
@inline(__always) func weightGradientTransform4<V: Vector>(_ u: Six<V>) -> Three<V> {
    let even1 = times(Point.ga, u.1 + u.2)
    let odd1 = times(Point.ga * Point.a, u.1 - u.2)
    let even2 = times(Point.gb, u.3 + u.4)
    let odd2 = times(Point.gb * Point.b, u.3 - u.4)
    return (
        fma(Point.g0, u.0, even1 + even2), odd1 + odd2,
        fma(Point.a2, even1, fma(Point.b2, even2, u.5))
    )
}

/// Bᵀ d of F(2, 3).
@inline(__always) func inputTransform2<V: Vector>(_ d: Four<V>) -> Four<V> {
    (d.0 - d.2, d.1 + d.2, d.2 - d.1, d.3 - d.1)
}

/// Aᵀ m of F(2, 3).
@inline(__always) func outputTransform2<V: Vector>(_ m: Four<V>) -> Two<V> { (m.0 + m.1 + m.2, m.1 - m.2 + m.3) }

/// A y of F(2, 3).
@inline(__always) func outputGradientTransform2<V: Vector>(_ y: Two<V>) -> Four<V> { (y.0, y.0 + y.1, y.0 - y.1, y.1) }

/// G g of F(2, 3).
@inline(__always) func weightTransform2<V: Vector>(_ g: Three<V>) -> Four<V> {
    let even = times(0.5, g.0 + g.2)
    let odd = times(0.5, g.1)
    return (g.0, even + odd, even - odd, g.2)
}

/// Gᵀ u of F(2, 3).
@inline(__always) func weightGradientTransform2<V: Vector>(_ u: Four<V>) -> Three<V> {
    let even = times(0.5, u.1 + u.2)
    return (u.0 + even, times(0.5, u.1 - u.2), even + u.3)
}

/// One row of a transform along z: the planes of a tile that it takes, by their place, and their factors. One, two or
/// four of them; a row of three has a factor of 0.
struct DepthWeights {
    let count: Int
    let planes: (Int, Int, Int, Int)
    let values: (Float, Float, Float, Float)

    @inline(__always) private init(_ a: (Int, Float)) {
        count = 1
        planes = (a.0, a.0, a.0, a.0)
        values = (a.1, 0, 0, 0)
    }

    @inline(__always) private init(_ a: (Int, Float), _ b: (Int, Float)) {
        count = 2
        planes = (a.0, b.0, a.0, a.0)
        values = (a.1, b.1, 0, 0)
    }

    @inline(__always) private init(_ a: (Int, Float), _ b: (Int, Float), _ c: (Int, Float), _ d: (Int, Float)) {
        count = 4
        planes = (a.0, b.0, c.0, d.0)
        values = (a.1, b.1, c.1, d.1)
    }

    /// Row `z` of Bᵀ of F(l, 3).
    @inline(__always) static func input(_ l: Int, _ z: Int) -> DepthWeights {
        if l == 2 {
            switch z {
            case 0: return DepthWeights((0, 1), (2, -1))
            case 1: return DepthWeights((1, 1), (2, 1))
            case 2: return DepthWeights((2, 1), (1, -1))
            default: return DepthWeights((3, 1), (1, -1))
            }
        }
        let (a, b, a2, b2) = (Point.a, Point.b, Point.a2, Point.b2)
        switch z {
        case 0: return DepthWeights((0, a2 * b2), (2, -(a2 + b2)), (4, 1), (4, 0))
        case 1: return DepthWeights((1, -a * b2), (2, -b2), (3, a), (4, 1))
        case 2: return DepthWeights((1, a * b2), (2, -b2), (3, -a), (4, 1))
        case 3: return DepthWeights((1, -b * a2), (2, -a2), (3, b), (4, 1))
        case 4: return DepthWeights((1, b * a2), (2, -a2), (3, -b), (4, 1))
        default: return DepthWeights((1, a2 * b2), (3, -(a2 + b2)), (5, 1), (5, 0))
        }
    }

    /// Row `z` of A of F(l, 3).
    @inline(__always) static func gradient(_ l: Int, _ z: Int) -> DepthWeights {
        if l == 2 {
            switch z {
            case 0: return DepthWeights((0, 1))
            case 1: return DepthWeights((0, 1), (1, 1))
            case 2: return DepthWeights((0, 1), (1, -1))
            default: return DepthWeights((1, 1))
            }
        }
        switch z {
        case 0: return DepthWeights((0, 1))
        case 1: return DepthWeights((0, 1), (1, Point.a), (2, Point.a2), (3, Point.a3))
        case 2: return DepthWeights((0, 1), (1, -Point.a), (2, Point.a2), (3, -Point.a3))
        case 3: return DepthWeights((0, 1), (1, Point.b), (2, Point.b2), (3, Point.b3))
        case 4: return DepthWeights((0, 1), (1, -Point.b), (2, Point.b2), (3, -Point.b3))
        default: return DepthWeights((3, 1))
        }
    }
}
