/// Three numbers along the axes of a volume, slowest axis first: everything in this project is ordered (z, y, x).
///
/// A struct of our own and not `SIMD3`, whose `.x` would be the z axis.
public struct ZYX<Scalar: Hashable & Sendable>: Hashable, Sendable {
    /// The number along the slowest axis.
    public var z: Scalar
    /// The number along the middle axis.
    public var y: Scalar
    /// The number along the fastest axis.
    public var x: Scalar

    /// Creates the three numbers, slowest axis first.
    @inlinable public init(_ z: Scalar, _ y: Scalar, _ x: Scalar) {
        self.z = z
        self.y = y
        self.x = x
    }

    /// Creates three equal numbers.
    @inlinable public init(repeating value: Scalar) { self.init(value, value, value) }

    /// The number along an axis: 0 is z, 1 is y, 2 is x.
    @inlinable public subscript(axis: Int) -> Scalar {
        get {
            precondition(0..<3 ~= axis, "axis \(axis) is not 0, 1 or 2")
            return axis == 0 ? z : axis == 1 ? y : x
        }
        set {
            precondition(0..<3 ~= axis, "axis \(axis) is not 0, 1 or 2")
            if axis == 0 { z = newValue } else if axis == 1 { y = newValue } else { x = newValue }
        }
    }

    /// The three numbers, each transformed.
    @inlinable public func map<Result>(_ transform: (Scalar) throws -> Result) rethrows -> ZYX<Result> {
        try ZYX<Result>(transform(z), transform(y), transform(x))
    }

    /// The three numbers, each combined with another's of the same axis.
    @inlinable public func zip<Other, Result>(
        _ other: ZYX<Other>, _ combine: (Scalar, Other) throws -> Result
    ) rethrows -> ZYX<Result> {
        try ZYX<Result>(combine(z, other.z), combine(y, other.y), combine(x, other.x))
    }

    /// The three numbers as an array [z, y, x].
    public var array: [Scalar] { [z, y, x] }
}

extension ZYX where Scalar: AdditiveArithmetic {
    /// The sums along each axis.
    @inlinable public static func + (a: Self, b: Self) -> Self { a.zip(b, +) }
    /// The differences along each axis.
    @inlinable public static func - (a: Self, b: Self) -> Self { a.zip(b, -) }
}

extension ZYX where Scalar: Numeric {
    /// The product of the three numbers: the number of voxels in a box of this extent.
    @inlinable public var product: Scalar { z * y * x }
    /// The products along each axis.
    @inlinable public static func * (a: Self, b: Self) -> Self { a.zip(b, *) }
    /// The three numbers, each times a scalar.
    @inlinable public static func * (a: Self, b: Scalar) -> Self { a.map { $0 * b } }
}

extension ZYX: CustomStringConvertible {
    /// The numbers as `(z, y, x)`.
    public var description: String { "(\(z), \(y), \(x))" }
}
