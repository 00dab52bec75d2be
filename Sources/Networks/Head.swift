import Basics
import Compute

/// The head behind the pyramid: dropout of whole channels, 1x1x1 to some channels, ReLU, 1x1x1 to the anchors'
/// components.
final class Head: Block {
    private let name: String
    private let hidden: Convolution
    private let last: Convolution
    private let parameters: Range<Int>
    private var kept: (input: FeatureMap, hidden: FeatureMap, factors: [Float]?)?

    /// Declares the head's layers.
    ///
    /// - Parameters:
    ///   - width: The number of channels between the two convolutions.
    ///   - anchors: The number of anchors. Each has `components` outputs, of which the first is a logit.
    init(
        _ name: String, _ inputs: Int, _ width: Int, anchors: Int, components: Int,
        _ declarations: Declarations
    ) {
        self.name = name
        let start = declarations.parameters.count
        hidden = Convolution("\(name).0", side: 1, inputs, width, isNormalized: false, declarations)
        last = Convolution("\(name).2", side: 1, width, anchors * components, isNormalized: false, declarations)
        parameters = start..<declarations.parameters.count
        declarations.logitBiases += (0..<anchors).map { last.parameters.bias.lowerBound + $0 * components }
    }

    var backwardOrder: [Range<Int>] { [parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        flow.convolution(flow.rectified(flow.convolution(inputs[0], hidden)), last)
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let x = inputs.removeLast()
        let factors = pass.dropout?.factors(samples: x.samples, channels: hidden.inputs)
        let span = pass.engine.begin(name)
        defer { span.end() }
        let y = hidden.forward(dropped(x, factors, pass), pass)
        pass.engine.rectify(y)
        kept = pass.isTraining ? (x, y, factors) : nil
        return last.forward(y, pass)
    }

    /// The input with some channels dropped: cheap, so the backward pass makes it again.
    private func dropped(_ x: FeatureMap, _ factors: [Float]?, _ pass: Pass) -> FeatureMap {
        guard let factors else { return x }
        let dropped = pass.engine.map(like: x)
        pass.engine.scale(x, by: factors, into: dropped)
        return dropped
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        guard let (x, y, factors) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        last.weightsGradient(y, gradient, pass)
        let inner = last.dataGradient(gradient, channels: last.inputs, pass)
        pass.engine.rectifierGradient(inner, output: y)
        hidden.weightsGradient(dropped(x, factors, pass), inner, pass)
        pass.finished?(parameters)
        let result = hidden.dataGradient(inner, channels: hidden.inputs, pass)
        if let factors { pass.engine.scale(result, by: factors, into: result) }
        return [result]
    }
}
