import Basics
import Compute

/// Max-pooling by 2.
final class MaxPooling {
    private let name: String
    private var kept: FeatureMap?

    init(_ name: String) { self.name = name }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        let y = pass.engine.span(name) { pass.engine.maxPool(x) }
        kept = pass.isTraining ? y : nil
        return y
    }

    /// - Parameter x: What `forward` was given.
    func backward(_ gradient: FeatureMap, input x: FeatureMap, _ pass: Pass) -> FeatureMap {
        guard let y = kept else { preconditionFailure("no forward pass") }
        kept = nil
        return pass.engine.span("\(name) gradient") { pass.engine.maxPoolGradient(x, y, gradient: gradient) }
    }
}
