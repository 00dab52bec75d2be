/// The value that a tensor begins with.
enum Initializer: Hashable, Sendable {
    /// Numbers drawn uniformly from ±`bound`, as PyTorch draws the weights and biases of convolutions: the bound is
    /// 1/√fan_in.
    case uniform(bound: Double)
    /// Numbers drawn from a normal distribution around 0.
    case normal(deviation: Double)
    case constant(Float)
    /// The scale of a residual branch's last normalisation: 1, or 0 where blocks are to begin as their shortcuts.
    case residualScale
}

/// The tensors of a network, collected as its layers declare them, in the order of PyTorch's `state_dict`.
final class Declarations {
    private(set) var parameters = ParameterTable()
    private(set) var statistics = ParameterTable()
    /// The initial values, one for each entry of `parameters`.
    private(set) var initializers: [Initializer] = []
    /// The initial values, one for each entry of `statistics`.
    private(set) var initialStatistics: [Float] = []
    /// The parameters that are biases of the output's logits.
    var logitBiases: [Int] = []
    /// The habits of the network's layers.
    let conventions: Conventions

    init(_ conventions: Conventions = .plain) { self.conventions = conventions }

    /// Declares a parameter and returns its offset.
    func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Int {
        let offset = parameters.count
        parameters.append(name, shape)
        initializers.append(initializer)
        return offset
    }

    /// Declares a running statistic of some channels and returns its offset.
    func statistic(_ name: String, _ channels: Int, initially value: Float) -> Int {
        let offset = statistics.count
        statistics.append(name, [channels])
        initialStatistics.append(value)
        return offset
    }

    /// Declares a convolution's weight and bias and returns where they lie; the bias' range is empty where there is
    /// none.
    ///
    /// - Parameters:
    ///   - shape: The weight's shape. All axes but the first are the fan-in, as PyTorch counts it; for a transposed
    ///     convolution, too, whose first axis is the inputs.
    ///   - isNormalized: Whether a normalisation follows.
    ///   - start: The number that the biases begin with, the weights being 0; nil: as the conventions say.
    func convolution(
        _ name: String, _ shape: [Int], outputs: Int, isNormalized: Bool, start: Float? = nil
    ) -> (weight: Range<Int>, bias: Range<Int>) {
        let fanIn = Double(shape[1...].reduce(1, *))
        let uniform = Initializer.uniform(bound: 1 / fanIn.squareRoot())
        let normal = Initializer.normal(deviation: (2 / fanIn).squareRoot())
        let drawn = conventions.weights == .uniform ? uniform : normal
        let weight = parameter("\(name).weight", shape, start == nil ? drawn : .constant(0))
        let end = weight + shape.reduce(1, *)
        guard conventions.hasNormalizedBiases || !isNormalized else { return (weight..<end, end..<end) }
        let bias = parameter("\(name).bias", [outputs], start.map { .constant($0) } ?? uniform)
        return (weight..<bias, bias..<bias + outputs)
    }
}
