import Compute

/// What comes after the pyramid: dropout of whole channels, 1x1x1 to 64, ReLU, 1x1x1 to the anchors' components.
final class Head {
    private let hidden: PointwiseConvolution
    private let last: PointwiseConvolution
    private var kept: (dropped: FeatureMap, hidden: FeatureMap, factors: [Float]?)?

    init(_ name: String, _ inputs: Int, _ width: Int, _ outputs: Int, _ declarations: inout Declarations) {
        hidden = PointwiseConvolution("\(name).0", inputs, width, &declarations)
        last = PointwiseConvolution("\(name).2", width, outputs, &declarations)
    }

    /// - Parameter factors: Per sample and channel [N, C] what dropout multiplies by, or nil for none.
    func forward(_ x: FeatureMap, factors: [Float]?, _ pass: Pass) -> FeatureMap {
        var dropped = x
        if let factors {
            dropped = pass.engine.map(like: x)
            pass.engine.scale(x, by: factors, into: dropped)
        }
        let y = hidden.forward(dropped, pass)
        pass.engine.rectify(y)
        kept = pass.isTraining ? (dropped, y, factors) : nil
        return last.forward(y, pass)
    }

    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        guard let (dropped, y, factors) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        last.weightsGradient(y, gradient, normalized: false, pass)
        let inner = last.dataGradient(gradient, channels: last.inputs, pass)
        pass.engine.rectifierGradient(inner, output: y)
        hidden.weightsGradient(dropped, inner, normalized: false, pass)
        let x = hidden.dataGradient(inner, channels: hidden.inputs, pass)
        if let factors { pass.engine.scale(x, by: factors, into: x) }
        return x
    }
}
