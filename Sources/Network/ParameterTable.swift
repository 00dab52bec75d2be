/// Where each named tensor lies in one flat array: all parameters (or gradients, momenta, statistics) of the network
/// are a single contiguous vector, so that reducing, hashing, updating and saving them are one call each.
public struct ParameterTable: Hashable, Sendable {
    /// One tensor of the network.
    public struct Entry: Hashable, Sendable {
        /// PyTorch's `state_dict` key, such as `forw1.0.conv1.weight`.
        public let name: String
        /// PyTorch's shape; for convolutions [C_out, C_in, kD, kH, kW].
        public let shape: [Int]
        /// The elements in the flat array, row-major.
        public let range: Range<Int>
    }

    public private(set) var entries: [Entry] = []
    private var indices: [String: Int] = [:]

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
