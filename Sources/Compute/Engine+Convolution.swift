// 3x3x3 convolutions, stride 1, padding 1: Winograd for all but the first layer, which has one input channel.

import CKernels

/// How a map is cut into tiles.
private struct Tiles {
    /// Outputs along z, and along y and x.
    let depth: Int
    let side: Int

    /// Tiles of 4 x 4 x 4; of 2 in the plane where a map is so small that tiles of 4 would hang over its edges, and of 2
    /// along z where it is so shallow that there would be too few to share out, or where that is said to be better.
    init(_ extent: ZYX<Int>, shallow: Bool = false) {
        side = min(extent.y, extent.x) <= 6 ? 2 : 4
        depth = side == 4 && extent.z >= 16 && !shallow ? 4 : 2
    }

    /// Whether the gradient of the weights has tiles of 2 along z: with 4, each of six components would read four planes
    /// of six, which costs more than few channels' products save.
    static func isShallow(_ outputs: Int) -> Bool { outputs < 64 }

    /// Components of a plane, and of the whole.
    var planeComponents: Int { (side + 2) * (side + 2) }
    var components: Int { (depth + 2) * planeComponents }

    func count(_ map: FeatureMap) -> Int {
        let e = map.extent
        return map.samples * ((e.z + depth - 1) / depth) * ((e.y + side - 1) / side) * ((e.x + side - 1) / side)
    }

    /// Tiles per block: as many as keep a block within the second-level cache. A component of a block holds the planes
    /// that its tiles see, of which neighbours share two, or the planes of results in their place.
    func block(inputs: Int, outputs: Int) -> Int {
        let fitting = 640 << 10 / (planeComponents * max(7 * depth * inputs / 6, depth * outputs) * 4)
        return min(48, max(12, fitting / 12 * 12))
    }
}

extension Engine {
    /// Filters of eight input channels for one vector of output channels, one of them after G along z, and a plane of it.
    private static let filterScratch = 8 * 27 * 16 + 6 * 9 * 16 + 18 * 16

    /// The algorithm for maps of this extent, by its outputs per tile; with the output channels, that of the weights'
    /// gradient.
    public static func algorithm(_ extent: ZYX<Int>, weightsGradient outputs: Int? = nil) -> String {
        let tiles = Tiles(extent, shallow: outputs.map(Tiles.isShallow) ?? false)
        return "F(\(tiles.depth),\(tiles.side),\(tiles.side))"
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
    ///
    /// - Parameter depth: Planes of the whole map of which `x` holds some. With it, and a plane whose number in the whole
    ///   is a multiple of 4 as the first, the result is that of the whole to the bit.
    public func convolution(
        _ x: FeatureMap, first: Int = 0, of depth: Int? = nil, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>, inputs: Int,
        into y: FeatureMap
    ) {
        winograd(
            x, first, depth ?? x.extent.z, weights, bias, inputs: inputs, rowStride: 27, columnStride: 27 * inputs,
            flip: false, into: y)
    }

    /// The gradient of a convolution's input, [N, D, H, W, C_in], from that of its output.
    ///
    /// - Parameter channels: How many of the C_in input channels are wanted: the first ones.
    public func convolutionDataGradient(
        _ gradient: FeatureMap, weights: UnsafePointer<Float>, inputs: Int, channels: Int
    ) -> FeatureMap {
        let x = map(like: gradient, channels: channels)
        winograd(
            gradient, 0, gradient.extent.z, weights, nil, inputs: gradient.channels, rowStride: 27 * inputs,
            columnStride: 27, flip: true,
            into: x)
        return x
    }

    private func winograd(
        _ x: FeatureMap, _ first: Int, _ depth: Int, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        inputs: Int, rowStride: Int, columnStride: Int, flip: Bool, into y: FeatureMap
    ) {
        let tiles = Tiles(ZYX(depth, x.extent.y, x.extent.x))
        let stride = componentStride(x.channels * y.channels)
        let transformed = transformed.floats(tiles.components * stride)
        var w = ck_weights()
        w.source = weights
        w.transformed = transformed
        w.input_channels = Int64(x.channels)
        w.output_channels = Int64(y.channels)
        w.row_stride = Int64(rowStride)
        w.column_stride = Int64(columnStride)
        w.flip = flip ? 1 : 0
        w.tile_depth = Int64(tiles.depth)
        w.tile = Int64(tiles.side)
        w.component_stride = Int64(stride)
        w.source_channels = Int64(inputs)
        parallel((x.channels + 7) / 8, scratch: Self.filterScratch) { item, scratch in
            kernels.winograd_transform_weights(&w, Int64(8 * item), scratch)
        }

        let block = tiles.block(inputs: x.channels, outputs: y.channels)
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
        c.tile_depth = Int64(tiles.depth)
        c.tile = Int64(tiles.side)
        c.block = Int64(block)
        c.component_stride = Int64(stride)
        let items = (tiles.count(y) + block - 1) / block
        // At worst no tile shares a plane with another.
        let planes = tiles.depth + 2
        let component = componentStride(block * max(planes * x.channels, tiles.depth * y.channels))
        let floats =
            16 + 36 * 16 + block + 16 + planes * block * (x.channels + y.channels)
            + (tiles.planeComponents + 1) * component
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
        let outputs = gradient.channels
        let tiles = Tiles(x.extent, shallow: Tiles.isShallow(outputs))
        let stride = componentStride(x.channels * outputs)
        let transformed = transformed.floats(tiles.components * stride)
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
        g.tile_depth = Int64(tiles.depth)
        g.tile = Int64(tiles.side)
        g.block = Int64(block)
        g.component_stride = Int64(stride)
        // Each item owns its part of the result, so its size changes no sum: one component along z, and as many groups of
        // input channels as keep the threads busy.
        let groups = weightGroups(x.channels)
        let parts = groups.flatMap { group in (0..<tiles.depth + 2).map { (group, $0) } }
        let widest = groups.map(\.count).max().unsafelyUnwrapped
        let floats =
            16 + 36 * 16
            + tiles.planeComponents * (componentStride(block * widest) + componentStride(block * outputs))
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
        w.tile_depth = Int64(tiles.depth)
        w.tile = Int64(tiles.side)
        w.component_stride = Int64(stride)
        w.source_channels = Int64(inputs)
        parallel((inputs + 7) / 8, scratch: Self.filterScratch) { item, scratch in
            kernels.winograd_restore_weights(&w, Int64(8 * item), scratch)
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
