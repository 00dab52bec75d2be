// 3x3x3 convolutions, stride 1, padding 1: Winograd for all but the first layer, which has one input channel.

import Basics
import CKernels

/// How a map is cut into tiles.
struct Tiles {
    /// Outputs along z, and along y and x.
    let depth: Int
    let side: Int

    /// Tiles of 4 x 4 x 4; of 2 in the plane where a map is so small that tiles of 4 would hang over its edges, and of 2
    /// along z where it is so shallow that there would be too few to share out, or where that is said to be better.
    init(_ extent: ZYX<Int>, shallow: Bool = false) {
        side = min(extent.y, extent.x) <= 6 ? 2 : 4
        depth = side == 4 && extent.z >= 16 && !shallow ? 4 : 2
    }

    /// Whether the gradient of the weights is that of few channels, where every item has a sum of its own; with tiles of 2
    /// along z it fits the second-level cache.
    static func isNarrow(_ outputs: Int) -> Bool { outputs < 64 }

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
    static let filterScratch = 8 * 27 * 16 + 6 * 9 * 16 + 18 * 16

    /// The algorithm for maps of this extent, by its outputs per tile; with the output channels, that of the weights'
    /// gradient.
    public static func algorithm(_ extent: ZYX<Int>, weightsGradient outputs: Int? = nil) -> String {
        let tiles = Tiles(extent, shallow: outputs.map(Tiles.isNarrow) ?? false)
        return "F(\(tiles.depth),\(tiles.side),\(tiles.side))"
    }

    func componentStride(_ floats: Int) -> Int { Int(ck_component_stride(Int64(floats))) }

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
}
