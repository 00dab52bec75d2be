import Basics
import CKernels

extension Engine {
    /// The maximum over windows of 2x2x2 voxels. All extents of `x` are even.
    public func maxPool(_ x: FeatureMap) -> FeatureMap {
        let y = map(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: x.channels)
        var a = pooling(x, y)
        pool.run(y.samples * y.extent.z * y.extent.y) { row, _ in kernels.pool(&a, Int64(row)) }
        return y
    }

    /// The gradient of `maxPool`'s input.
    public func maxPoolGradient(_ x: FeatureMap, _ y: FeatureMap, gradient: FeatureMap) -> FeatureMap {
        precondition(gradient.stride == gradient.channels, "the gradient of a pooled map must be dense")
        let result = map(like: x)
        var a = pooling(x, y)
        a.y_gradient = UnsafePointer(gradient.pointer)
        a.x_gradient = result.pointer
        pool.run(y.samples * y.extent.z * y.extent.y) { row, _ in kernels.unpool(&a, Int64(row)) }
        return result
    }

    /// The pooled map of ReLU(normalised x), into the planes of `y` from `first` on.
    public func poolNormalized(
        _ x: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics, into y: FeatureMap,
        first: Int = 0
    ) {
        var a = pooling(x, y)
        a.y = y.pointer + first * y.extent.y * y.extent.x * y.stride
        withCoefficients(parameters, statistics) { scale, shift in
            a.scale = scale
            a.shift = shift
            pool.run(x.samples * x.extent.z / 2 * y.extent.y) { row, _ in kernels.pool_normalized(&a, Int64(row)) }
        }
    }

    /// The gradients of `poolNormalized`: that of `x` takes the place of `x`.
    ///
    /// - Parameters:
    ///   - gradient: Of the pooled map.
    ///   - scaleGradient: Receives dγ; `shiftGradient` dβ.
    public func poolNormalizedGradient(
        _ x: FeatureMap, gradient: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics,
        scaleGradient: UnsafeMutablePointer<Float>, shiftGradient: UnsafeMutablePointer<Float>
    ) {
        precondition(gradient.stride == gradient.channels, "the gradient of a pooled map must be dense")
        var a = pooling(x, gradient)
        a.y_gradient = UnsafePointer(gradient.pointer)
        let planes = gradient.samples * gradient.extent.z
        withNormalizationGradient(
            parameters, statistics, voxels: x.voxels, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
            sums: { n in
                a.scale = n.scale
                a.shift = n.shift
                n.x_gradient = x.pointer
                return sumOverItems(planes, width: 2 * x.channels, scratch: 0) { plane, _, sums in
                    kernels.pool_normalization_sums(&a, &n, Int64(plane), sums)
                }
            },
            apply: { n in
                pool.run(planes * gradient.extent.y) { row, _ in
                    kernels.pool_normalization_apply(&a, &n, Int64(row))
                }
            })
    }

    private func pooling(_ x: FeatureMap, _ y: FeatureMap) -> ck_pooling {
        var a = ck_pooling()
        a.x = UnsafePointer(x.pointer)
        a.x_stride = Int64(x.stride)
        a.y = y.pointer
        a.y_stride = Int64(y.stride)
        a.depth = Int64(x.extent.z)
        a.height = Int64(x.extent.y)
        a.width = Int64(x.extent.x)
        a.channels = Int64(x.channels)
        return a
    }
}
