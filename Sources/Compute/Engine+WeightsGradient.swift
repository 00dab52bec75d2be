// The gradient of 3x3x3 convolutions' weights, and of biases.

import Basics
import CKernels

extension Engine {
    /// The gradient of a convolution's weights, written in PyTorch's layout [C_out, C_in, 3, 3, 3].
    ///
    /// - Parameters:
    ///   - x: The convolution's input, [N, D, H, W, C_in] or more channels, a multiple of 8.
    ///   - activation: The normalisation and ReLU that `x` goes through first; nil: none.
    ///   - gradient: The gradient of the convolution's output, [N, D, H, W, C_out].
    ///   - inputs: C_in of the weights.
    public func convolutionWeightsGradient(
        _ x: FeatureMap, through activation: InputActivation? = nil, _ gradient: FeatureMap, inputs: Int,
        into destination: UnsafeMutableBufferPointer<Float>
    ) {
        let outputs = gradient.channels
        if let activation, !Tiles.isNarrow(outputs) {
            // Every component along z reads its input anew, and would normalise it anew.
            let activated = map(like: x)
            normalize(x, activation, into: activated)
            return convolutionWeightsGradient(activated, gradient, inputs: inputs, into: destination)
        }
        guard outputs % 8 == 0 else {
            requireCount(destination.count, 27 * inputs * outputs, "weights' gradients")
            let wide = workspace.take(27 * inputs * filledUp(outputs))
            convolutionWeightsGradient(
                x, through: activation, filledUp(gradient), inputs: inputs, into: wide.write)
            destination.start.update(from: wide.pointer, count: destination.count)
            return
        }
        x.requireVectors("the input")
        gradient.requireVoxels(of: x, "the gradient")
        requireInputs(inputs, of: x)
        requireCount(destination.count, 27 * inputs * outputs, "weights' gradients")
        let tiles = Tiles(x.extent, shallow: Tiles.isNarrow(outputs))
        var g = ck_weights_gradient()
        g.input = x.c
        g.output_gradient = gradient.c
        g.tiling = tiles.tiling(x)
        g.block = 24  // part of the sum's order: never by the machine
        g.component_stride = ck_component_stride(x.channels * outputs)
        let sum = withActivation(activation, of: x) {
            g.activation = $0
            return Tiles.isNarrow(outputs) ? sumOfTileRanges(g, tiles) : sumByComponents(g, tiles)
        }

        var w = ck_weights()
        w.transformed = sum
        w.gradient = destination.start
        w.input_channels = x.channels
        w.source_channels = inputs
        w.output_channels = outputs
        w.row_stride = 27
        w.column_stride = 27 * inputs
        w.tile_depth = tiles.depth
        w.tile = tiles.side
        w.component_stride = g.component_stride
        parallel((inputs + 7) / 8, scratch: kernels.winograd_filters_scratch()) { item, scratch in
            kernels.winograd_restore_weights(&w, 8 * item, scratch)
        }
    }

    /// Sums the gradient of many channels. Each item owns its part of the result, so its size changes no sum: one
    /// component along z, for as many groups of input channels as keep the threads busy.
    private func sumByComponents(_ g: ck_weights_gradient, _ tiles: Tiles) -> UnsafeMutablePointer<Float> {
        let sum = transformed.floats(tiles.components * g.component_stride)
        let groups = weightGroups(g.input.channels)
        let items = groups.flatMap { group in (0..<tiles.depth + 2).map { (channels: group, z: $0) } }
        var widest = g
        widest.channels = groups.map(\.count).max().unsafelyUnwrapped
        parallel(items.count, scratch: kernels.winograd_weights_gradient_scratch(&widest)) { item, scratch in
            var own = g
            own.weights_gradient = sum
            own.first_channel = items[item].channels.lowerBound
            own.channels = items[item].channels.count
            own.z_component = items[item].z
            kernels.winograd_weights_gradient(&own, scratch)
        }
        return sum
    }

    /// Ranges of input channels, each a multiple of 8 and at least 16 wide where there are 16, about as many as the
    /// threads need.
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

    /// Sums the gradient of few channels. Each item sums a range of tiles by itself. The number of items is part of the
    /// sum's order, so it depends on the map's size alone.
    private func sumOfTileRanges(_ g: ck_weights_gradient, _ tiles: Tiles) -> UnsafeMutablePointer<Float> {
        var g = g
        let count = ck_tile_count(&g.tiling)
        let items = min(16, (count + 4 * g.block - 1) / (4 * g.block))
        let size = tiles.components * g.component_stride
        let partial = transformed.floats(items * size)
        parallel(items, scratch: kernels.winograd_narrow_weights_scratch(&g)) { item, scratch in
            var own = g
            own.weights_gradient = partial + item * size
            own.first_tile = count * item / items
            own.end_tile = count * (item + 1) / items
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
    public func biasGradient(_ gradient: FeatureMap, into destination: UnsafeMutableBufferPointer<Float>) {
        let channels = gradient.channels
        let width = gradient.stride
        requireCount(destination.count, channels, "biases' gradients")
        let sums = sumOverVoxels(0..<gradient.voxels, width: channels) { first, count, sums in
            for voxel in first..<first + count {
                for channel in 0..<channels { sums[channel] += Double(gradient.pointer[voxel * width + channel]) }
            }
        }
        for channel in 0..<channels { destination[channel] = Float(sums[channel]) }
    }
}
