/// The value that a tensor begins with.
enum Initializer: Hashable, Sendable {
    /// Numbers drawn uniformly from ±`bound`, as PyTorch draws the weights and biases of convolutions: the bound is
    /// 1/√fan_in.
    case uniform(bound: Double)
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

    /// Declares a convolution's weight and bias and returns where they lie.
    ///
    /// - Parameter shape: The weight's shape. All axes but the first are the fan-in, as PyTorch counts it; for a
    ///   transposed convolution, too, whose first axis is the inputs.
    func convolution(_ name: String, _ shape: [Int], outputs: Int) -> (weight: Range<Int>, bias: Range<Int>) {
        let rule = Initializer.uniform(bound: 1 / Double(shape[1...].reduce(1, *)).squareRoot())
        let weight = parameter("\(name).weight", shape, rule)
        let bias = parameter("\(name).bias", [outputs], rule)
        return (weight..<bias, bias..<bias + outputs)
    }
}
