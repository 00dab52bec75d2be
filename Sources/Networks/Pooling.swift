import Basics
import Compute

/// Max-pooling by 2.
final class MaxPooling: Block {
    private let name: String
    private var kept: FeatureMap?

    init(_ name: String) { self.name = name }

    let backwardOrder: [Range<Int>] = []

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value { flow.pooled(inputs[0], name) }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let y = pass.engine.span(name) { pass.engine.maxPool(inputs[0]) }
        kept = pass.isTraining ? y : nil
        return y
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        guard let y = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let x = inputs.map(0)
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        return [pass.engine.maxPoolGradient(x, y, gradient: gradient)]
    }
}
