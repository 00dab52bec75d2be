// Batch normalisation with what follows it: y = ReLU(γ (x − μ)/σ + β [+ residual]).

import Basics
import CKernels

/// The learnt part of a batch normalisation: γ and β, [C] each.
public struct NormalizationParameters {
    public let scale: UnsafePointer<Float>
    public let shift: UnsafePointer<Float>

    public init(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>) {
        self.scale = scale
        self.shift = shift
    }
}

/// Mean and variance per channel: of a batch, or the running ones.
public struct Statistics {
    public var mean: [Float]
    /// Biased for a batch (that is what normalises), unbiased in the running statistic.
    public var variance: [Float]
    /// 1/√(variance + ε).
    public var inverseDeviation: [Float]

    public static let epsilon = 1e-5

    public init(mean: [Double], variance: [Double]) {
        self.mean = mean.map { Float($0) }
        self.variance = variance.map { Float($0) }
        inverseDeviation = variance.map { Float(1 / ($0 + Self.epsilon).squareRoot()) }
    }

    /// From Σ (x − shift) and Σ (x − shift)² per channel.
    init(sums: [Double], about shift: [Float], voxels: Int) {
        let count = Double(voxels)
        let channels = shift.count
        let offset = (0..<channels).map { sums[$0] / count }
        self.init(
            mean: (0..<channels).map { Double(shift[$0]) + offset[$0] },
            variance: (0..<channels).map { max(0, sums[channels + $0] / count - offset[$0] * offset[$0]) })
    }
}

/// What is added before the activation.
public enum Residual {
    /// A map as it is.
    case identity(FeatureMap)
    /// A map with a normalisation of its own.
    case normalized(FeatureMap, NormalizationParameters, Statistics)
}

extension Engine {
    /// Mean and biased variance of each channel over all voxels of all samples.
    public func statistics(_ x: FeatureMap) -> Statistics {
        let channels = x.channels
        let middle = UnsafePointer(x.pointer + x.voxels / 2 * x.stride)
        let shift = Array(UnsafeBufferPointer(start: middle, count: channels))
        let sums = shift.withUnsafeBufferPointer { shift in
            sumOverVoxels(x.voxels, width: 2 * channels) { first, count, sums in
                kernels.moments(
                    UnsafePointer(x.pointer), Int64(x.stride), Int64(channels), shift.baseAddress, Int64(first),
                    Int64(count), sums)
            }
        }
        return Statistics(sums: sums, about: shift, voxels: x.voxels)
    }

