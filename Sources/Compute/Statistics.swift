import CKernels

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

extension Engine {
    /// Mean and biased variance of each channel over all voxels of all samples.
    ///
    /// - Parameter x: [N, D, H, W, C], C a multiple of 8.
    public func statistics(_ x: FeatureMap) -> Statistics {
        x.requireVectors("a map to be normalised")
        let middle = UnsafePointer(x.pointer + x.voxels / 2 * x.stride)
        let shift = Array(UnsafeBufferPointer(start: middle, count: x.channels))
        var map = x.c
        let sums = shift.withUnsafeBufferPointer { shift in
            sumOverVoxels(x.voxels, width: 2 * x.channels) { first, count, sums in
                kernels.moments(&map, shift.baseAddress, first, count, sums)
            }
        }
        return Statistics(sums: sums, about: shift, voxels: x.voxels)
    }
}
