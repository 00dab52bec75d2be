import Basics
import CKernels

/// Activations of a layer, channels last: [N, D, H, W, C] in a workspace's buffer.
///
/// A map may be some channels of a wider one (`stride` > `channels`), which is how a concatenation is written in place.
/// It refers to its memory: copies see the same values.
public struct FeatureMap {
    let buffer: FloatBuffer
    /// The place in the buffer where the map begins, in floats.
    let offset: Int
    /// The number of samples, N.
    public let samples: Int
    /// The number of voxels along z, y and x.
    public let extent: ZYX<Int>
    /// The number of channels, C.
    public let channels: Int
    /// The distance from one voxel to the next, in floats.
    public let stride: Int

    init(buffer: FloatBuffer, offset: Int = 0, samples: Int, extent: ZYX<Int>, channels: Int, stride: Int) {
        self.buffer = buffer
        self.offset = offset
        self.samples = samples
        self.extent = extent
        self.channels = channels
        self.stride = stride
    }

    /// The map's first value; the value of voxel v and channel c lies at `v * stride + c`.
    public var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

    /// The map in the form that kernels take.
    var c: ck_map {
        ck_map(
            values: pointer, samples: samples, depth: extent.z, height: extent.y, width: extent.x, channels: channels,
            stride: stride)
    }

    /// The number of voxels of all samples.
    public var voxels: Int { samples * extent.product }

    /// The voxels of some samples, counted over all.
    func voxels(of samples: Range<Int>) -> Range<Int> {
        samples.lowerBound * extent.product..<samples.upperBound * extent.product
    }

    /// The planes of some samples, counted over all.
    func planes(of samples: Range<Int>) -> Range<Int> {
        samples.lowerBound * extent.z..<samples.upperBound * extent.z
    }

    /// Some of the channels, in the same memory.
    public func channels(_ range: Range<Int>) -> FeatureMap {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= channels, "channels \(range) of a map that has \(channels)")
        return FeatureMap(
            buffer: buffer, offset: offset + range.lowerBound, samples: samples, extent: extent,
            channels: range.count, stride: stride)
    }

    /// Some planes of a map of one sample, in the same memory.
    public func planes(_ range: Range<Int>) -> FeatureMap {
        precondition(
            samples == 1 && range.lowerBound >= 0 && range.upperBound <= extent.z,
            "planes \(range) of \(samples) x \(extent)")
        return FeatureMap(
            buffer: buffer, offset: offset + range.lowerBound * extent.y * extent.x * stride, samples: 1,
            extent: ZYX(range.count, extent.y, extent.x), channels: channels, stride: stride)
    }

    /// One of the samples, in the same memory.
    public func sample(_ index: Int) -> FeatureMap {
        precondition(0..<samples ~= index, "sample \(index) of \(samples)")
        return FeatureMap(
            buffer: buffer, offset: offset + index * extent.product * stride, samples: 1, extent: extent,
            channels: channels, stride: stride)
    }
}
