/// A dense array of floats with a shape, last axis fastest, as modules hand them to one another.
///
/// It is a value: a copy is independent. Kernels work on raw pointers into `values`, or into a workspace of their own.
public struct Tensor: Hashable, Sendable {
    /// The extents, slowest axis first.
    public let shape: [Int]
    /// The elements in row-major order; their number is the product of `shape`.
    public var values: [Float]

    /// Creates a tensor whose elements all have one value.
    ///
    /// - Precondition: No extent is negative.
    public init(shape: [Int], repeating value: Float = 0) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's shape \(shape) has a negative extent")
        self.shape = shape
        values = Array(repeating: value, count: shape.reduce(1, *))
    }

    /// Creates a tensor of given elements.
    ///
    /// - Precondition: `values` has as many elements as `shape`.
    public init(shape: [Int], values: [Float]) {
        precondition(
            shape.reduce(1, *) == values.count, "\(values.count) values do not fill a tensor of shape \(shape)")
        self.shape = shape
        self.values = values
    }

    /// The number of elements.
    public var count: Int { values.count }
}
