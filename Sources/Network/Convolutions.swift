// The network's convolutions. Each knows its place in the parameters; its input is handed in again for the backward
// pass by the block that kept it.
//
// A bias in front of a batch normalisation changes nothing, since the mean is taken off again: its gradient is zero,
// and is written as such. (Frameworks compute the sum and get rounding noise.)

import Basics
import Compute

/// A 3x3x3 convolution of stride 1 and padding 1.
struct Convolution {
    let name: String
    let weight: Int
    let bias: Int
    let inputs: Int
    let outputs: Int

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: inout Declarations) {
        self.name = name
        weight = declarations.parameter("\(name).weight", [outputs, inputs, 3, 3, 3])
        bias = declarations.parameter("\(name).bias", [outputs])
        self.inputs = inputs
        self.outputs = outputs
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.convolution(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, inputs: inputs, outputs: outputs)
        }
    }

    /// Into some planes of the result, the first at the input's plane `first`, of a map of `depth` planes.
    func forward(_ x: FeatureMap, first: Int, of depth: Int, into y: FeatureMap, _ pass: Pass) {
        pass.engine.span(name) {
            pass.engine.convolution(
                x, first: first, of: depth, weights: pass.parameters + weight, bias: pass.parameters + bias,
                inputs: inputs, into: y)
        }
    }

    func weightsGradient(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) {
        pass.engine.span("\(name) weights gradient") {
            pass.engine.convolutionWeightsGradient(x, gradient, inputs: inputs, into: pass.gradient(weight))
        }
        pass.gradient(bias).update(repeating: 0, count: outputs)
    }

    /// The gradient of the input's first `channels` channels.
    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) data gradient") {
            pass.engine.convolutionDataGradient(
                gradient, weights: pass.parameters + weight, inputs: inputs, channels: channels)
        }
    }
}

/// A 1x1x1 convolution.
struct PointwiseConvolution {
    let name: String
    let weight: Int
    let bias: Int
    let inputs: Int
    let outputs: Int

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: inout Declarations) {
        self.name = name
        weight = declarations.parameter("\(name).weight", [outputs, inputs, 1, 1, 1])
        bias = declarations.parameter("\(name).bias", [outputs])
        self.inputs = inputs
        self.outputs = outputs
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.pointwise(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, inputs: inputs, outputs: outputs)
        }
    }

    /// - Parameter normalized: Whether a batch normalisation follows, so that the bias has no gradient.
    func weightsGradient(_ x: FeatureMap, _ gradient: FeatureMap, normalized: Bool, _ pass: Pass) {
        let span = pass.engine.begin("\(name) weights gradient")
        defer { span.end() }
        pass.engine.pointwiseWeightsGradient(x, gradient, inputs: inputs, into: pass.gradient(weight))
        if normalized {
            pass.gradient(bias).update(repeating: 0, count: outputs)
        } else {
            pass.engine.biasGradient(gradient, into: pass.gradient(bias))
        }
    }

    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) data gradient") {
            pass.engine.pointwiseDataGradient(
                gradient, weights: pass.parameters + weight, inputs: inputs, channels: channels)
        }
    }
}

/// A transposed convolution of size 2 and stride 2: twice the resolution.
struct TransposedConvolution {
    let name: String
    let weight: Int
    let bias: Int
    let channels: Int

    init(_ name: String, _ channels: Int, _ declarations: inout Declarations) {
        self.name = name
        weight = declarations.parameter("\(name).weight", [channels, channels, 2, 2, 2])
        bias = declarations.parameter("\(name).bias", [channels])
        self.channels = channels
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.transposedConvolution(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, outputs: channels)
        }
    }

    func backward(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.gradient(bias).update(repeating: 0, count: channels)
        return pass.engine.span("\(name) gradient") {
            pass.engine.transposedConvolutionGradient(
                x, gradient, weights: pass.parameters + weight, into: pass.gradient(weight))
        }
    }
}
