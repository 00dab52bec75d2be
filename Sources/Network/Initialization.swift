import Basics

extension NoduleNetwork {
    /// A new network's state, as PyTorch initialises its layers: weights and biases of convolutions uniform in
    /// ±1/√fan_in, batch normalisation 1 and 0, running mean 0 and variance 1.
    ///
    /// fan_in is C_in · 27 (C_in · 1) for convolutions; for transposed ones PyTorch takes C_out · 8. Every tensor draws
    /// from its own stream, so that adding a layer changes no other.
    ///
    /// - Parameter zeroInitResidual: Whether the last normalisation of every residual branch scales by 0 at first, so that
    ///   blocks begin as their shortcuts (P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
    ///   2017, section 5.1).
    public static func initialState(seed: UInt64, zeroInitResidual: Bool = false) -> NetworkState {
        var state = NetworkState(
            parameters: [Float](repeating: 0, count: parameters.count),
            statistics: [Float](repeating: 0, count: statistics.count))
        var bound = 0.0
        for (index, entry) in parameters.entries.enumerated() {
            if entry.shape.count == 5 { bound = 1 / Double(entry.shape[1...].reduce(1, *)).squareRoot() }
            let isNormalization = entry.shape.count == 1 && !isConvolutionBias(index)
            if isNormalization {
                if entry.name.hasSuffix(".weight"), !(zeroInitResidual && entry.name.hasSuffix(".bn2.weight")) {
                    for element in entry.range { state.parameters[element] = 1 }
                }
            } else {
                var generator = CounterGenerator(seed: seed, purpose: "initialisation", UInt64(index))
                for element in entry.range { state.parameters[element] = Float(generator.uniform(-bound, bound)) }
            }
        }
        for entry in statistics.entries where entry.name.hasSuffix(".running_var") {
            for element in entry.range { state.statistics[element] = 1 }
        }
        return state
    }

    /// Whether this entry is the bias that follows a convolution's weight.
    private static func isConvolutionBias(_ index: Int) -> Bool {
        index > 0 && parameters.entries[index - 1].shape.count == 5
    }
}
