// The network's convolutions. Each knows its place in the parameters; its input is handed in again for the backward
// pass by the block that kept it.
//
// A bias in front of a batch normalisation changes nothing, since the mean is taken off again: its gradient is zero,
// and is written as such. (Frameworks compute the sum and get rounding noise.)

import Basics
import Compute

/// A 3x3x3 convolution of stride 1 and padding 1.
struct Convolution: ConvolutionParameters {
    let name: String
    let weight: Int
    let bias: Int
    let inputs: Int
    let outputs: Int
    let isNormalized: Bool
    var counts: (weights: Int, biases: Int) { (27 * inputs * outputs, outputs) }

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
                x, weights: weights(pass), bias: biases(pass), inputs: inputs, outputs: outputs)
        }
    }

    /// Into some planes of the result, the first at the input's plane `first`, of a map of `depth` planes.
    func forward(_ x: FeatureMap, first: Int, of depth: Int, into y: FeatureMap, _ pass: Pass) {
        pass.engine.span(name) {
            pass.engine.convolution(
                x, first: first, of: depth, weights: weights(pass), bias: biases(pass),
                inputs: inputs, into: y)
        }
    }

    func weightsGradient(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) {
        pass.engine.span("\(name) weights gradient") {
            pass.engine.convolutionWeightsGradient(x, gradient, inputs: inputs, into: weightsGradient(pass))
        }
        biasGradient(gradient, pass)
    }

    /// The gradient of the input's first `channels` channels.
    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) data gradient") {
            pass.engine.convolutionDataGradient(
                gradient, weights: weights(pass), inputs: inputs, channels: channels)
        }
    }
}

/// A 1x1x1 convolution.
struct PointwiseConvolution: ConvolutionParameters {
    let name: String
    let weight: Int
    let bias: Int
    let inputs: Int
    let outputs: Int
    let isNormalized: Bool
    var counts: (weights: Int, biases: Int) { (inputs * outputs, outputs) }

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
                x, weights: weights(pass), bias: biases(pass), inputs: inputs, outputs: outputs)
        }
    }

    func weightsGradient(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) {
        let span = pass.engine.begin("\(name) weights gradient")
        defer { span.end() }
        pass.engine.pointwiseWeightsGradient(x, gradient, inputs: inputs, into: weightsGradient(pass))
        biasGradient(gradient, pass)
    }

    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) data gradient") {
            pass.engine.pointwiseDataGradient(
                gradient, weights: weights(pass), inputs: inputs, channels: channels)
        }
    }
}

/// A transposed convolution of size and stride 2: twice the resolution.
struct TransposedConvolution: ConvolutionParameters {
    let name: String
    let weight: Int
    let bias: Int
    let channels: Int
    let isNormalized: Bool
    var counts: (weights: Int, biases: Int) { (8 * channels * channels, channels) }

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
                x, weights: weights(pass), bias: biases(pass), outputs: channels)
        }
    }

    func backward(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        biasGradient(gradient, pass)
        return pass.engine.span("\(name) gradient") {
            pass.engine.transposedConvolutionGradient(
                x, gradient, weights: weights(pass), into: weightsGradient(pass))
        }
    }
}

/// What a convolution's weights and bias are, and where they lie among the parameters.
protocol ConvolutionParameters {
    var weight: Int { get }
    var bias: Int { get }
    /// How many weights and biases there are.
    var counts: (weights: Int, biases: Int) { get }
    /// Whether a batch normalisation follows, so that the bias has no effect and no gradient.
    var isNormalized: Bool { get }
}

extension ConvolutionParameters {
    func weights(_ pass: Pass) -> UnsafeBufferPointer<Float> { pass.parameter(weight, counts.weights) }
    func biases(_ pass: Pass) -> UnsafeBufferPointer<Float> { pass.parameter(bias, counts.biases) }
    func weightsGradient(_ pass: Pass) -> UnsafeMutableBufferPointer<Float> { pass.gradient(weight, counts.weights) }

    /// Writes the gradient of the bias: the sum over voxels, or zeros in front of a batch normalisation.
    func biasGradient(_ gradient: FeatureMap, _ pass: Pass) {
        let destination = pass.gradient(bias, counts.biases)
        if isNormalized {
            destination.update(repeating: 0)
        } else {
            pass.engine.biasGradient(gradient, into: destination)
        }
    }
}
