// 3x3x3 convolutions, stride 1, padding 1: Winograd for all but the first layer, which has one input channel.

import CKernels

extension Engine {
    /// Outputs per tile in the plane: 4, and 2 where a map is so small that tiles of 4 would hang over its edges.
    private func tile(_ extent: ZYX<Int>) -> Int { min(extent.y, extent.x) <= 6 ? 2 : 4 }

    /// Tiles per block: as many as keep a block within the second-level cache. A component of a block holds the planes
    /// that its tiles see, of which neighbours share half, or two planes of results in their place.
    private func block(tile: Int, inputs: Int, outputs: Int) -> Int {
        let components = (tile + 2) * (tile + 2)
        let fitting = 640 << 10 / (components * max(7 * inputs / 3, 2 * outputs) * 4)
        return min(48, max(12, fitting / 12 * 12))
    }

    private func tileCount(_ map: FeatureMap, _ tile: Int) -> Int {
        let e = map.extent
        return map.samples * ((e.z + 1) / 2) * ((e.y + tile - 1) / tile) * ((e.x + tile - 1) / tile)
    }

    private func componentStride(_ floats: Int) -> Int { Int(ck_component_stride(Int64(floats))) }

    /// A 3x3x3 convolution of `x` [N, D, H, W, C_in].
    ///
    /// - Parameters:
    ///   - weights: [C_out, C_in, 3, 3, 3]. `x` may have more channels than C_in: those beyond count for nothing.
    ///   - bias: [C_out].
    ///   - inputs: C_in of the weights.
    ///   - outputs: C_out, a multiple of 64, with 24 or 32 more or instead.
    public func convolution(
        _ x: FeatureMap, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, inputs: Int, outputs: Int
    ) -> FeatureMap {
        let y = map(like: x, channels: outputs)
        convolution(x, weights: weights, bias: bias, inputs: inputs, into: y)
        return y
    }

    /// The same into `y` [N, D', H, W, C_out]: D' planes of the result, the first at the input's plane `first`.
    public func convolution(
        _ x: FeatureMap, first: Int = 0, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, inputs: Int,
        into y: FeatureMap
    ) {
        winograd(
            x, first, weights, bias, inputs: inputs, rowStride: 27, columnStride: 27 * inputs, flip: false, into: y)
    }

    /// The gradient of a convolution's input, [N, D, H, W, C_in], from that of its output.
    ///
    /// - Parameter channels: How many of the C_in input channels are wanted: the first ones.
    public func convolutionDataGradient(
        _ gradient: FeatureMap, weights: UnsafePointer<Float>, inputs: Int, channels: Int
    ) -> FeatureMap {
        let x = map(like: gradient, channels: channels)
        winograd(
            gradient, 0, weights, nil, inputs: gradient.channels, rowStride: 27 * inputs, columnStride: 27, flip: true,
            into: x)
        return x
    }

    private func winograd(
        _ x: FeatureMap, _ first: Int, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?, inputs: Int,
        rowStride: Int, columnStride: Int, flip: Bool, into y: FeatureMap
    ) {
        let tile = tile(x.extent)
        let components = (tile + 2) * (tile + 2)
        let stride = componentStride(x.channels * y.channels)
        let transformed = transformed.floats(4 * components * stride)
        var w = ck_weights()
        w.source = weights
        w.transformed = transformed
        w.input_channels = Int64(x.channels)
        w.output_channels = Int64(y.channels)
        w.row_stride = Int64(rowStride)
        w.column_stride = Int64(columnStride)
        w.flip = flip ? 1 : 0
        w.tile = Int64(tile)
        w.component_stride = Int64(stride)
        w.source_channels = Int64(inputs)
        parallel(x.channels, scratch: 27 * y.channels + 18 * 16) { channel, scratch in
            kernels.winograd_transform_weights(&w, Int64(channel), scratch)
        }

        let block = block(tile: tile, inputs: x.channels, outputs: y.channels)
        var c = ck_convolution()
        c.input = UnsafePointer(x.pointer)
        c.output = y.pointer
        c.weights = UnsafePointer(transformed)
        c.bias = bias
        c.samples = Int64(x.samples)
        c.depth = Int64(y.extent.z)
        c.height = Int64(x.extent.y)
        c.width = Int64(x.extent.x)
        c.input_depth = Int64(x.extent.z)
        c.input_first = Int64(first)
        c.input_channels = Int64(x.channels)
        c.output_channels = Int64(y.channels)
        c.input_stride = Int64(x.stride)
        c.output_stride = Int64(y.stride)
        c.tile = Int64(tile)
        c.block = Int64(block)
        c.component_stride = Int64(stride)
        let items = (tileCount(y, tile) + block - 1) / block
        // At worst no tile shares a plane with another: then four planes each.
        let component = componentStride(block * max(4 * x.channels, 2 * y.channels))
        let floats = 16 + 36 * 16 + block + 16 + block * x.channels + (components + 1) * component
        parallel(items, scratch: floats) { item, scratch in kernels.winograd(&c, Int64(item), scratch) }
    }

    /// The gradient of a convolution's weights, written in PyTorch's layout [C_out, C_in, 3, 3, 3].
    ///
    /// - Parameters:
    ///   - x: The convolution's input, [N, D, H, W, C_in] or more channels.
    ///   - gradient: Of the convolution's output, [N, D, H, W, C_out].
    public func convolutionWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, inputs: Int, into destination: UnsafeMutablePointer<Float>
    ) {
        let tile = tile(x.extent)
        let components = (tile + 2) * (tile + 2)
        let outputs = gradient.channels
        let stride = componentStride(x.channels * outputs)
        let transformed = transformed.floats(4 * components * stride)
        let block = 24  // part of the sum's order: never by the machine
        var g = ck_weights_gradient()
        g.input = UnsafePointer(x.pointer)
        g.output_gradient = UnsafePointer(gradient.pointer)
        g.weights_gradient = transformed
        g.samples = Int64(x.samples)
        g.depth = Int64(x.extent.z)
        g.height = Int64(x.extent.y)
        g.width = Int64(x.extent.x)
        g.output_channels = Int64(outputs)
        g.input_channels = Int64(x.channels)
        g.input_stride = Int64(x.stride)
        g.output_stride = Int64(gradient.stride)
        g.tile = Int64(tile)
        g.block = Int64(block)
        g.component_stride = Int64(stride)
        // Each item owns its part of the result, so its size changes no sum: four z components, and as many groups of
        // input channels as keep the threads busy.
        let groups = weightGroups(x.channels)
        let parts = groups.flatMap { group in (0..<4).map { (group, $0) } }
        let widest = groups.map(\.count).max().unsafelyUnwrapped
        let floats =
            16 + 36 * 16 + components * (componentStride(block * widest) + componentStride(block * outputs))
        parallel(parts.count, scratch: floats) { item, scratch in
            var part = g
            part.first_channel = Int64(parts[item].0.lowerBound)
            part.channels = Int64(parts[item].0.count)
            part.z_component = Int64(parts[item].1)
            kernels.winograd_weights_gradient(&part, scratch)
        }

        var w = ck_weights()
        w.transformed = transformed
        w.gradient = destination
        w.input_channels = Int64(x.channels)
        w.output_channels = Int64(outputs)
        w.row_stride = 27
        w.column_stride = Int64(27 * inputs)
        w.tile = Int64(tile)
        w.component_stride = Int64(stride)
        parallel(inputs, scratch: 27 * outputs + 18 * 16) { channel, scratch in
            kernels.winograd_restore_weights(&w, Int64(channel), scratch)
        }
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
