import Basics
import CKernels

extension Engine {
    /// The maximum over windows of 2x2x2 voxels.
    ///
    /// - Parameter x: [N, D, H, W, C]; D, H and W are even, C is a multiple of 8.
    public func maxPool(_ x: FeatureMap) -> FeatureMap {
        let y = map(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: x.channels)
        var a = pooling(x, y)
        pool.run(rows(of: y)) { row, _ in kernels.pool(&a, row) }
        return y
    }

    /// The gradient of `maxPool`'s input.
    public func maxPoolGradient(_ x: FeatureMap, _ y: FeatureMap, gradient: FeatureMap) -> FeatureMap {
        gradient.requireDense("the gradient of a pooled map")
        gradient.requireShape(of: y, "the gradient of a pooled map")
        let result = map(like: x)
        var a = pooling(x, y)
        a.y_gradient = UnsafePointer(gradient.pointer)
        a.x_gradient = result.pointer
        pool.run(rows(of: y)) { row, _ in kernels.unpool(&a, row) }
        return result
    }

    /// The pooled map of ReLU(normalised x), into the planes of `y` from `first` on.
    public func poolNormalized(
        _ x: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics, into y: FeatureMap,
        first: Int = 0
    ) {
        parameters.require(channels: x.channels, samples: x.samples, statistics)
        let pooled = x.samples * x.extent.z / 2
        precondition(
            first >= 0 && first + pooled <= y.samples * y.extent.z,
            "\(pooled) planes from plane \(first) of \(y.samples) x \(y.extent)")
        var a = pooling(x, y, planes: first..<first + pooled)
        statistics.forEachPart(of: x.samples) { samples, own in
            withCoefficients(parameters, own) { scale, shift in
                a.scale = scale
                a.shift = shift
                overRows(of: x, samples) { row in kernels.pool_normalized(&a, row) }
            }
        }
    }

    /// The gradients of `poolNormalized`: that of `x` takes the place of `x`.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the pooled map.
    ///   - scaleGradient: Receives dγ; `shiftGradient` dβ.
    public func poolNormalizedGradient(
        _ x: FeatureMap, gradient: FeatureMap, _ parameters: NormalizationParameters, _ statistics: Statistics,
        scaleGradient: UnsafeMutableBufferPointer<Float>, shiftGradient: UnsafeMutableBufferPointer<Float>
    ) {
        gradient.requireDense("the gradient of a pooled map")
        var a = pooling(x, gradient)
        a.y_gradient = UnsafePointer(gradient.pointer)
        withNormalizationGradient(
            parameters, statistics, of: x, scaleGradient: scaleGradient, shiftGradient: shiftGradient,
            sums: { samples, n in
                a.scale = n.scale
                a.shift = n.shift
                n.x_gradient = x.c
                return sumOverItems(gradient.planes(of: samples), width: 2 * x.channels, scratch: 0) { plane, _, sums in
                    kernels.pool_normalization_sums(&a, &n, plane, sums)
                }
            },
            apply: { samples, _, n in
                overRows(of: x, samples) { row in kernels.pool_normalization_apply(&a, &n, row) }
            })
    }

    private func rows(of y: FeatureMap) -> Int { y.samples * y.extent.z * y.extent.y }

    /// Runs `body` for the rows that some samples of `x` are pooled to, counted over all samples.
    private func overRows(of x: FeatureMap, _ samples: Range<Int>, _ body: (_ row: Int) -> Void) {
        let rows = x.extent.z / 2 * (x.extent.y / 2)
        pool.run(samples.count * rows) { item, _ in body(samples.lowerBound * rows + item) }
    }

    /// - Parameter planes: Those of `y`, over all samples, that become the pooled `x`; nil for all.
    private func pooling(_ x: FeatureMap, _ y: FeatureMap, planes: Range<Int>? = nil) -> ck_pooling {
        x.requireVectors("a map to be pooled")
        let pooled = x.extent.map { $0 / 2 }
        precondition(
            x.extent == pooled * 2 && y.extent.y == pooled.y && y.extent.x == pooled.x && x.channels == y.channels
                && (planes != nil || x.samples == y.samples && y.extent.z == pooled.z),
            "\(x.samples) x \(x.extent) voxels of \(x.channels) channels pooled by 2 are not "
                + "\(y.samples) x \(y.extent) of \(y.channels)")
        var a = ck_pooling()
        a.x = x.c
        a.y = y.c
        if let planes { a.y.values += planes.lowerBound * y.extent.y * y.extent.x * y.stride }
        return a
    }
}
