// 3x3x3 convolutions, stride 1, padding 1: Winograd for all but the first layer, which has one input channel.

import Basics
import CKernels

extension Engine {
    /// The algorithm for maps of this extent, by its outputs per tile; with the output channels, that of the weights'
    /// gradient.
    public static func algorithm(_ extent: ZYX<Int>, weightsGradient outputs: Int? = nil) -> String {
        let tiles = Tiles(extent, shallow: outputs.map(Tiles.isNarrow) ?? false)
        return "F(\(tiles.depth),\(tiles.side),\(tiles.side))"
    }

    /// The multiplications of that algorithm as a fraction of those of direct convolution, of tiles that are whole.
    public static func multiplications(_ extent: ZYX<Int>, weightsGradient outputs: Int? = nil) -> Double {
        let tiles = Tiles(extent, shallow: outputs.map(Tiles.isNarrow) ?? false)
        return Double(tiles.components) / Double(27 * tiles.depth * tiles.side * tiles.side)
    }

    /// A 3x3x3 convolution of `x` [N, D, H, W, C_in].
    ///
    /// - Parameters:
    ///   - x: Its channels are a multiple of 8, at least C_in: those beyond count for nothing.
    ///   - activation: The normalisation and ReLU that `x` goes through first; nil: none.
    ///   - weights: [C_out, C_in, 3, 3, 3].
    ///   - bias: [C_out], if there is one.
    ///   - inputs: C_in of the weights.
    ///   - outputs: C_out; where it is no multiple of 8, as many channels as fill it up are computed beside the result.
    public func convolution(
        _ x: FeatureMap, through activation: InputActivation? = nil, weights: UnsafeBufferPointer<Float>,
        bias: UnsafeBufferPointer<Float>?, inputs: Int, outputs: Int
    ) -> FeatureMap {
        guard outputs % 8 == 0 else {
            requireCount(weights.count, 27 * inputs * outputs, "weights")
            let (filters, offsets) = (filledUp(weights, outputs), bias.map { filledUp($0, outputs) })
            let wide = convolution(
                x, through: activation, weights: filters.read, bias: offsets?.read, inputs: inputs,
                outputs: filledUp(outputs))
            return wide.channels(0..<outputs)
        }
        let y = map(like: x, channels: outputs)
        convolution(x, through: activation, weights: weights, bias: bias, inputs: inputs, into: y)
        return y
    }

    /// A 3x3x3 convolution into `y` [N, D', H, W, C_out]: D' planes of the result, the first at the input's plane
    /// `first`.
    ///
    /// - Parameter depth: Planes of the whole map of which `x` holds some. With it, and a plane whose number in the
    ///   whole is a multiple of 4 as the first, the result is that of the whole to the bit.
    public func convolution(
        _ x: FeatureMap, through activation: InputActivation? = nil, first: Int = 0, of depth: Int? = nil,
        weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, inputs: Int, into y: FeatureMap
    ) {
        requireInputs(inputs, of: x)
        requireCount(weights.count, 27 * inputs * y.channels, "weights")
        if let bias { requireCount(bias.count, y.channels, "biases") }
        winograd(
            x, activation, first, depth ?? x.extent.z, weights.start, bias?.start, inputs: inputs, rowStride: 27,
            columnStride: 27 * inputs, flip: false, into: y)
    }

    /// The gradient of a convolution's input, [N, D, H, W, C_in], from that of its output.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the output, [N, D, H, W, C_out].
    ///   - weights: [C_out, C_in, 3, 3, 3].
    ///   - inputs: C_in of the weights.
    ///   - channels: How many of the C_in input channels are wanted, a multiple of 8: the first ones.
    public func convolutionDataGradient(
        _ gradient: FeatureMap, weights: UnsafeBufferPointer<Float>, inputs: Int, channels: Int
    ) -> FeatureMap {
        precondition(channels <= inputs, "the gradient of \(channels) channels out of \(inputs)")
        requireCount(weights.count, 27 * inputs * gradient.channels, "weights")
        guard gradient.channels % 8 == 0 else {
            let filters = filledUp(weights, gradient.channels)
            return convolutionDataGradient(
                filledUp(gradient), weights: filters.read, inputs: inputs, channels: channels)
        }
        let x = map(like: gradient, channels: channels)
        winograd(
            gradient, nil, 0, gradient.extent.z, weights.start, nil, inputs: gradient.channels, rowStride: 27 * inputs,
            columnStride: 27, flip: true, into: x)
        return x
    }

    private func winograd(
        _ x: FeatureMap, _ activation: InputActivation?, _ first: Int, _ depth: Int, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>?, inputs: Int, rowStride: Int, columnStride: Int, flip: Bool, into y: FeatureMap
    ) {
        x.requireVectors("the input")
        y.requireVectors("the output")
        precondition(
            x.samples == y.samples && x.extent.y == y.extent.y && x.extent.x == y.extent.x,
            "an output of \(y.samples) x \(y.extent) voxels from \(x.samples) x \(x.extent)")
        precondition(
            first >= 0 && first + y.extent.z <= x.extent.z && x.extent.z <= depth,
            "\(y.extent.z) planes from plane \(first) of \(x.extent.z), which are some of \(depth)")
        let tiles = Tiles(ZYX(depth, x.extent.y, x.extent.x))
        let stride = ck_component_stride(x.channels * y.channels)
        let transformed = transformed.floats(tiles.components * stride)
        var w = ck_weights()
        w.source = weights
        w.transformed = transformed
        w.input_channels = x.channels
        w.source_channels = inputs
        w.output_channels = y.channels
        w.row_stride = rowStride
        w.column_stride = columnStride
        w.flip = flip ? 1 : 0
        w.tile_depth = tiles.depth
        w.tile = tiles.side
        w.component_stride = stride
        parallel((x.channels + 7) / 8, scratch: kernels.winograd_filters_scratch()) { item, scratch in
            kernels.winograd_transform_weights(&w, 8 * item, scratch)
        }

        var c = ck_convolution()
        c.input = x.c
        c.output = y.c
        c.input_first = first
        c.weights = UnsafePointer(transformed)
        c.bias = bias
        c.tiling = tiles.tiling(y)
        c.block = tiles.block(
            inputs: x.channels, outputs: y.channels, of: ck_tile_count(&c.tiling), threads: pool.threads, cache: cache)
        c.component_stride = stride
        c.streams_weights = tiles.streamsWeights(inputs: x.channels, outputs: y.channels, cache: cache) ? 1 : 0
        let items = (ck_tile_count(&c.tiling) + c.block - 1) / c.block
        withActivation(activation, of: x) {
            c.activation = $0
            parallel(items, scratch: kernels.winograd_scratch(&c)) { item, scratch in
                kernels.winograd(&c, item, scratch)
            }
        }
    }
}
