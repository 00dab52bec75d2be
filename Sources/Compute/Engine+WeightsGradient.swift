// The gradient of 3x3x3 convolutions' weights, and of biases.

import Basics
import CKernels

extension Engine {
    /// The gradient of a convolution's weights, written in PyTorch's layout [C_out, C_in, 3, 3, 3].
    ///
    /// - Parameters:
    ///   - x: The convolution's input, [N, D, H, W, C_in] or more channels.
    ///   - gradient: Of the convolution's output, [N, D, H, W, C_out].
    public func convolutionWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, inputs: Int, into destination: UnsafeMutablePointer<Float>
    ) {
        let outputs = gradient.channels
        let tiles = Tiles(x.extent, shallow: Tiles.isNarrow(outputs))
        let stride = componentStride(x.channels * outputs)
        var g = ck_weights_gradient()
        g.input = UnsafePointer(x.pointer)
        g.output_gradient = UnsafePointer(gradient.pointer)
        g.samples = Int64(x.samples)
        g.depth = Int64(x.extent.z)
        g.height = Int64(x.extent.y)
        g.width = Int64(x.extent.x)
        g.output_channels = Int64(outputs)
        g.input_channels = Int64(x.channels)
        g.input_stride = Int64(x.stride)
        g.output_stride = Int64(gradient.stride)
        g.tile_depth = Int64(tiles.depth)
        g.tile = Int64(tiles.side)
        g.block = 24  // part of the sum's order: never by the machine
        g.component_stride = Int64(stride)
        let sum =
            Tiles.isNarrow(outputs)
            ? sumOfTileRanges(g, tiles, count: tiles.count(x)) : sumByComponents(g, tiles, x.channels)

        var w = ck_weights()
        w.transformed = sum
        w.gradient = destination
        w.input_channels = Int64(x.channels)
        w.output_channels = Int64(outputs)
        w.row_stride = 27
        w.column_stride = Int64(27 * inputs)
        w.tile_depth = Int64(tiles.depth)
        w.tile = Int64(tiles.side)
        w.component_stride = Int64(stride)
        w.source_channels = Int64(inputs)
        parallel((inputs + 7) / 8, scratch: Self.filterScratch) { item, scratch in
            kernels.winograd_restore_weights(&w, Int64(8 * item), scratch)
        }
    }

    /// For many channels: each item owns its part of the result, so its size changes no sum. It is one component along z,
    /// for as many groups of input channels as keep the threads busy.
    private func sumByComponents(
        _ g: ck_weights_gradient, _ tiles: Tiles, _ inputs: Int
    ) -> UnsafeMutablePointer<Float> {
        let sum = transformed.floats(tiles.components * Int(g.component_stride))
        let groups = weightGroups(inputs)
        let items = groups.flatMap { group in (0..<tiles.depth + 2).map { (channels: group, z: $0) } }
        let widest = groups.map(\.count).max().unsafelyUnwrapped
        let block = Int(g.block)
        let floats =
            16 + 36 * 16
            + tiles.planeComponents
            * (componentStride(block * widest) + componentStride(block * Int(g.output_channels)))
        parallel(items.count, scratch: floats) { item, scratch in
            var own = g
            own.weights_gradient = sum
            own.first_channel = Int64(items[item].channels.lowerBound)
            own.channels = Int64(items[item].channels.count)
            own.z_component = Int64(items[item].z)
            kernels.winograd_weights_gradient(&own, scratch)
        }
        return sum
    }

    /// Ranges of input channels, each a multiple of 8 and at least 16 wide, about as many as the threads need.
    private func weightGroups(_ channels: Int) -> [Range<Int>] {
        let wanted = max(1, min(pool.threads / 2, channels / 16))
        let size = max(16, (channels / wanted + 7) / 8 * 8)
        var groups: [Range<Int>] = []
        var first = 0
        while first < channels {
            let next = channels - first - size < 16 ? channels : first + size
            groups.append(first..<next)
            first = next
        }
        return groups
    }

    /// For few channels: each item sums a range of tiles by itself. How many there are is part of the sum's order: it
    /// depends on the map's size alone.
    private func sumOfTileRanges(
        _ g: ck_weights_gradient, _ tiles: Tiles, count: Int
    ) -> UnsafeMutablePointer<Float> {
        let block = Int(g.block)
        let items = min(16, (count + 4 * block - 1) / (4 * block))
        let size = tiles.components * Int(g.component_stride)
        let partial = transformed.floats(items * size)
        let (inputs, outputs) = (Int(g.input_channels), Int(g.output_channels))
        let floats =
            16 + 36 * 16 + block + 16 + (tiles.depth + 2) * block * (inputs + outputs)
            + tiles.planeComponents
            * (componentStride((tiles.depth + 2) * block * inputs) + componentStride(tiles.depth * block * outputs))
        parallel(items, scratch: floats) { item, scratch in
            var own = g
            own.weights_gradient = partial + item * size
            own.first_tile = Int64(count * item / items)
            own.end_tile = Int64(count * (item + 1) / items)
            kernels.winograd_narrow_weights(&own, scratch)
        }
        let part = 4096
        pool.run((size + part - 1) / part) { chunk, _ in
            for item in 1..<max(1, items) {
                for index in chunk * part..<min(size, (chunk + 1) * part) {
                    partial[index] += partial[item * size + index]
                }
            }
        }
        return partial
    }

    /// The gradient of a bias: the sum of a map's gradient per channel.
    public func biasGradient(_ gradient: FeatureMap, into destination: UnsafeMutablePointer<Float>) {
        let channels = gradient.channels
        let width = gradient.stride
        let sums = sumOverVoxels(gradient.voxels, width: channels) { first, count, sums in
            for voxel in first..<first + count {
                for channel in 0..<channels { sums[channel] += Double(gradient.pointer[voxel * width + channel]) }
            }
        }
        for channel in 0..<channels { destination[channel] = Float(sums[channel]) }
    }
}
