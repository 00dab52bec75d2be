// The first layer has one input channel: so little arithmetic that computing its output again costs less than storing
// it. Statistics, activation and gradient each start from the input.

import Basics
import CKernels

/// The first convolution's parameters.
public struct FirstLayer {
    /// The filters, [C, 1, 3, 3, 3], C a multiple of 8.
    public let weights: UnsafeBufferPointer<Float>
    /// The biases, [C], if there are any.
    public let bias: UnsafeBufferPointer<Float>?
    /// The number of output channels, C.
    public var outputs: Int { weights.count / 27 }

    /// Refers to parameters without copying them.
    public init(weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?) {
        precondition(
            !weights.isEmpty && weights.count % (8 * 27) == 0,
            "a first layer of \(weights.count) weights, which are no multiple of 8 filters")
        self.weights = weights
        self.bias = bias
        if let bias { requireCount(bias.count, outputs, "biases") }
    }
}

extension Engine {
    /// The convolution of `x` [N, D, H, W, 1].
    public func firstConvolution(_ x: FeatureMap, _ layer: FirstLayer) -> FeatureMap {
        let y = map(like: x, channels: layer.outputs)
        withFirstLayer(x, layer) { a in
            a.output = y.pointer
            runRows(a, planes: 0..<x.samples * x.extent.z)
        }
        return y
    }

    /// ReLU of the convolution, normalised, for `planes` of `x` [1, D, H, W, 1].
    public func firstActivation(
        _ x: FeatureMap, planes: Range<Int>, _ layer: FirstLayer, _ parameters: NormalizationParameters,
        _ statistics: Statistics
    ) -> FeatureMap {
        let all = 0..<x.samples * x.extent.z
        precondition(
            planes == all || x.samples == 1 && !planes.isEmpty && planes.clamped(to: all) == planes,
            "planes \(planes) of \(x.samples) x \(x.extent): some of one sample, or all of all")
        parameters.require(channels: layer.outputs, statistics)
        let y =
            x.samples == 1
            ? map(samples: 1, extent: ZYX(planes.count, x.extent.y, x.extent.x), channels: layer.outputs)
            : map(like: x, channels: layer.outputs)
        withFirstLayer(x, layer) { a in
            withCoefficients(parameters, statistics) { scale, shift in
                a.scale = scale
                a.shift = shift
                a.output = y.pointer - planes.lowerBound * x.extent.y * x.extent.x * layer.outputs
                runRows(a, planes: planes)
            }
        }
        return y
    }

    private func runRows(_ layer: ck_first_convolution, planes: Range<Int>) {
        var a = layer
        let height = a.input.height
        parallel(planes.count * height, scratch: kernels.first_convolution_scratch(&a)) { row, scratch in
            kernels.first_convolution(&a, planes.lowerBound * height + row, scratch)
        }
    }

    /// Mean and variance of the convolution's output, over all replicas that share them.
    public func firstStatistics(_ x: FeatureMap, _ layer: FirstLayer) -> Statistics {
        // The sums are taken about the values of one output voxel.
        let shift = firstConvolution(voxel: x.voxels / 2 + x.extent.x / 2, of: x, layer)
        let sums = withFirstLayer(x, layer) { a in
            shift.withUnsafeBufferPointer { shift in
                let scratch = kernels.first_convolution_scratch(&a)
                return sumOverItems(x.samples * x.extent.z, width: 2 * layer.outputs, scratch: scratch) {
                    kernels.first_moments(&a, shift.baseAddress, $0, $1, $2)
                }
            }
        }
        return statistics(sums: sums, about: shift, voxels: x.voxels)
    }

    private func firstConvolution(voxel: Int, of x: FeatureMap, _ layer: FirstLayer) -> [Float] {
        let value = x.pointer[voxel]
        // All neighbours are taken to have this value, which brings the result near enough to the mean.
        return (0..<layer.outputs).map { output in
            (layer.bias?[output] ?? 0) + value * (0..<27).reduce(0) { $0 + layer.weights[output * 27 + $1] }
        }
    }

