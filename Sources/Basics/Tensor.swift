/// A dense array of floats with a shape, last axis fastest: what modules hand to one another.
///
/// A value: a copy is independent. Kernels work on raw pointers into `values`, or into a workspace of their own.
public struct Tensor: Hashable, Sendable {
    /// Extents, slowest axis first.
    public let shape: [Int]
    /// `shape`'s product of elements, row-major.
    public var values: [Float]

    public init(shape: [Int], repeating value: Float = 0) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's shape \(shape) has a negative extent")
        self.shape = shape
        values = Array(repeating: value, count: shape.reduce(1, *))
    }

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
