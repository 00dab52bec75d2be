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
        parameters.require(channels: layer.outputs, samples: x.samples, statistics)
        let y =
            x.samples == 1
            ? map(samples: 1, extent: ZYX(planes.count, x.extent.y, x.extent.x), channels: layer.outputs)
            : map(like: x, channels: layer.outputs)
        withFirstLayer(x, layer) { a in
            a.output = y.pointer - planes.lowerBound * x.extent.y * x.extent.x * layer.outputs
            statistics.forEachPart(of: x.samples) { samples, own in
                withCoefficients(parameters, own) { scale, shift in
                    a.scale = scale
                    a.shift = shift
                    runRows(a, planes: planes.clamped(to: x.planes(of: samples)))
                }
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

    /// The statistics of the convolution's output, as `statistics(_:over:)` finds them.
    public func firstStatistics(
        _ x: FeatureMap, _ layer: FirstLayer, over scope: NormalizationScope = .batch
    ) -> Statistics {
        withFirstLayer(x, layer) { a in
            statistics(over: scope, of: x) { samples in
                // The sums are taken about the values of one output voxel.
                let voxels = x.voxels(of: samples)
                let middle = voxels.lowerBound + voxels.count / 2 + x.extent.x / 2
                let shift = firstConvolution(voxel: middle, of: x, layer)
                let sums = shift.withUnsafeBufferPointer { shift in
                    let scratch = kernels.first_convolution_scratch(&a)
                    return sumOverItems(x.planes(of: samples), width: 2 * layer.outputs, scratch: scratch) {
                        kernels.first_moments(&a, shift.baseAddress, $0, $1, $2)
                    }
                }
                return (sums, shift)
            }
        }
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
    ///   - biasGradient: Receives the gradient of the biases, [C_out], where it is wanted; 0 where a batch
    ///     normalisation takes them off again.
    public func firstGradient(
        _ x: FeatureMap, _ layer: FirstLayer, gradient: FeatureMap, _ parameters: NormalizationParameters,
        _ statistics: Statistics, weightsGradient: UnsafeMutableBufferPointer<Float>,
        scaleGradient: UnsafeMutableBufferPointer<Float>, shiftGradient: UnsafeMutableBufferPointer<Float>,
        biasGradient: UnsafeMutableBufferPointer<Float>? = nil
    ) {
        gradient.requireVoxels(of: x, "the gradient")
        requireCount(gradient.channels, layer.outputs, "channels of a gradient")
        requireCount(weightsGradient.count, layer.weights.count, "weights' gradients")
        if let biasGradient { requireCount(biasGradient.count, layer.outputs, "biases' gradients") }
        var biases = [Double](repeating: 0, count: layer.outputs)
        withFirstLayer(x, layer) { a in
            let sums = PlaneSums(self, a, planes: x.samples * x.extent.z)
            withNormalizationGradient(
                parameters, statistics, of: gradient, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
                sums: { samples, n in
                    n.gradient = gradient.c
                    let scratch = kernels.first_convolution_scratch(&a)
                    return sumOverItems(x.planes(of: samples), width: 2 * layer.outputs, scratch: scratch) {
                        kernels.first_normalization_sums(&a, &n, $0, $1, $2)
                    }
                },
                apply: { samples, all, n in
                    sums.fill(x.planes(of: samples), &n)
                    guard case .group = statistics.scope else { return }
                    // Σ dx of a channel, whose Σ x̂ is not 0.
                    let own = statistics.part(samples.lowerBound)
                    for channel in biases.indices {
                        let means = (Double(all.means[channel]), Double(all.means[layer.outputs + channel]))
                        let taken = Double(own.voxels) * (means.0 + means.1 * own.normalizedMean[channel])
                        let rest = Double(all.gain[channel]) * all.sums[channel] - taken
                        biases[channel] += Double(own.inverseDeviation[channel]) * rest
                    }
                })
            sums.finish(into: weightsGradient)
        }
        if let biasGradient { for channel in biases.indices { biasGradient[channel] = Float(biases[channel]) } }
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
        let sums = PlaneSums(self, a, planes: x.samples * x.extent.z)
        sums.fill(0..<sums.planes, nil)
        sums.finish(into: destination)
    }

    /// The gradient of the weights, of each plane by itself and then of all.
    private struct PlaneSums {
        let planes: Int
        private let engine: Engine
        private let layer: ck_first_convolution
        private let partial: FloatBuffer

        init(_ engine: Engine, _ layer: ck_first_convolution, planes: Int) {
            self.engine = engine
            self.layer = layer
            self.planes = planes
            partial = engine.workspace.take(planes * 27 * layer.channels)
        }

        /// Computes what some planes give.
        func fill(_ planes: Range<Int>, _ normalization: UnsafePointer<ck_normalization_gradient>?) {
            var layer = layer
            let kernels = engine.kernels
            engine.parallel(planes.count, scratch: kernels.first_convolution_scratch(&layer)) { item, scratch in
                let plane = planes.lowerBound + item
                var own = layer
                own.weights_gradient = partial.pointer + plane * 27 * layer.channels
                kernels.first_convolution_weights(&own, normalization, plane, scratch)
            }
        }

        /// Adds up all planes, [C, 1, 3, 3, 3].
        func finish(into destination: UnsafeMutableBufferPointer<Float>) {
            let outputs = layer.channels
            for output in 0..<outputs {
                for tap in 0..<27 {
                    var sum = 0.0
                    for plane in 0..<planes {
                        sum += Double(partial.pointer[(plane * 27 + tap) * outputs + output])
                    }
                    destination[output * 27 + tap] = Float(sum)
                }
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
