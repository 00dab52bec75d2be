import Basics
import Compute

/// The first convolution of a network, whose input has one channel, with normalisation and ReLU: so little
/// arithmetic that its output is computed again wherever it is wanted.
struct FirstUnit {
    let convolution: Convolution
    let normalization: Normalization

    init(_ name: String, _ names: Conventions.Pair, channels: Int, _ declarations: Declarations) {
        convolution = Convolution("\(name).\(names.convolution)", 1, channels, isNormalized: true, declarations)
        normalization = Normalization("\(name).\(names.normalization)", channels, declarations)
    }

    func describe(_ x: Operation.Value, in flow: inout Flow) -> Operation.Value {
        flow.rectified(flow.normalized(flow.convolution(x, convolution), normalization))
    }

    /// The statistics to normalise the convolution of `x` with: the running ones, or its own.
    func statistics(_ x: FeatureMap, _ pass: Pass) -> Statistics {
        if let running = normalization.running(pass) { return running }
        let statistics = pass.engine.span(normalization.name) {
            pass.engine.firstStatistics(x, layer(pass), over: normalization.scope)
        }
        return normalization.report(statistics, pass)
    }

    /// The unit's output.
    func activation(_ x: FeatureMap, _ statistics: Statistics, _ pass: Pass) -> FeatureMap {
        pass.engine.span(convolution.name) {
            pass.engine.firstActivation(
                x, planes: 0..<x.samples * x.extent.z, layer(pass), normalization.parameters(pass), statistics)
        }
    }

    /// Some planes of the unit's output, of a single sample.
    func activation(_ x: FeatureMap, planes: Range<Int>, _ statistics: Statistics, _ pass: Pass) -> FeatureMap {
        pass.engine.firstActivation(x, planes: planes, layer(pass), normalization.parameters(pass), statistics)
    }

    /// Writes the gradients of the unit's parameters, from that of its output.
    func backward(_ x: FeatureMap, _ statistics: Statistics, gradient: FeatureMap, _ pass: Pass) {
        pass.engine.span("\(convolution.name) gradient") {
            pass.engine.firstGradient(
                x, layer(pass), gradient: gradient, normalization.parameters(pass), statistics,
                weightsGradient: convolution.parameters.weightsGradient(pass),
                scaleGradient: pass.gradient(normalization.weight, normalization.channels),
                shiftGradient: pass.gradient(normalization.bias, normalization.channels),
                biasGradient: convolution.parameters.biasesGradient(pass))
        }
    }

    private func layer(_ pass: Pass) -> FirstLayer {
        FirstLayer(weights: convolution.parameters.weights(pass), bias: convolution.parameters.biases(pass))
    }
}
