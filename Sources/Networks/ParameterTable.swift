/// The places of named tensors in one flat array.
///
/// All parameters (or gradients, momenta, statistics) of the network are a single contiguous vector, so that reducing,
/// hashing, updating and saving them are one call each.
public struct ParameterTable: Hashable, Sendable {
    /// One tensor of the network.
    public struct Entry: Hashable, Sendable {
        /// The tensor's key in PyTorch's `state_dict`, such as `forw1.0.conv1.weight`.
        public let name: String
        /// The tensor's shape in PyTorch; for convolutions [C_out, C_in, kD, kH, kW].
        public let shape: [Int]
        /// The elements in the flat array, row-major.
        public let range: Range<Int>
    }

    /// The tensors, in the order of the flat array.
    public private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]

    /// Creates an empty table.
    public init() {}

    /// The length of the flat array.
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    /// The entry with this name, if there is one.
    public subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

    mutating func append(_ name: String, _ shape: [Int]) {
        indices[name] = entries.count
        entries.append(Entry(name: name, shape: shape, range: count..<count + shape.reduce(1, *)))
    }
}
