import CKernels

/// The mean and variance of every channel, of a batch or as running statistics.
public struct Statistics {
    /// The mean of each channel, [C].
    public var mean: [Float]
    /// The variance of each channel, [C]: biased for a batch (that is what normalises), unbiased in running statistics.
    public var variance: [Float]
    /// The factor that normalises each channel, 1/√(variance + ε), [C].
    public var inverseDeviation: [Float]
    /// The number of voxels of each channel that they were taken over; 0 for running statistics.
    public var voxels: Int

    /// The term ε that keeps the divisor of a normalisation away from zero.
    public static let epsilon = 1e-5

    /// Creates statistics of C channels from their means and variances.
    public init(mean: [Double], variance: [Double], voxels: Int = 0) {
        self.voxels = voxels
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
            variance: (0..<channels).map { max(0, sums[channels + $0] / count - offset[$0] * offset[$0]) },
            voxels: voxels)
    }
}

extension Engine {
    /// Mean and biased variance of each channel over all voxels of all samples, of all replicas that share them.
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
        return statistics(sums: sums, about: shift, voxels: x.voxels)
    }

    /// Creates statistics from Σ (x − shift) and Σ (x − shift)² per channel, of this replica or, where they share
    /// statistics, of all.
    func statistics(sums: [Double], about shift: [Float], voxels: Int) -> Statistics {
        guard sumOverReplicas != nil else { return Statistics(sums: sums, about: shift, voxels: voxels) }
        // Replicas have shifts of their own, and sums about 0 can be added. Their cancellation costs a variance
        // (mean/deviation)² units of the last place of Double: less than the rounding of the maps' floats does.
        var sums = sums
        let (count, channels) = (Double(voxels), shift.count)
        for channel in 0..<channels {
            let (origin, first) = (Double(shift[channel]), sums[channel])
            sums[channel] = first + count * origin
            sums[channels + channel] += origin * (2 * first + count * origin)
        }
        let all = overReplicas(sums, voxels: voxels)
        return Statistics(sums: all.sums, about: [Float](repeating: 0, count: channels), voxels: all.voxels)
    }

    /// Adds up sums, and the number of voxels that they were taken over, over all replicas that share them.
    func overReplicas(_ sums: [Double], voxels: Int) -> (sums: [Double], voxels: Int) {
        guard let sumOverReplicas else { return (sums, voxels) }
        var all = sumOverReplicas(sums + [Double(voxels)])
        let count = all.removeLast()
        return (all, Int(count))
    }
}
