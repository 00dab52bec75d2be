// The network's convolutions. Each knows its place in the parameters; its input is handed in again for the backward
// pass by the block that kept it.
//
// A bias in front of a batch normalisation changes nothing, since the mean is taken off again: its gradient is zero,
// and is written as such. (Frameworks compute the sum and get rounding noise.) Where groups of channels are normalised
// it counts, since they have one mean together. Whether a normalisation follows is said where a layer is declared.

import Compute

/// Where a convolution's weights and bias lie among the parameters.
struct ConvolutionParameters {
    let weight: Range<Int>
    /// The bias' place; empty where there is none.
    let bias: Range<Int>
    /// Whether the bias has a gradient: no batch normalisation follows.
    private let isBiasTrained: Bool

    init(
        _ name: String, weight shape: [Int], outputs: Int, isNormalized: Bool, start: Float? = nil,
        _ declarations: Declarations
    ) {
        (weight, bias) = declarations.convolution(
            name, shape, outputs: outputs, isNormalized: isNormalized, start: start)
        isBiasTrained = !isNormalized || declarations.conventions.normalization != .batch
    }

    var hasBias: Bool { !bias.isEmpty }

    func weights(_ pass: Pass) -> UnsafeBufferPointer<Float> { pass.parameter(weight.lowerBound, weight.count) }
    func biases(_ pass: Pass) -> UnsafeBufferPointer<Float>? {
        hasBias ? pass.parameter(bias.lowerBound, bias.count) : nil
    }

    func weightsGradient(_ pass: Pass) -> UnsafeMutableBufferPointer<Float> {
        pass.gradient(weight.lowerBound, weight.count)
    }

    /// The place for the gradient of the biases, if there are any.
    func biasesGradient(_ pass: Pass) -> UnsafeMutableBufferPointer<Float>? {
        hasBias ? pass.gradient(bias.lowerBound, bias.count) : nil
    }

    /// Writes the biases' gradient, from that of the output.
    func writeBiasesGradient(_ gradient: FeatureMap, _ pass: Pass) {
        guard let destination = biasesGradient(pass) else { return }
        if isBiasTrained {
            pass.engine.biasGradient(gradient, into: destination)
        } else {
            destination.update(repeating: 0)
        }
    }
}

/// A convolution: of 3x3x3 or 1x1x1 with stride 1, padded so that the extent stays, or of 3x3x3 or 2x2x2 with stride 2,
/// which halves it.
struct Convolution {
    let name: String
    /// The filters' side: 3 or 1, with stride 2 also 2.
    let side: Int
    /// The distance in voxels of the outputs: 1 or 2.
    let stride: Int
    let parameters: ConvolutionParameters
    let inputs: Int
    let outputs: Int

