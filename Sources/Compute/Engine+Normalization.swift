// Normalisation with what follows it: y = ReLU(γ (x − μ)/σ + β [+ residual]).

import Basics
import CKernels

/// The learnt part of a normalisation.
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

    /// Stops where these or the statistics are not those of so many channels, and of so many samples where each has
    /// its own.
    func require(channels: Int, samples: Int, _ statistics: Statistics) {
        let counts = [scale.count, shift.count]
        let own = [statistics.mean.count, statistics.inverseDeviation.count]
        precondition(
            counts.allSatisfy { $0 == channels } && own.allSatisfy { $0 == channels * statistics.parts }
                && (statistics.scope == .batch || statistics.parts == samples),
            "scales and shifts \(counts), means and deviations \(own) for \(channels) channels of \(samples) samples")
    }
}

/// A second term that is added before the activation.
public enum Residual {
    /// A map as it is.
    case identity(FeatureMap)
    /// A map with a normalisation of its own, over the same scope.
    case normalized(FeatureMap, NormalizationParameters, Statistics)

    fileprivate var map: FeatureMap {
        switch self {
        case .identity(let map), .normalized(let map, _, _): map
        }
    }
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
        parameters.require(channels: x.channels, samples: x.samples, statistics)
        var a = ck_affine()
        a.x = x.c
        a.y = y.c
        a.rectify = rectify ? 1 : 0
        if let map = residual?.map {
            map.requireShape(of: x, "the residual")
            a.residual = map.c
        }
        statistics.forEachPart(of: x.samples) { samples, own in
            func run() {
                overVoxels(x.voxels(of: samples)) { first, count in kernels.affine(&a, first, count) }
            }
            withCoefficients(parameters, own) { scale, shift in
                a.scale = scale
                a.shift = shift
                guard case .normalized(_, let parameters, let others) = residual else { return run() }
                precondition(others.scope == statistics.scope, "a residual over \(others.scope)")
                parameters.require(channels: x.channels, samples: x.samples, others)
                withCoefficients(parameters, others.part(samples.lowerBound)) { scale, shift in
                    a.residual_scale = scale
                    a.residual_shift = shift
                    run()
                }
            }
        }
    }

    /// Runs `body` with γ/σ and β − μ γ/σ of statistics [C].
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

    /// The operation behind a normalisation.
    public enum Activation {
        /// No activation, or one that has masked the gradient already.
        case none
        /// A ReLU straight behind the normalisation.
        case rectified
        /// A ReLU behind the sum with a residual, given by its output. The gradient is masked in place, so that it
        /// becomes the residual's gradient as well.
        case output(FeatureMap)
    }

    /// The gradients of a normalisation and of the activation behind it.
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
            sums: { samples, n in
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
                return sumOverVoxels(x.voxels(of: samples), width: 2 * x.channels) { first, count, sums in
                    kernels.normalization_sums(&n, first, count, sums)
                }
            },
            apply: { samples, _, n in
                overVoxels(x.voxels(of: samples)) { first, count in kernels.normalization_apply(&n, first, count) }
            })
    }

    /// The two passes over a normalisation's gradient, for all samples or for each one that has statistics of its own:
    /// `sums` returns Σ g and Σ g · x̂ per channel, `apply` uses what follows from them. Their arguments are complete
    /// but for the maps.
    ///
    /// - Parameter map: Has the voxels and channels of what was normalised.
    func withNormalizationGradient(
        _ parameters: NormalizationParameters, _ statistics: Statistics, of map: FeatureMap,
        scaleGradient: UnsafeMutableBufferPointer<Float>, shiftGradient: UnsafeMutableBufferPointer<Float>,
        sums: (_ samples: Range<Int>, inout ck_normalization_gradient) -> [Double],
        apply: (_ samples: Range<Int>, NormalizationSums, inout ck_normalization_gradient) -> Void
    ) {
        let channels = map.channels
        parameters.require(channels: channels, samples: map.samples, statistics)
        requireCount(scaleGradient.count, channels, "scales' gradients")
        requireCount(shiftGradient.count, channels, "shifts' gradients")
        var total = [Double](repeating: 0, count: 2 * channels)
        statistics.forEachPart(of: map.samples) { samples, own in
            var n = ck_normalization_gradient()
            n.channels = channels
            withCoefficients(parameters, own) { scale, shift in
                n.scale = scale
                n.shift = shift
                own.mean.withUnsafeBufferPointer { mean in
                    own.inverseDeviation.withUnsafeBufferPointer { inverse in
                        n.mean = mean.baseAddress
                        n.inverse_deviation = inverse.baseAddress
                        let found = sums(samples, &n)
                        for index in total.indices { total[index] += found[index] }
                        let all = normalizationSums(found, parameters, own, voxels: map.voxels(of: samples).count)
                        // dx = factor · (gain · g − M₁ − x̂ M₂): a batch's means are those of g and g · x̂ themselves,
                        // with γ before all; a group's channels have scales of their own, so theirs are of γ g.
                        n.factor = own.scope == .batch ? scale : inverse.start
                        all.gain.withUnsafeBufferPointer { gain in
                            all.means.withUnsafeBufferPointer { means in
                                n.gain = gain.start
                                n.gradient_mean = means.start
                                n.projection_mean = means.start + channels
                                apply(samples, all, &n)
                            }
                        }
                    }
                }
            }
        }
        for channel in 0..<channels {
            shiftGradient[channel] = Float(total[channel])
            scaleGradient[channel] = Float(total[channels + channel])
        }
    }

    /// The factors of a normalisation's gradient that follow from Σ g and Σ g · x̂ per channel.
    private func normalizationSums(
        _ sums: [Double], _ parameters: NormalizationParameters, _ statistics: Statistics, voxels: Int
    ) -> NormalizationSums {
        let channels = statistics.mean.count
        switch statistics.scope {
        case .batch:
            // The statistics' share of the gradient is that of all voxels they were taken over.
            let all = overReplicas(sums, voxels: voxels)
            return NormalizationSums(
                sums: sums, gain: [Float](repeating: 1, count: channels),
                means: all.sums.map { Float($0 / Double(all.voxels)) })
        case .group(let size):
            var means = [Float](repeating: 0, count: 2 * channels)
            for first in stride(from: 0, to: 2 * channels, by: size) {
                let group = first..<first + size
                let sum = group.reduce(0) { $0 + Double(parameters.scale[$1 % channels]) * sums[$1] }
                for index in group { means[index] = Float(sum / Double(size * voxels)) }
            }
            return NormalizationSums(sums: sums, gain: Array(parameters.scale), means: means)
        }
    }
}

/// The sums over a normalisation's gradient and what they make of it.
struct NormalizationSums {
    /// Σ g and Σ g · x̂ per channel, [2][C].
    let sums: [Double]
    /// The factor of each channel's gradient, [C].
    let gain: [Float]
    /// The means of gain · g and of gain · g · x̂ over what has statistics in common, [2][C].
    let means: [Float]
}
