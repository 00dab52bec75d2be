import Basics
import CKernels

/// The numbers of a map that are normalised together, and so have one mean and one variance.
public enum NormalizationScope: Hashable, Sendable {
    /// A channel of all samples: batch normalisation (S. Ioffe and C. Szegedy, "Batch Normalization", 2015).
    case batch
    /// So many channels beside one another, of one sample: group normalisation (Y. Wu and K. He, "Group
    /// Normalization", ECCV 2018).
    case group(channels: Int)
}

/// The mean and variance that every channel is normalised with, of a batch, of each sample, or as running statistics.
public struct Statistics {
    /// The numbers that have a mean and a variance in common; for running statistics `.batch`.
    public let scope: NormalizationScope
    /// The mean for each channel, [C]; for groups [N, C], the channels of a group having the same.
    public var mean: [Float]
    /// The variance for each channel, [C] or [N, C]: biased for a batch or a sample (that is what normalises), unbiased
    /// in running statistics.
    public var variance: [Float]
    /// The factor that normalises each channel, 1/√(variance + ε), [C] or [N, C].
    public var inverseDeviation: [Float]
    /// The mean of each channel's own normalised values, [N, C], which of groups is not 0; empty where it is.
    var normalizedMean: [Double] = []
    /// The number of voxels of each channel that they were taken over; 0 for running statistics.
    public var voxels: Int
    /// The number of samples that have statistics of their own, or 1 where all have the same.
    let parts: Int

    /// The term ε that keeps the divisor of a normalisation away from zero.
    public static let epsilon = 1e-5

    /// Creates statistics of C channels from their means and variances.
    public init(mean: [Double], variance: [Double], voxels: Int = 0) {
        self.init(scope: .batch, parts: 1, mean: mean, variance: variance, voxels: voxels)
    }

    private init(scope: NormalizationScope, parts: Int, mean: [Double], variance: [Double], voxels: Int) {
        self.scope = scope
        self.parts = parts
        self.voxels = voxels
        self.mean = mean.map { Float($0) }
        self.variance = variance.map { Float($0) }
        inverseDeviation = variance.map { Float(1 / ($0 + Self.epsilon).squareRoot()) }
    }

    /// Creates statistics of each channel from its moments.
    init(_ moments: Moments) {
        self.init(mean: moments.mean, variance: moments.variance, voxels: moments.voxels)
    }

    /// Creates statistics of groups of so many channels from the moments of each sample's channels. Channels have as
    /// many voxels, so a group's variance is the mean of their variances and of the squares by which their means lie
    /// off its own.
    init(_ samples: [Moments], groupsOf size: Int) {
        var (means, variances, normalizedMeans): ([Double], [Double], [Double]) = ([], [], [])
        for moments in samples {
            precondition(moments.mean.count % size == 0, "\(moments.mean.count) channels in groups of \(size)")
            for first in stride(from: 0, to: moments.mean.count, by: size) {
                let group = first..<first + size
                let mean = group.reduce(0) { $0 + moments.mean[$1] } / Double(size)
                let squares = group.reduce(0) {
                    let offset = moments.mean[$1] - mean
                    return $0 + moments.variance[$1] + offset * offset
                }
                let variance = squares / Double(size)
                means += [Double](repeating: mean, count: size)
                variances += [Double](repeating: variance, count: size)
                normalizedMeans += group.map { (moments.mean[$0] - mean) / (variance + Self.epsilon).squareRoot() }
            }
        }
        self.init(
            scope: .group(channels: size), parts: samples.count, mean: means, variance: variances,
            voxels: samples.first?.voxels ?? 0)
        normalizedMean = normalizedMeans
    }

    /// Runs `body` for samples that are normalised alike, with their statistics, [C]: once for all samples, or for each
    /// one, in their order.
    func forEachPart(of samples: Int, _ body: (_ samples: Range<Int>, _ statistics: Statistics) -> Void) {
        guard case .group = scope else { return body(0..<samples, self) }
        precondition(parts == samples, "statistics of \(parts) samples for \(samples)")
        for sample in 0..<samples { body(sample..<sample + 1, part(sample)) }
    }

