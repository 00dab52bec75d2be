import Basics
import Compute

/// Batch normalisation: with the batch's statistics in training, with the running ones in evaluation.
struct BatchNormalization {
    let name: String
    let weight: Int
    let bias: Int
    let mean: Int
    let variance: Int
    let channels: Int

    /// - Parameter endsResidual: Whether it is the last layer of a residual branch.
    init(_ name: String, _ channels: Int, endsResidual: Bool = false, _ declarations: Declarations) {
        self.name = name
        weight = declarations.parameter("\(name).weight", [channels], endsResidual ? .residualScale : .constant(1))
        bias = declarations.parameter("\(name).bias", [channels], .constant(0))
        mean = declarations.statistic("\(name).running_mean", channels, initially: 0)
        variance = declarations.statistic("\(name).running_var", channels, initially: 1)
        self.channels = channels
    }

    func parameters(_ pass: Pass) -> NormalizationParameters {
        NormalizationParameters(scale: pass.parameter(weight, channels), shift: pass.parameter(bias, channels))
    }

    /// The statistics to normalise `x` with: in training its own, in evaluation the running ones.
    func statistics(_ x: FeatureMap, _ pass: Pass) -> Statistics {
        guard pass.isTraining else { return running(pass) }
        return report(pass.engine.span(name) { pass.engine.statistics(x) }, pass)
    }

    func running(_ pass: Pass) -> Statistics {
        Statistics(
            mean: (0..<channels).map { Double(pass.statistics[mean + $0]) },
            variance: (0..<channels).map { Double(pass.statistics[variance + $0]) })
    }

    /// Reports a batch's mean and unbiased variance to the pass.
    func report(_ statistics: Statistics, _ pass: Pass) -> Statistics {
        guard let report = pass.batchStatistics else { preconditionFailure("no place for the batch's statistics") }
        let voxels = statistics.voxels
        let unbiased = Float(Double(voxels) / Double(max(1, voxels - 1)))
        for channel in 0..<channels {
            report[mean + channel] = statistics.mean[channel]
            report[variance + channel] = statistics.variance[channel] * unbiased
        }
        return statistics
    }

    /// Writes the gradient of the input into `result`, and those of this layer's parameters; see
    /// `Engine.normalizationGradient`.
    func backward(
        _ x: FeatureMap, _ statistics: Statistics, _ activation: Engine.Activation, gradient: FeatureMap,
        into result: FeatureMap, _ pass: Pass
    ) {
        pass.engine.span("\(name) gradient") {
            pass.engine.normalizationGradient(
                x, activation, gradient: gradient, parameters(pass), statistics,
                scaleGradient: pass.gradient(weight, channels), shiftGradient: pass.gradient(bias, channels),
                into: result)
        }
    }
}
