// The first layer has one input channel: so little arithmetic that computing its output again costs less than storing
// it. Statistics, activation and gradient each start from the input.

import Basics
import CKernels

/// The first convolution's parameters: `weights` [24, 1, 3, 3, 3] and `bias` [24].
public struct FirstLayer {
    public let weights: UnsafePointer<Float>
    public let bias: UnsafePointer<Float>
    /// What its kernels are written for.
    public static let outputs = 24
    var outputs: Int { Self.outputs }

    public init(weights: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
        self.weights = weights
        self.bias = bias
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
        precondition(x.samples == 1 || planes == 0..<x.samples * x.extent.z, "planes of one sample, or all of all")
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
        let height = Int(a.height)
        parallel(planes.count * height, scratch: rowScratch(a)) { row, scratch in
            kernels.first_convolution(&a, Int64(planes.lowerBound * height + row), scratch)
        }
    }

    /// Mean and variance of the convolution's output.
    public func firstStatistics(_ x: FeatureMap, _ layer: FirstLayer) -> Statistics {
        // One output voxel as the values that the sums are taken about.
        let shift = firstConvolution(voxel: x.voxels / 2 + x.extent.x / 2, of: x, layer)
        let sums = withFirstLayer(x, layer) { a in
            shift.withUnsafeBufferPointer { shift in
                sumOverItems(x.samples * x.extent.z, width: 2 * layer.outputs, scratch: rowScratch(a)) {
                    kernels.first_moments(&a, shift.baseAddress, Int64($0), $1, $2)
                }
            }
        }
        return Statistics(sums: sums, about: shift, voxels: x.voxels)
    }

    private func firstConvolution(voxel: Int, of x: FeatureMap, _ layer: FirstLayer) -> [Float] {
        let value = x.pointer[voxel]
        // As if all around had the same value: near enough to the mean of what is there.
        return (0..<layer.outputs).map { output in
            layer.bias[output] + value * (0..<27).reduce(0) { $0 + layer.weights[output * 27 + $1] }
        }
    }

    /// The gradients of the layer and of the normalisation and ReLU behind it.
    ///
    /// - Parameters:
    ///   - gradient: Of the ReLU's output.
    ///   - weightsGradient: Receives that of the weights, [C_out, 1, 3, 3, 3]; `scaleGradient` dγ, `shiftGradient` dβ.
    public func firstGradient(
        _ x: FeatureMap, _ layer: FirstLayer, gradient: FeatureMap, _ parameters: NormalizationParameters,
        _ statistics: Statistics, weightsGradient: UnsafeMutablePointer<Float>,
        scaleGradient: UnsafeMutablePointer<Float>, shiftGradient: UnsafeMutablePointer<Float>
    ) {
        let planes = x.samples * x.extent.z
        withFirstLayer(x, layer) { a in
            withNormalizationGradient(
                parameters, statistics, voxels: x.voxels, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
                sums: { n in
                    n.gradient = gradient.pointer
                    n.gradient_stride = Int64(gradient.stride)
                    return sumOverItems(planes, width: 2 * layer.outputs, scratch: rowScratch(a)) {
                        kernels.first_normalization_sums(&a, &n, Int64($0), $1, $2)
                    }
                },
                apply: { n in sumOverPlanes(a, &n, planes: planes, into: weightsGradient) })
        }
    }

    /// The gradient of the convolution's weights alone.
    public func firstConvolutionWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, into destination: UnsafeMutablePointer<Float>
    ) {
        precondition(gradient.channels == FirstLayer.outputs, "the first layer makes \(FirstLayer.outputs) channels")
        var a = arguments(x, outputs: gradient.channels)
        a.output_gradient = UnsafePointer(gradient.pointer)
        sumOverPlanes(a, nil, planes: x.samples * x.extent.z, into: destination)
    }

    private func sumOverPlanes(
        _ layer: ck_first_convolution, _ normalization: UnsafePointer<ck_normalization_gradient>?, planes: Int,
        into destination: UnsafeMutablePointer<Float>
    ) {
        let outputs = Int(layer.channels)
        let size = 27 * outputs
        let partial = workspace.take(planes * size)
        parallel(planes, scratch: rowScratch(layer)) { plane, scratch in
            var own = layer
            own.weights_gradient = partial.pointer + plane * size
            kernels.first_convolution_weights(&own, normalization, Int64(plane), scratch)
        }
        for output in 0..<outputs {
            for tap in 0..<27 {
                var sum = 0.0
                for plane in 0..<planes { sum += Double(partial.pointer[plane * size + tap * outputs + output]) }
                destination[output * 27 + tap] = Float(sum)
            }
        }
    }

    /// Nine rows of input, a row of output, and sums.
    private func rowScratch(_ a: ck_first_convolution) -> Int {
        9 * (Int(a.width) + 2) + 16 + Int(a.width * a.channels) + 4 * Int(a.channels)
    }

    private func arguments(_ x: FeatureMap, outputs: Int) -> ck_first_convolution {
        var a = ck_first_convolution()
        a.input = UnsafePointer(x.pointer)
        a.depth = Int64(x.extent.z)
        a.height = Int64(x.extent.y)
        a.width = Int64(x.extent.x)
        a.channels = Int64(outputs)
        return a
    }

    /// With the weights as the kernels want them, [27][C_out].
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
        a.bias = layer.bias
        return body(&a)
    }
}