    /// The statistics of one sample, [C].
    func part(_ sample: Int) -> Statistics {
        guard parts > 1 else { return self }
        var own = Statistics(scope: scope, parts: 1, mean: [], variance: [], voxels: voxels)
        let channels = sample * (mean.count / parts)..<(sample + 1) * (mean.count / parts)
        own.mean = Array(mean[channels])
        own.variance = Array(variance[channels])
        own.inverseDeviation = Array(inverseDeviation[channels])
        own.normalizedMean = Array(normalizedMean[channels])
        return own
    }
}

/// The mean and variance of each channel by itself, over all voxels of some samples.
struct Moments {
    let mean: [Double]
    let variance: [Double]
    let voxels: Int

    /// Creates moments from Σ (x − shift) and Σ (x − shift)² per channel.
    init(sums: [Double], about shift: [Float], voxels: Int) {
        let count = Double(voxels)
        let channels = shift.count
        let offset = (0..<channels).map { sums[$0] / count }
        mean = (0..<channels).map { Double(shift[$0]) + offset[$0] }
        variance = (0..<channels).map { max(0, sums[channels + $0] / count - offset[$0] * offset[$0]) }
        self.voxels = voxels
    }
}

extension Engine {
    /// The means and biased variances that a map is normalised with: of each channel over all voxels of all samples, of
    /// all replicas that share them, or of each sample's groups of channels.
    ///
    /// - Parameter x: [N, D, H, W, C], C a multiple of 8 and of the groups' channels.
    public func statistics(_ x: FeatureMap, over scope: NormalizationScope = .batch) -> Statistics {
        x.requireVectors("a map to be normalised")
        return statistics(over: scope, of: x) { samples in
            let voxels = x.voxels(of: samples)
            let middle = UnsafePointer(x.pointer + (voxels.lowerBound + voxels.count / 2) * x.stride)
            let shift = Array(UnsafeBufferPointer(start: middle, count: x.channels))
            var map = x.c
            let sums = shift.withUnsafeBufferPointer { shift in
                sumOverVoxels(voxels, width: 2 * x.channels) { first, count, sums in
                    kernels.moments(&map, shift.baseAddress, first, count, sums)
                }
            }
            return (sums, shift)
        }
    }

    /// Creates statistics from Σ (x − shift) and Σ (x − shift)² per channel of some samples.
    ///
    /// - Parameter map: Has the samples and voxels of what is normalised.
    func statistics(
        over scope: NormalizationScope, of map: FeatureMap,
        _ sums: (_ samples: Range<Int>) -> (sums: [Double], shift: [Float])
    ) -> Statistics {
        switch scope {
        case .batch:
            let (sums, shift) = sums(0..<map.samples)
            return Statistics(moments(sums: sums, about: shift, voxels: map.voxels))
        case .group(let channels):
            let samples = (0..<map.samples).map { sample in
                let (sums, shift) = sums(sample..<sample + 1)
                return Moments(sums: sums, about: shift, voxels: map.extent.product)
            }
            return Statistics(samples, groupsOf: channels)
        }
    }

    /// Creates moments from Σ (x − shift) and Σ (x − shift)² per channel, of this replica or, where they share
    /// statistics, of all.
    private func moments(sums: [Double], about shift: [Float], voxels: Int) -> Moments {
        guard sumOverReplicas != nil else { return Moments(sums: sums, about: shift, voxels: voxels) }
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
        return Moments(sums: all.sums, about: [Float](repeating: 0, count: channels), voxels: all.voxels)
    }

    /// Adds up sums, and the number of voxels that they were taken over, over all replicas that share them.
    func overReplicas(_ sums: [Double], voxels: Int) -> (sums: [Double], voxels: Int) {
        guard let sumOverReplicas else { return (sums, voxels) }
        var all = sumOverReplicas(sums + [Double(voxels)])
        let count = all.removeLast()
        return (all, Int(count))
    }
}
