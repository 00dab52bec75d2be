import Compute

/// A convolution of 3x3x3 that gives some of the network's numbers; its weights are 0 at first.
final class OutputConvolution: Block {
    private let layer: Convolution
    private let parameters: Range<Int>

    /// Declares the layer.
    ///
    /// - Parameters:
    ///   - start: The number that it gives at first.
    ///   - isLogit: Whether that number is the logit of an anchor.
    init(
        _ name: String, _ inputs: Int, _ outputs: Int, start: Float, isLogit: Bool = false,
        _ declarations: Declarations
    ) {
        let first = declarations.parameters.count
        layer = Convolution(name, inputs, outputs, isNormalized: false, start: start, declarations)
        parameters = first..<declarations.parameters.count
        if isLogit { declarations.logitBiases += layer.parameters.bias }
    }

    var backwardOrder: [Range<Int>] { [parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        flow.convolution(inputs[0], layer)
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap { layer.forward(inputs[0], pass) }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        layer.weightsGradient(inputs.map(0), gradient, pass)
        let result = layer.dataGradient(gradient, channels: inputs.trainedChannels[0], pass)
        pass.finished?(parameters)
        return [result]
    }
}
