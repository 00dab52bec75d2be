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
    private let isNormalized: Bool

    /// - Parameter isNormalized: Whether a batch normalisation follows, so that the bias has no effect and no gradient.
    init(
        _ name: String, _ inputs: Int, _ outputs: Int, isNormalized: Bool = true, _ declarations: Declarations
    ) {
        self.name = name
        (weight, bias) = declarations.convolution(name, [outputs, inputs, 3, 3, 3], outputs: outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.isNormalized = isNormalized
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.convolution(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, inputs: inputs, outputs: outputs)
        }
    }

    /// Computes some planes of the result, of which the first lies at the input's plane `first`, of a map of `depth`
    /// planes.
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
        pass.biasGradient(gradient, at: bias, isNormalized: isNormalized)
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
    private let isNormalized: Bool

    /// - Parameter isNormalized: Whether a batch normalisation follows, so that the bias has no effect and no gradient.
    init(_ name: String, _ inputs: Int, _ outputs: Int, isNormalized: Bool, _ declarations: Declarations) {
        self.name = name
        (weight, bias) = declarations.convolution(name, [outputs, inputs, 1, 1, 1], outputs: outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.isNormalized = isNormalized
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.pointwise(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, inputs: inputs, outputs: outputs)
        }
    }

    func weightsGradient(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) {
        let span = pass.engine.begin("\(name) weights gradient")
        defer { span.end() }
        pass.engine.pointwiseWeightsGradient(x, gradient, inputs: inputs, into: pass.gradient(weight))
        pass.biasGradient(gradient, at: bias, isNormalized: isNormalized)
    }

    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) data gradient") {
            pass.engine.pointwiseDataGradient(
                gradient, weights: pass.parameters + weight, inputs: inputs, channels: channels)
        }
    }
}

/// A transposed convolution of size and stride 2: twice the resolution.
struct TransposedConvolution {
    let name: String
    let weight: Int
    let bias: Int
    let channels: Int
    private let isNormalized: Bool

    /// - Parameter isNormalized: Whether a batch normalisation follows, so that the bias has no effect and no gradient.
    init(_ name: String, _ channels: Int, isNormalized: Bool = true, _ declarations: Declarations) {
        self.name = name
        (weight, bias) = declarations.convolution(name, [channels, channels, 2, 2, 2], outputs: channels)
        self.channels = channels
        self.isNormalized = isNormalized
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.transposedConvolution(
                x, weights: pass.parameters + weight, bias: pass.parameters + bias, outputs: channels)
        }
    }

    func backward(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.biasGradient(gradient, at: bias, isNormalized: isNormalized)
        return pass.engine.span("\(name) gradient") {
            pass.engine.transposedConvolutionGradient(
                x, gradient, weights: pass.parameters + weight, into: pass.gradient(weight))
        }
    }
}

extension Pass {
    /// Writes the gradient of a convolution's bias: the sum over voxels, or zeros in front of a batch normalisation.
    fileprivate func biasGradient(_ gradient: FeatureMap, at offset: Int, isNormalized: Bool) {
        if isNormalized {
            self.gradient(offset).update(repeating: 0, count: gradient.channels)
        } else {
            engine.biasGradient(gradient, into: self.gradient(offset))
        }
    }
}
