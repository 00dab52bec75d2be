import Compute

/// Batch normalisation: with the batch's statistics in training, with the running ones in evaluation.
struct BatchNormalization {
    let weight: Int
    let bias: Int
    let mean: Int
    let variance: Int
    let channels: Int

    init(_ name: String, _ channels: Int, _ declarations: inout Declarations) {
        weight = declarations.parameter("\(name).weight", [channels])
        bias = declarations.parameter("\(name).bias", [channels])
        mean = declarations.statistic("\(name).running_mean", channels)
        variance = declarations.statistic("\(name).running_var", channels)
        self.channels = channels
    }

    func parameters(_ pass: Pass) -> NormalizationParameters {
        NormalizationParameters(scale: pass.parameters + weight, shift: pass.parameters + bias)
    }

    /// The statistics to normalise `x` with. In training they are those of `x`, also reported to the pass: the mean and
    /// the unbiased variance.
    func statistics(_ x: FeatureMap, _ pass: Pass) -> Statistics {
        guard let report = pass.batchStatistics else {
            return Statistics(
                mean: (0..<channels).map { Double(pass.statistics[mean + $0]) },
                variance: (0..<channels).map { Double(pass.statistics[variance + $0]) })
        }
        let statistics = pass.engine.statistics(x)
        let unbiased = Float(Double(x.voxels) / Double(max(1, x.voxels - 1)))
        for channel in 0..<channels {
            report[mean + channel] = statistics.mean[channel]
            report[variance + channel] = statistics.variance[channel] * unbiased
        }
        return statistics
    }

    /// The gradient of the input, and of this layer's parameters; see `Engine.normalizationGradient`.
    func backward(
        _ x: FeatureMap, _ statistics: Statistics, output: FeatureMap?, gradient: FeatureMap, inPlace: Bool,
        _ pass: Pass
    ) -> FeatureMap {
        pass.engine.normalizationGradient(
            x, output: output, gradient: gradient, parameters(pass), statistics,
            scaleGradient: pass.gradient(weight), shiftGradient: pass.gradient(bias), inPlace: inPlace)
    }
}
