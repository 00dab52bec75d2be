import Basics
import Compute

/// A transposed convolution, normalisation and ReLU, written into some channels of a wider map.
final class UpwardBlock {
    private let name: String
    /// The number of channels of the result.
    let channels: Int
    private let convolution: TransposedConvolution
    private let normalization: Normalization
    /// The block's parameters.
    let parameters: Range<Int>
    private var kept: (input: FeatureMap, convolved: FeatureMap, statistics: Statistics)?

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: Declarations) {
        self.name = name
        channels = outputs
        let start = declarations.parameters.count
        let names = declarations.conventions.alone
        convolution = TransposedConvolution(
            "\(name).\(names.convolution)", inputs, outputs, isNormalized: true, declarations)
        normalization = Normalization("\(name).\(names.normalization)", outputs, declarations)
        parameters = start..<declarations.parameters.count
    }

    func describe(_ x: Operation.Value, in flow: inout Flow) -> Operation.Value {
        flow.rectified(flow.normalized(flow.convolution(x, convolution), normalization))
    }

    func forward(_ x: FeatureMap, into output: FeatureMap, _ pass: Pass) {
        let span = pass.engine.begin(name)
        defer { span.end() }
        let convolved = convolution.forward(x, pass)
        let statistics = normalization.statistics(convolved, pass)
        pass.engine.normalize(convolved, normalization.parameters(pass), statistics, into: output)
        kept = pass.isTraining ? (x, convolved, statistics) : nil
    }

    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        guard let (input, convolved, statistics) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        normalization.backward(convolved, statistics, .rectified, gradient: gradient, into: convolved, pass)
        let result = convolution.backward(input, convolved, pass)
        pass.finished?(parameters)
        return result
    }
}
