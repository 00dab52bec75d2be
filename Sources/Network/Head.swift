import Basics
import Compute

/// What comes after the pyramid: dropout of whole channels, 1x1x1 to 64, ReLU, 1x1x1 to the anchors' components.
final class Head {
    private let name: String
    private let hidden: PointwiseConvolution
    private let last: PointwiseConvolution
    /// Where they lie.
    let parameters: Range<Int>
    private var kept: (input: FeatureMap, hidden: FeatureMap, factors: [Float]?)?

    init(_ name: String, _ inputs: Int, _ width: Int, _ outputs: Int, _ declarations: inout Declarations) {
        self.name = name
        let start = declarations.parameters.count
        hidden = PointwiseConvolution("\(name).0", inputs, width, &declarations)
        last = PointwiseConvolution("\(name).2", width, outputs, &declarations)
        parameters = start..<declarations.parameters.count
    }

    /// - Parameter factors: Per sample and channel [N, C] what dropout multiplies by, or nil for none.
    func forward(_ x: FeatureMap, factors: [Float]?, _ pass: Pass) -> FeatureMap {
        let span = pass.engine.begin(name)
        defer { span.end() }
        let y = hidden.forward(dropped(x, factors, pass), pass)
        pass.engine.rectify(y)
        kept = pass.isTraining ? (x, y, factors) : nil
        return last.forward(y, pass)
    }

    /// What is left of `x`: cheap, so the backward pass makes it again.
    private func dropped(_ x: FeatureMap, _ factors: [Float]?, _ pass: Pass) -> FeatureMap {
        guard let factors else { return x }
        let dropped = pass.engine.map(like: x)
        pass.engine.scale(x, by: factors, into: dropped)
        return dropped
    }

    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        guard let (x, y, factors) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        last.weightsGradient(y, gradient, normalized: false, pass)
        let inner = last.dataGradient(gradient, channels: last.inputs, pass)
        pass.engine.rectifierGradient(inner, output: y)
        hidden.weightsGradient(dropped(x, factors, pass), inner, normalized: false, pass)
        pass.finished?(parameters)
        let result = hidden.dataGradient(inner, channels: hidden.inputs, pass)
        if let factors { pass.engine.scale(result, by: factors, into: result) }
        return result
    }
}