    /// Declares the layer's tensors.
    ///
    /// - Parameters:
    ///   - isNormalized: Whether a normalisation follows.
    ///   - start: The number that the biases begin with, the weights being 0; nil: all are drawn.
    init(
        _ name: String, side: Int = 3, stride: Int = 1, _ inputs: Int, _ outputs: Int, isNormalized: Bool,
        start: Float? = nil, _ declarations: Declarations
    ) {
        precondition(
            stride == 1 ? side == 3 || side == 1 : stride == 2 && (side == 3 || side == 2 && isNormalized),
            "\(name) of side \(side) and stride \(stride), which has no kernel")
        self.name = name
        self.side = side
        self.stride = stride
        parameters = ConvolutionParameters(
            name, weight: [outputs, inputs, side, side, side], outputs: outputs, isNormalized: isNormalized,
            start: start, declarations)
        precondition(stride == 1 || !parameters.hasBias, "\(name) of stride 2 with a bias, which has no kernel")
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Computes the layer's map.
    ///
    /// - Parameter activation: The normalisation and ReLU that `x` goes through first, with filters of 3x3x3 and
    ///   stride 1; nil: none.
    func forward(_ x: FeatureMap, through activation: InputActivation? = nil, _ pass: Pass) -> FeatureMap {
        requireFusible(activation)
        let (engine, weights, bias) = (pass.engine, parameters.weights(pass), parameters.biases(pass))
        return engine.span(name) {
            if stride == 2 { return engine.stridedConvolution(x, filters(pass)) }
            return side == 1
                ? engine.pointwise(x, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
                : engine.convolution(
                    x, through: activation, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
        }
    }

    /// The weights of a layer with stride 2.
    private func filters(_ pass: Pass) -> StridedFilters {
        StridedFilters(parameters.weights(pass), side: side, inputs: inputs, outputs: outputs)
    }

    /// Computes some planes of the result of stride 2, from the planes of the input that they see, of which the first
    /// is the input's plane `first`.
    func forward(_ x: FeatureMap, first: Int, into y: FeatureMap, planes: Range<Int>, _ pass: Pass) {
        precondition(stride == 2, "\(name) of stride \(stride) by planes of stride 2")
        pass.engine.span(name) {
            pass.engine.stridedConvolution(x, first: first, filters(pass), into: y, planes: planes)
        }
    }

    /// Computes some planes of the result of 3x3x3 filters, of which the first lies at the input's plane `first`, of a
    /// map of `depth` planes.
    func forward(_ x: FeatureMap, first: Int, of depth: Int, into y: FeatureMap, _ pass: Pass) {
        precondition(side == 3 && stride == 1, "\(name) of side \(side) and stride \(stride) by planes")
        pass.engine.span(name) {
            pass.engine.convolution(
                x, first: first, of: depth, weights: parameters.weights(pass), bias: parameters.biases(pass),
                inputs: inputs, into: y)
        }
    }

    /// Writes the gradients of the layer's parameters, from its input as `forward` takes it and from the gradient of
    /// its output.
    func weightsGradient(
        _ x: FeatureMap, through activation: InputActivation? = nil, _ gradient: FeatureMap, _ pass: Pass
    ) {
        requireFusible(activation)
        let (engine, destination) = (pass.engine, parameters.weightsGradient(pass))
        engine.span("\(name) weights gradient") {
            if stride == 2 {
                engine.stridedConvolutionWeightsGradient(x, gradient, filters(pass), into: destination)
            } else if side == 1 {
                engine.pointwiseWeightsGradient(x, gradient, inputs: inputs, into: destination)
            } else {
                engine.convolutionWeightsGradient(
                    x, through: activation, gradient, inputs: inputs, into: destination)
            }
            parameters.writeBiasesGradient(gradient, pass)
        }
    }

    private func requireFusible(_ activation: InputActivation?) {
        precondition(activation == nil || side == 3 && stride == 1, "\(name), which reads no normalised input")
    }

    /// The gradient of the input's first `channels` channels.
    func dataGradient(_ gradient: FeatureMap, channels: Int, _ pass: Pass) -> FeatureMap {
        let (engine, weights) = (pass.engine, parameters.weights(pass))
        return engine.span("\(name) data gradient") {
            if stride == 2 {
                return engine.stridedConvolutionDataGradient(gradient, filters(pass)).channels(0..<channels)
            }
            return side == 1
                ? engine.pointwiseDataGradient(gradient, weights: weights, inputs: inputs, channels: channels)
                : engine.convolutionDataGradient(gradient, weights: weights, inputs: inputs, channels: channels)
        }
    }
}

/// A transposed convolution of size 2 and stride 2: twice the resolution.
struct TransposedConvolution {
    let name: String
    let parameters: ConvolutionParameters
    let inputs: Int
    let outputs: Int

    init(_ name: String, _ inputs: Int, _ outputs: Int, isNormalized: Bool, _ declarations: Declarations) {
        self.name = name
        parameters = ConvolutionParameters(
            name, weight: [inputs, outputs, 2, 2, 2], outputs: outputs, isNormalized: isNormalized, declarations)
        self.inputs = inputs
        self.outputs = outputs
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span(name) {
            pass.engine.transposedConvolution(
                x, weights: parameters.weights(pass), bias: parameters.biases(pass), outputs: outputs)
        }
    }

    func backward(_ x: FeatureMap, _ gradient: FeatureMap, _ pass: Pass) -> FeatureMap {
        pass.engine.span("\(name) gradient") {
            parameters.writeBiasesGradient(gradient, pass)
            return pass.engine.transposedConvolutionGradient(
                x, gradient, weights: parameters.weights(pass), into: parameters.weightsGradient(pass))
        }
    }
}
