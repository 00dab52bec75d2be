import Compute

/// Max-pooling by 2.
final class MaxPooling {
    private var kept: (input: FeatureMap, output: FeatureMap)?

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        let y = pass.engine.maxPool(x)
        kept = pass.isTraining ? (x, y) : nil
        return y
    }

    func backward(_ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        guard let (x, y) = kept else { preconditionFailure("no forward pass") }
        kept = nil
        return pass.engine.maxPoolGradient(x, y, gradient: gradient)
    }
}
