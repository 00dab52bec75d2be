// What happens to every value by itself: ReLU, sums, copies, factors.

import Basics
import CKernels

extension Engine {
    /// ReLU of `x` in place.
    public func rectify(_ x: FeatureMap) {
        let ones = [Float](repeating: 1, count: x.channels)
        ones.withUnsafeBufferPointer { affine(x, scale: $0.start, rectify: true, into: x) }
    }

    /// `y` = `x` times a factor per sample and channel, [N, C]; `y` may be `x`.
    public func scale(_ x: FeatureMap, by factors: [Float], into y: FeatureMap) {
        y.requireShape(of: x, "the scaled map")
        requireCount(factors.count, x.samples * x.channels, "factors")
        factors.withUnsafeBufferPointer { factors in
            for sample in 0..<x.samples {
                let factors = factors.start + sample * x.channels
                affine(x.sample(sample), scale: factors, rectify: false, into: y.sample(sample))
            }
        }
    }

    /// `y` = `x` times a factor per channel, rectified where wanted.
    private func affine(_ x: FeatureMap, scale: UnsafePointer<Float>, rectify: Bool, into y: FeatureMap) {
        x.requireVectors("a map to be scaled or rectified")
        let zeros = [Float](repeating: 0, count: x.channels)
        var a = ck_affine()
        a.x = x.c
        a.y = y.c
        a.scale = scale
        a.rectify = rectify ? 1 : 0
        zeros.withUnsafeBufferPointer { zeros in
            a.shift = zeros.baseAddress
            overVoxels(0..<x.voxels) { first, count in kernels.affine(&a, first, count) }
        }
    }

    /// Masks `gradient` in place where `output`, a ReLU's, is zero.
    public func rectifierGradient(_ gradient: FeatureMap, output: FeatureMap) {
        output.requireShape(of: gradient, "the ReLU's output")
        overVoxels(0..<gradient.voxels) { first, count in
            for voxel in first..<first + count {
                let g = gradient.pointer + voxel * gradient.stride
                let y = output.pointer + voxel * output.stride
                for channel in 0..<gradient.channels where !(y[channel] > 0) { g[channel] = 0 }
            }
        }
    }

    /// `a` += `b`, of a multiple of 8 channels.
    public func add(_ b: FeatureMap, to a: FeatureMap) {
        a.requireVectors("a sum")
        b.requireShape(of: a, "what is added")
        var (sum, added) = (a.c, b.c)
        overVoxels(0..<a.voxels) { first, count in kernels.add(&sum, &added, first, count) }
    }

    /// Copies `source` into `destination`, channel by channel.
    public func copy(_ source: FeatureMap, into destination: FeatureMap) {
        source.requireShape(of: destination, "what is copied")
        overVoxels(0..<source.voxels) { first, count in
            for voxel in first..<first + count {
                (destination.pointer + voxel * destination.stride)
                    .update(from: source.pointer + voxel * source.stride, count: source.channels)
            }
        }
    }

    /// A tensor [N, C, D, H, W] into the first C channels of a map; the map's other channels become zero.
    public func interleave(_ tensor: Tensor, into map: FeatureMap) {
        let e = map.extent
        precondition(
            tensor.shape.count == 5 && tensor.shape[1] <= map.channels
                && tensor.shape == [map.samples, tensor.shape[1], e.z, e.y, e.x],
            "a tensor \(tensor.shape) into \(map.samples) x \(e) voxels of \(map.channels) channels")
        let channels = tensor.shape[1]
        let voxels = map.extent.product
        tensor.values.withUnsafeBufferPointer { source in
            overVoxels(0..<map.voxels) { first, count in
                for voxel in first..<first + count {
                    let (sample, place) = voxel.quotientAndRemainder(dividingBy: voxels)
                    let target = map.pointer + voxel * map.stride
                    for channel in 0..<map.channels {
                        target[channel] =
                            channel < channels ? source[(sample * channels + channel) * voxels + place] : 0
                    }
                }
            }
        }
    }
}
