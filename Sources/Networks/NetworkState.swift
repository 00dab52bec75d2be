/// The numbers that training changes in a network: its parameters and its running statistics.
public struct NetworkState: Hashable, Sendable {
    /// The network whose state it is.
    public let architecture: Architecture
    /// Weights and biases, laid out as the architecture's `parameters` says.
    public var parameters: [Float]
    /// Running means and variances of batch normalisation, laid out as the architecture's `statistics` says; none where
    /// there is none.
    public var statistics: [Float]

    /// Creates a state of values in the architecture's order.
    ///
    /// - Precondition: The counts are those of its tables.
    public init(architecture: Architecture, parameters: [Float], statistics: [Float]) {
        precondition(
            parameters.count == architecture.parameters.count && statistics.count == architecture.statistics.count,
            "\(parameters.count) parameters and \(statistics.count) statistics are no state of \(architecture.name)")
        self.architecture = architecture
        self.parameters = parameters
        self.statistics = statistics
    }
}