    /// ReLU(normalised x + residual), into `y`, which may be `x` itself.
    public func normalize(
        _ x: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics, residual: Residual? = nil,
        rectify: Bool = true, into y: FeatureMap
    ) {
        let (scale, shift) = coefficients(parameters, statistics)
        var a = ck_affine()
        a.x = UnsafePointer(x.pointer)
        a.x_stride = Int64(x.stride)
        a.y = y.pointer
        a.y_stride = Int64(y.stride)
        a.channels = Int64(x.channels)
        a.rectify = rectify ? 1 : 0
        var other: (scale: [Float], shift: [Float]) = ([], [])
        switch residual {
        case nil: break
        case .identity(let map):
            a.residual = UnsafePointer(map.pointer)
            a.residual_stride = Int64(map.stride)
        case .normalized(let map, let parameters, let statistics):
            a.residual = UnsafePointer(map.pointer)
            a.residual_stride = Int64(map.stride)
            other = coefficients(parameters, statistics)
        }
        scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in
                other.scale.withUnsafeBufferPointer { otherScale in
                    other.shift.withUnsafeBufferPointer { otherShift in
                        a.scale = scale.baseAddress
                        a.shift = shift.baseAddress
                        if !otherScale.isEmpty {
                            a.residual_scale = otherScale.baseAddress
                            a.residual_shift = otherShift.baseAddress
                        }
                        overVoxels(x.voxels) { first, count in kernels.affine(&a, Int64(first), Int64(count)) }
                    }
                }
            }
        }
    }

    /// γ/σ and β − μ γ/σ.
    private func coefficients(
        _ parameters: NormalizationParameters, _ statistics: Statistics
    ) -> (scale: [Float], shift: [Float]) {
        let scale = statistics.inverseDeviation.enumerated().map { parameters.scale[$0] * $1 }
        let shift = scale.enumerated().map { parameters.shift[$0] - statistics.mean[$0] * $1 }
        return (scale, shift)
    }

    /// Runs `body` with γ/σ and β − μ γ/σ.
    func withCoefficients<Result>(
        _ parameters: NormalizationParameters, _ statistics: Statistics,
        _ body: (_ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>) -> Result
    ) -> Result {
        let (scale, shift) = coefficients(parameters, statistics)
        return scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in
                body(scale.baseAddress.unsafelyUnwrapped, shift.baseAddress.unsafelyUnwrapped)
            }
        }
    }

    /// ReLU of `x` in place.
    public func rectify(_ x: FeatureMap) {
        let ones = [Float](repeating: 1, count: x.channels)
        let zeros = [Float](repeating: 0, count: x.channels)
        var a = ck_affine()
        a.x = UnsafePointer(x.pointer)
        a.x_stride = Int64(x.stride)
        a.y = x.pointer
        a.y_stride = Int64(x.stride)
        a.channels = Int64(x.channels)
        a.rectify = 1
        ones.withUnsafeBufferPointer { ones in
            zeros.withUnsafeBufferPointer { zeros in
                a.scale = ones.baseAddress
                a.shift = zeros.baseAddress
                overVoxels(x.voxels) { first, count in kernels.affine(&a, Int64(first), Int64(count)) }
            }
        }
    }

    /// What stood behind a batch normalisation.
    public enum Activation {
        /// Nothing, or the gradient is masked already.
        case none
        /// ReLU, straight behind it.
        case rectified
        /// ReLU after something was added; its output. The gradient is masked in place, so that it is the gradient of
        /// what was added as well.
        case output(FeatureMap)
    }

    /// The gradients of a batch normalisation and of the activation behind it.
    ///
    /// - Parameters:
    ///   - x: What was normalised.
    ///   - gradient: Of the output.
    ///   - result: Receives the gradient of `x`; may be `x` or `gradient`.
    ///   - scaleGradient: Receives dγ; `shiftGradient` dβ.
    public func normalizationGradient(
        _ x: FeatureMap, _ activation: Activation, gradient: FeatureMap, _ parameters: NormalizationParameters,
        _ statistics: Statistics, scaleGradient: UnsafeMutablePointer<Float>,
        shiftGradient: UnsafeMutablePointer<Float>, into result: FeatureMap
    ) {
        withNormalizationGradient(
            parameters, statistics, voxels: x.voxels, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
            sums: { n in
                n.x = UnsafePointer(x.pointer)
                n.x_stride = Int64(x.stride)
                n.gradient = gradient.pointer
                n.gradient_stride = Int64(gradient.stride)
                n.x_gradient = result.pointer
                n.x_gradient_stride = Int64(result.stride)
                switch activation {
                case .none:
                    n.scale = nil
                    n.shift = nil
                case .rectified: break
                case .output(let y):
                    n.scale = nil
                    n.shift = nil
                    n.y = UnsafePointer(y.pointer)
                    n.y_stride = Int64(y.stride)
                }
                return sumOverVoxels(x.voxels, width: 2 * x.channels) { first, count, sums in
                    kernels.normalization_sums(&n, Int64(first), Int64(count), sums)
                }
            },
            apply: { n in
                overVoxels(x.voxels) { first, count in kernels.normalization_apply(&n, Int64(first), Int64(count)) }
            })
    }

    /// The two passes over a batch normalisation's gradient: `sums` returns Σ g and Σ g · x̂ per channel, `apply` uses
    /// them. Their arguments are complete but for the maps.
    func withNormalizationGradient(
        _ parameters: NormalizationParameters, _ statistics: Statistics, voxels: Int,
        scaleGradient: UnsafeMutablePointer<Float>, shiftGradient: UnsafeMutablePointer<Float>,
        sums: (inout ck_normalization_gradient) -> [Double], apply: (inout ck_normalization_gradient) -> Void
    ) {
        let channels = statistics.mean.count
        var n = ck_normalization_gradient()
        n.channels = Int64(channels)
        withCoefficients(parameters, statistics) { scale, shift in
            statistics.mean.withUnsafeBufferPointer { mean in
                statistics.inverseDeviation.withUnsafeBufferPointer { inverse in
                    n.scale = scale
                    n.shift = shift
                    n.mean = mean.baseAddress
                    n.inverse_deviation = inverse.baseAddress
                    let sums = sums(&n)
                    for channel in 0..<channels {
                        shiftGradient[channel] = Float(sums[channel])
                        scaleGradient[channel] = Float(sums[channels + channel])
                    }
                    let means = sums.map { Float($0 / Double(voxels)) }
                    means.withUnsafeBufferPointer { means in
                        n.factor = scale
                        n.gradient_mean = means.baseAddress
                        n.projection_mean = means.baseAddress.unsafelyUnwrapped + channels
                        apply(&n)
                    }
                }
            }
        }
    }

    /// Masks `gradient` in place where `output`, a ReLU's, is zero.
    public func rectifierGradient(_ gradient: FeatureMap, output: FeatureMap) {
        overVoxels(gradient.voxels) { first, count in
            for voxel in first..<first + count {
                let g = gradient.pointer + voxel * gradient.stride
                let y = output.pointer + voxel * output.stride
                for channel in 0..<gradient.channels where !(y[channel] > 0) { g[channel] = 0 }
            }
        }
    }

    /// `a` += `b`.
    public func add(_ b: FeatureMap, to a: FeatureMap) {
        overVoxels(a.voxels) { first, count in
            kernels.add(
                a.pointer, Int64(a.stride), UnsafePointer(b.pointer), Int64(b.stride), Int64(a.channels),
                Int64(first), Int64(count))
        }
    }

    /// Copies `source` into `destination`, channel by channel.
    public func copy(_ source: FeatureMap, into destination: FeatureMap) {
        overVoxels(source.voxels) { first, count in
            for voxel in first..<first + count {
                (destination.pointer + voxel * destination.stride)
                    .update(from: source.pointer + voxel * source.stride, count: source.channels)
            }
        }
    }
}

