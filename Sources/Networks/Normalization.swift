import Basics
import Compute

/// Normalisation with a scale and a shift for every channel: over the batch, by its own statistics in training and by
/// running ones in evaluation; or over groups of channels of each sample, by the sample's own in both.
struct Normalization {
    let name: String
    let weight: Int
    let bias: Int
    let channels: Int
    let scope: NormalizationScope
    /// The places of the running statistics, which only a batch has.
    private let runningStatistics: (mean: Int, variance: Int)?

    /// - Parameter endsResidual: Whether it is the last layer of a residual branch.
    init(_ name: String, _ channels: Int, endsResidual: Bool = false, _ declarations: Declarations) {
        self.name = name
        weight = declarations.parameter("\(name).weight", [channels], endsResidual ? .residualScale : .constant(1))
        bias = declarations.parameter("\(name).bias", [channels], .constant(0))
        self.channels = channels
        scope = declarations.conventions.normalization
        switch scope {
        case .batch:
            runningStatistics = (
                declarations.statistic("\(name).running_mean", channels, initially: 0),
                declarations.statistic("\(name).running_var", channels, initially: 1)
            )
        case .group(let size):
            precondition(channels % size == 0, "\(name) has \(channels) channels, in groups of \(size)")
            runningStatistics = nil
        }
    }

    func parameters(_ pass: Pass) -> NormalizationParameters {
        NormalizationParameters(scale: pass.parameter(weight, channels), shift: pass.parameter(bias, channels))
    }

    /// This normalisation and a ReLU, done by the convolution that follows.
    func activation(_ statistics: Statistics, _ pass: Pass) -> InputActivation {
        InputActivation(parameters(pass), statistics)
    }

    /// The statistics to normalise `x` with: the running ones, or its own.
    func statistics(_ x: FeatureMap, _ pass: Pass) -> Statistics {
        running(pass) ?? report(pass.engine.span(name) { pass.engine.statistics(x, over: scope) }, pass)
    }

    /// The statistics that are known before there is a map: in evaluation, those of a batch normalisation.
    func running(_ pass: Pass) -> Statistics? {
        guard !pass.isTraining, let (mean, variance) = runningStatistics else { return nil }
        guard let values = pass.statistics else { preconditionFailure("no running statistics") }
        return Statistics(
            mean: (0..<channels).map { Double(values[mean + $0]) },
            variance: (0..<channels).map { Double(values[variance + $0]) })
    }

    /// Reports a batch's mean and unbiased variance to the pass, where running statistics follow them.
    func report(_ statistics: Statistics, _ pass: Pass) -> Statistics {
        guard let (mean, variance) = runningStatistics else { return statistics }
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
