/// A dense array of floats with a shape, last axis fastest: what modules hand to one another.
///
/// A value: a copy is independent. Kernels work on raw pointers into `values`, or into a workspace of their own.
public struct Tensor: Hashable, Sendable {
    /// The extents, slowest axis first.
    public let shape: [Int]
    /// The elements, row-major: as many as the product of the extents.
    public var values: [Float]

    /// A tensor all of whose elements are the same.
    public init(shape: [Int], repeating value: Float = 0) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's shape \(shape) has a negative extent")
        self.shape = shape
        values = Array(repeating: value, count: shape.reduce(1, *))
    }

    /// A tensor of given elements, row-major.
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
