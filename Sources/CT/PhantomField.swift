import Basics

/// A smooth function over a box, sampled on a coarse grid and interpolated linearly: cheaper than most functions.
struct PhantomField {
    private let low: Point
    private let inverse: Double
    private let extent: (x: Int, y: Int, z: Int)
    private let values: [Float]

    /// Samples a function every `step` mm; beyond the box the nearest value goes on.
    init(from low: Point, to high: Point, step: Double, _ function: (Point) -> Double) {
        self.low = low
        inverse = 1 / step
        let count = (high - low) / step
        extent = (Int(count.x) + 2, Int(count.y) + 2, Int(count.z) + 2)
        var values: [Float] = []
        values.reserveCapacity(extent.x * extent.y * extent.z)
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                for x in 0..<extent.x {
                    values.append(Float(function(low + Point(Double(x), Double(y), Double(z)) * step)))
                }
            }
        }
        self.values = values
    }

    /// Draws normally distributed values with deviation 1 at the grid's points.
    static func noise(
        from low: Point, to high: Point, step: Double, _ generator: inout CounterGenerator
    ) -> PhantomField {
        PhantomField(from: low, to: high, step: step) { _ in generator.normal() }
    }

    /// Returns the value at a point.
    @inline(__always)
    func callAsFunction(_ point: Point) -> Double {
        let place = (point - low) * inverse
        @inline(__always) func cell(_ place: Double, _ count: Int) -> (Int, Float) {
            let bounded = min(max(place, 0), Double(count - 1) - 1e-9)
            let first = Int(bounded)
            return (first, Float(bounded - Double(first)))
        }
        let (x, u) = cell(place.x, extent.x)
        let (y, v) = cell(place.y, extent.y)
        let (z, w) = cell(place.z, extent.z)
        let (row, plane) = (extent.x, extent.x * extent.y)
        let first = (z * extent.y + y) * row + x
        return values.withUnsafeBufferPointer { values in
            func line(_ at: Int) -> Float { values[at] + (values[at + 1] - values[at]) * u }
            func sheet(_ at: Int) -> Float {
                let (near, far) = (line(at), line(at + row))
                return near + (far - near) * v
            }
            let (near, far) = (sheet(first), sheet(first + plane))
            return Double(near + (far - near) * w)
        }
    }

    /// Returns the unit vector along which the value grows fastest.
    func direction(at point: Point) -> Point {
        let reach = 1.5
        func slope(_ axis: Point) -> Double { self(point + axis * reach) - self(point - axis * reach) }
        return Point(slope(Point(1, 0, 0)), slope(Point(0, 1, 0)), slope(Point(0, 0, 1))).normalized
    }
}

extension CounterGenerator {
    /// A number that is nearly normally distributed, with deviation 1 and at most 3.5: the sum of four uniform ones of
    /// 16 bits, from one draw.
    mutating func normal() -> Double {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
        return (Double(sum) - 131_070) / 37_837
    }

    /// The outcome of a throw that succeeds with a probability.
    mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// A direction, nearly uniform on the sphere.
    mutating func direction() -> Point { Point(normal(), normal(), normal()).normalized }

    /// An index, drawn with given weights.
    mutating func choice(weights: [Double]) -> Int {
        var rest = uniform() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
    }
}
