/// What training changes in a network: its parameters and its running statistics.
public struct NetworkState: Hashable, Sendable {
    /// Weights and biases, laid out as `NoduleNetwork.parameters` says.
    public var parameters: [Float]
    /// Running means and variances of batch normalisation, laid out as `NoduleNetwork.statistics` says.
    public var statistics: [Float]

    public init(parameters: [Float], statistics: [Float]) {
        self.parameters = parameters
        self.statistics = statistics
    }
}
