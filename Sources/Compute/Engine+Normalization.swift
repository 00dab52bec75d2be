// Batch normalisation with what follows it: y = ReLU(γ (x − μ)/σ + β [+ residual]).

import Basics
import CKernels

/// The learnt part of a batch normalisation.
public struct NormalizationParameters {
    /// The factors γ, [C].
    public let scale: UnsafeBufferPointer<Float>
    /// The offsets β, [C].
    public let shift: UnsafeBufferPointer<Float>

    /// Refers to parameters without copying them.
    public init(scale: UnsafeBufferPointer<Float>, shift: UnsafeBufferPointer<Float>) {
        self.scale = scale
        self.shift = shift
    }

    /// Stops where these or the statistics are not those of so many channels.
    func require(channels: Int, _ statistics: Statistics) {
        let counts = [scale.count, shift.count, statistics.mean.count, statistics.inverseDeviation.count]
        precondition(
            counts.allSatisfy { $0 == channels },
            "scales, shifts, means and deviations \(counts) for \(channels) channels")
    }
}

/// A second term that is added before the activation.
public enum Residual {
    /// A map as it is.
    case identity(FeatureMap)
    /// A map with a normalisation of its own.
    case normalized(FeatureMap, NormalizationParameters, Statistics)
}

extension Engine {
    /// ReLU(normalised x + residual), into `y`, which may be `x` itself.
    ///
    /// - Parameter x: [N, D, H, W, C], C a multiple of 8; `y` and the residual the same.
    public func normalize(
        _ x: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics, residual: Residual? = nil,
        rectify: Bool = true, into y: FeatureMap
    ) {
        x.requireVectors("a map to be normalised")
        y.requireShape(of: x, "the normalised map")
        parameters.require(channels: x.channels, statistics)
        var a = ck_affine()
        a.x = x.c
        a.y = y.c
        a.rectify = rectify ? 1 : 0
        func run() {
            overVoxels(x.voxels) { first, count in kernels.affine(&a, first, count) }
        }
        withCoefficients(parameters, statistics) { scale, shift in
            a.scale = scale
            a.shift = shift
            switch residual {
            case nil: run()
            case .identity(let map):
                map.requireShape(of: x, "the residual")
                a.residual = map.c
                run()
            case .normalized(let map, let parameters, let statistics):
                map.requireShape(of: x, "the residual")
                parameters.require(channels: x.channels, statistics)
                a.residual = map.c
                withCoefficients(parameters, statistics) { scale, shift in
                    a.residual_scale = scale
                    a.residual_shift = shift
                    run()
                }
            }
        }
    }

    /// Runs `body` with γ/σ and β − μ γ/σ.
    func withCoefficients<Result>(
        _ parameters: NormalizationParameters, _ statistics: Statistics,
        _ body: (_ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>) -> Result
    ) -> Result {
        let scale = statistics.inverseDeviation.enumerated().map { parameters.scale[$0] * $1 }
        let shift = scale.enumerated().map { parameters.shift[$0] - statistics.mean[$0] * $1 }
        return scale.withUnsafeBufferPointer { scale in
            shift.withUnsafeBufferPointer { shift in body(scale.start, shift.start) }
        }
    }

    /// The operation behind a batch normalisation.
    public enum Activation {
        /// No activation, or one that has masked the gradient already.
        case none
        /// A ReLU straight behind the normalisation.
        case rectified
        /// A ReLU behind the sum with a residual, given by its output. The gradient is masked in place, so that it
        /// becomes the residual's gradient as well.
        case output(FeatureMap)
    }

    /// The gradients of a batch normalisation and of the activation behind it.
    ///
    /// - Parameters:
    ///   - x: The map that was normalised.
    ///   - gradient: The gradient of the output.
    ///   - result: Receives the gradient of `x`; may be `x` or `gradient`.
    ///   - scaleGradient: Receives dγ; `shiftGradient` dβ.
    public func normalizationGradient(
        _ x: FeatureMap, _ activation: Activation, gradient: FeatureMap, _ parameters: NormalizationParameters,
        _ statistics: Statistics, scaleGradient: UnsafeMutableBufferPointer<Float>,
        shiftGradient: UnsafeMutableBufferPointer<Float>, into result: FeatureMap
    ) {
        x.requireVectors("a map to be normalised")
        gradient.requireShape(of: x, "the gradient")
        result.requireShape(of: x, "the input's gradient")
        withNormalizationGradient(
            parameters, statistics, of: x, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
            sums: { n in
                n.x = x.c
                n.gradient = gradient.c
                n.x_gradient = result.c
                switch activation {
                case .none:
                    n.scale = nil
                    n.shift = nil
                case .rectified: break
                case .output(let y):
                    y.requireShape(of: x, "the activation")
                    n.scale = nil
                    n.shift = nil
                    n.y = y.c
                }
                return sumOverVoxels(x.voxels, width: 2 * x.channels) { first, count, sums in
                    kernels.normalization_sums(&n, first, count, sums)
                }
            },
            apply: { n in
                overVoxels(x.voxels) { first, count in kernels.normalization_apply(&n, first, count) }
            })
    }

    /// The two passes over a batch normalisation's gradient: `sums` returns Σ g and Σ g · x̂ per channel, `apply` uses
    /// them. Their arguments are complete but for the maps.
    ///
    /// - Parameter map: Has the voxels and channels of what was normalised.
    func withNormalizationGradient(
        _ parameters: NormalizationParameters, _ statistics: Statistics, of map: FeatureMap,
        scaleGradient: UnsafeMutableBufferPointer<Float>, shiftGradient: UnsafeMutableBufferPointer<Float>,
        sums: (inout ck_normalization_gradient) -> [Double], apply: (inout ck_normalization_gradient) -> Void
    ) {
        let channels = map.channels
        parameters.require(channels: channels, statistics)
        requireCount(scaleGradient.count, channels, "scales' gradients")
        requireCount(shiftGradient.count, channels, "shifts' gradients")
        var n = ck_normalization_gradient()
        n.channels = channels
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
                    // The statistics' share of the gradient is that of all voxels they were taken over.
                    let all = overReplicas(sums, voxels: map.voxels)
                    let means = all.sums.map { Float($0 / Double(all.voxels)) }
                    means.withUnsafeBufferPointer { means in
                        n.factor = scale
                        n.gradient_mean = means.baseAddress
                        n.projection_mean = means.start + channels
                        apply(&n)
                    }
                }
            }
        }
    }
}
