import CKernels

/// The mean and variance of every channel, of a batch or as running statistics.
public struct Statistics {
    /// The mean of each channel, [C].
    public var mean: [Float]
    /// The variance of each channel, [C]: biased for a batch (that is what normalises), unbiased in running statistics.
    public var variance: [Float]
    /// The factor that normalises each channel, 1/√(variance + ε), [C].
    public var inverseDeviation: [Float]

    /// The term ε that keeps the divisor of a normalisation away from zero.
    public static let epsilon = 1e-5

    /// Creates statistics of C channels from their means and variances.
    public init(mean: [Double], variance: [Double]) {
        self.mean = mean.map { Float($0) }
        self.variance = variance.map { Float($0) }
        inverseDeviation = variance.map { Float(1 / ($0 + Self.epsilon).squareRoot()) }
    }

    /// Creates statistics from Σ (x − shift) and Σ (x − shift)² per channel.
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