    /// The gradients of the layer and of the normalisation and ReLU behind it.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the ReLU's output.
    ///   - weightsGradient: Receives the gradient of the weights, [C_out, 1, 3, 3, 3]; `scaleGradient` dγ,
    ///     `shiftGradient` dβ.
    public func firstGradient(
        _ x: FeatureMap, _ layer: FirstLayer, gradient: FeatureMap, _ parameters: NormalizationParameters,
        _ statistics: Statistics, weightsGradient: UnsafeMutableBufferPointer<Float>,
        scaleGradient: UnsafeMutableBufferPointer<Float>, shiftGradient: UnsafeMutableBufferPointer<Float>
    ) {
        gradient.requireVoxels(of: x, "the gradient")
        requireCount(gradient.channels, layer.outputs, "channels of a gradient")
        requireCount(weightsGradient.count, layer.weights.count, "weights' gradients")
        let planes = x.samples * x.extent.z
        withFirstLayer(x, layer) { a in
            withNormalizationGradient(
                parameters, statistics, of: gradient, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
                sums: { n in
                    n.gradient = gradient.c
                    let scratch = kernels.first_convolution_scratch(&a)
                    return sumOverItems(planes, width: 2 * layer.outputs, scratch: scratch) {
                        kernels.first_normalization_sums(&a, &n, $0, $1, $2)
                    }
                },
                apply: { n in sumOverPlanes(a, &n, planes: planes, into: weightsGradient.start) })
        }
    }

    /// The gradient of the convolution's weights alone.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the convolution's output, [N, D, H, W, C], C a multiple of 8.
    ///   - destination: Receives the result, [C, 1, 3, 3, 3].
    public func firstConvolutionWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, into destination: UnsafeMutableBufferPointer<Float>
    ) {
        gradient.requireVectors("the gradient")
        gradient.requireDense("the gradient")
        gradient.requireVoxels(of: x, "the gradient")
        requireCount(destination.count, 27 * gradient.channels, "weights' gradients")
        var a = arguments(x, outputs: gradient.channels)
        a.output_gradient = UnsafePointer(gradient.pointer)
        sumOverPlanes(a, nil, planes: x.samples * x.extent.z, into: destination.start)
    }

    private func sumOverPlanes(
        _ layer: ck_first_convolution, _ normalization: UnsafePointer<ck_normalization_gradient>?, planes: Int,
        into destination: UnsafeMutablePointer<Float>
    ) {
        var layer = layer
        let outputs = layer.channels
        let size = 27 * outputs
        let partial = workspace.take(planes * size)
        parallel(planes, scratch: kernels.first_convolution_scratch(&layer)) { plane, scratch in
            var own = layer
            own.weights_gradient = partial.pointer + plane * size
            kernels.first_convolution_weights(&own, normalization, plane, scratch)
        }
        for output in 0..<outputs {
            for tap in 0..<27 {
                var sum = 0.0
                for plane in 0..<planes { sum += Double(partial.pointer[plane * size + tap * outputs + output]) }
                destination[output * 27 + tap] = Float(sum)
            }
        }
    }

    private func arguments(_ x: FeatureMap, outputs: Int) -> ck_first_convolution {
        precondition(x.channels == 1, "the first layer has one input channel, not \(x.channels)")
        x.requireDense("the input")
        var a = ck_first_convolution()
        a.input = x.c
        a.channels = outputs
        return a
    }

    /// Runs `body` with the arguments of the first layer's kernels, whose weights are laid out as [27][C_out].
    private func withFirstLayer<Result>(
        _ x: FeatureMap, _ layer: FirstLayer, _ body: (inout ck_first_convolution) -> Result
    ) -> Result {
        let outputs = layer.outputs
        let taps = workspace.take(27 * outputs)
        for output in 0..<outputs {
            for tap in 0..<27 { taps.pointer[tap * outputs + output] = layer.weights[output * 27 + tap] }
        }
        var a = arguments(x, outputs: outputs)
        a.weights = UnsafePointer(taps.pointer)
        if let bias = layer.bias {
            a.bias = bias.start
            return body(&a)
        }
        return [Float](repeating: 0, count: outputs).withUnsafeBufferPointer { zeros in
            a.bias = zeros.start
            return body(&a)
        }
    }
}
