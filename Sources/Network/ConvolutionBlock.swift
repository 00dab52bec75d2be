import Compute

/// A convolution, batch normalisation and ReLU.
final class ConvolutionBlock {
    private let convolution: Convolution
    private let normalization: BatchNormalization
    /// What the backward pass needs of the forward pass.
    private var kept: (input: FeatureMap, convolved: FeatureMap, statistics: Statistics, output: FeatureMap)?

    /// - Parameters:
    ///   - name: The enclosing sequence's name; `index` the convolution's place in it, the normalisation follows.
    init(_ name: String, _ index: Int, _ inputs: Int, _ outputs: Int, _ declarations: inout Declarations) {
        convolution = Convolution("\(name).\(index)", inputs, outputs, &declarations)
        normalization = BatchNormalization("\(name).\(index + 1)", outputs, &declarations)
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        let convolved = convolution.forward(x, pass)
        let statistics = normalization.statistics(convolved, pass)
        let output = pass.isTraining ? pass.engine.map(like: convolved) : convolved
        pass.engine.normalize(convolved, normalization.parameters(pass), statistics, into: output)
        kept = pass.isTraining ? (x, convolved, statistics, output) : nil
        return output
    }

    /// The gradient of the input, or nil for the network's first layer, whose input needs none.
    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap? {
        guard let (input, convolved, statistics, output) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let inner = normalization.backward(
            convolved, statistics, output: output, gradient: gradient, inPlace: true, pass)
        convolution.weightsGradient(input, inner, pass)
        guard convolution.inputs > 1 else { return nil }
        return convolution.dataGradient(inner, channels: convolution.inputs, pass)
    }
}

/// A transposed convolution, batch normalisation and ReLU, written into some channels of a wider map.
final class UpwardBlock {
    private let convolution: TransposedConvolution
    private let normalization: BatchNormalization
    private var kept: (input: FeatureMap, convolved: FeatureMap, statistics: Statistics, output: FeatureMap)?

    init(_ name: String, _ channels: Int, _ declarations: inout Declarations) {
        convolution = TransposedConvolution("\(name).0", channels, &declarations)
        normalization = BatchNormalization("\(name).1", channels, &declarations)
    }

    func forward(_ x: FeatureMap, into output: FeatureMap, _ pass: Pass) {
        let convolved = convolution.forward(x, pass)
        let statistics = normalization.statistics(convolved, pass)
        pass.engine.normalize(convolved, normalization.parameters(pass), statistics, into: output)
        kept = pass.isTraining ? (x, convolved, statistics, output) : nil
    }

    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        guard let (input, convolved, statistics, output) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let inner = normalization.backward(
            convolved, statistics, output: output, gradient: gradient, inPlace: true, pass)
        return convolution.backward(input, inner, pass)
    }
}