extension Engine {
    /// `y` = `x` times a factor per sample and channel, [N, C]; `y` may be `x`.
    public func scale(_ x: FeatureMap, by factors: [Float], into y: FeatureMap) {
        let zeros = [Float](repeating: 0, count: x.channels)
        let voxels = x.extent.product
        factors.withUnsafeBufferPointer { factors in
            zeros.withUnsafeBufferPointer { zeros in
                for sample in 0..<x.samples {
                    var a = ck_affine()
                    a.x = UnsafePointer(x.pointer + sample * voxels * x.stride)
                    a.x_stride = Int64(x.stride)
                    a.y = y.pointer + sample * voxels * y.stride
                    a.y_stride = Int64(y.stride)
                    a.channels = Int64(x.channels)
                    a.scale = factors.baseAddress.unsafelyUnwrapped + sample * x.channels
                    a.shift = zeros.baseAddress
                    overVoxels(voxels) { first, count in kernels.affine(&a, Int64(first), Int64(count)) }
                }
            }
        }
    }

    /// A tensor [N, C, D, H, W] into the first C channels of a map; the map's other channels become zero.
    public func interleave(_ tensor: Tensor, into map: FeatureMap) {
        let channels = tensor.shape[1]
        let voxels = map.extent.product
        tensor.values.withUnsafeBufferPointer { source in
            overVoxels(map.voxels) { first, count in
                for voxel in first..<first + count {
                    let (sample, place) = voxel.quotientAndRemainder(dividingBy: voxels)
                    let target = map.pointer + voxel * map.stride
                    for channel in 0..<map.channels {
                        target[channel] =
                            channel < channels ? source[(sample * channels + channel) * voxels + place] : 0
                    }
                }
            }
        }
    }
}
