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
