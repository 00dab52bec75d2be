// 1x1x1 convolutions are matrix products over voxels, and a transposed convolution of size and stride 2 is eight of
// them.

import Basics
import CKernels

extension Engine {
    /// Voxels of one item of sums over voxels, and those that are summed before they are added to the item's others.
    private static let summedRows = 512
    private static let summedAtOnce = 128

    /// A 1x1x1 convolution.
    ///
    /// - Parameters:
    ///   - x: [N, D, H, W, C_in].
    ///   - weights: [C_out, C_in]; `bias` [C_out], if there is one.
    public func pointwise(
        _ x: FeatureMap, weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, inputs: Int,
        outputs: Int
    ) -> FeatureMap {
        requireInputs(inputs, of: x)
        requireCount(weights.count, inputs * outputs, "weights")
        if let bias { requireCount(bias.count, outputs, "biases") }
        let y = map(like: x, channels: outputs)
        let panels = packed(
            Operand(pointer: weights.start, rowStride: 1, columnStride: inputs), depth: inputs, columns: outputs)
        overRows(x.voxels) { first, count, scratch in
            multiply(
                Operand(pointer: x.pointer + first * x.stride, rowStride: x.stride), panels.pointer, bias: bias?.start,
                rows: count, depth: inputs, columns: outputs, into: y.pointer + first * y.stride, rowStride: y.stride,
                scratch: scratch)
        }
        return y
    }

    /// The gradient of a 1x1x1 convolution's input, for its first `channels` channels.
    public func pointwiseDataGradient(
        _ gradient: FeatureMap, weights: UnsafeBufferPointer<Float>, inputs: Int, channels: Int
    ) -> FeatureMap {
        precondition(channels <= inputs, "the gradient of \(channels) channels out of \(inputs)")
        requireCount(weights.count, inputs * gradient.channels, "weights")
        let x = map(like: gradient, channels: channels)
        let panels = packed(
            Operand(pointer: weights.start, rowStride: inputs), depth: gradient.channels, columns: channels)
        overRows(x.voxels) { first, count, scratch in
            multiply(
                Operand(pointer: gradient.pointer + first * gradient.stride, rowStride: gradient.stride),
                panels.pointer, rows: count, depth: gradient.channels, columns: channels,
                into: x.pointer + first * x.stride, rowStride: x.stride, scratch: scratch)
        }
        return x
    }

    /// The gradient of a 1x1x1 convolution's weights, [C_out, C_in].
    public func pointwiseWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, inputs: Int, into destination: UnsafeMutableBufferPointer<Float>
    ) {
        requireInputs(inputs, of: x)
        gradient.requireVoxels(of: x, "the gradient")
        requireCount(destination.count, inputs * gradient.channels, "weights' gradients")
        sumOfProducts(
            Operand(pointer: gradient.pointer, rowStride: gradient.stride), gradient.channels,
            Operand(pointer: x.pointer, rowStride: x.stride), inputs, voxels: x.voxels, into: destination.start)
    }

    /// Σ over voxels of aᵀ b, [columnsA, columnsB]: products of fixed chunks, added in their order in Double.
    private func sumOfProducts(
        _ a: Operand, _ columnsA: Int, _ b: Operand, _ columnsB: Int, voxels: Int,
        into destination: UnsafeMutablePointer<Float>
    ) {
        let size = columnsA * columnsB
        let chunks = (voxels + Self.summedRows - 1) / Self.summedRows
        let partial = workspace.take(chunks * size)
        let panels = kernels.panels_size(Self.summedAtOnce, columnsB)
        parallel(chunks, scratch: panels + kernels.product_scratch()) { item, scratch in
            let end = min(voxels, (item + 1) * Self.summedRows)
            for first in stride(from: item * Self.summedRows, to: end, by: Self.summedAtOnce) {
                let count = min(Self.summedAtOnce, end - first)
                var rows = b
                rows.pointer += first * b.rowStride
                pack(rows, depth: count, columns: columnsB, into: scratch)
                multiply(
                    Operand(pointer: a.pointer + first * a.rowStride, rowStride: 1, columnStride: a.rowStride), scratch,
                    rows: columnsA, depth: count, columns: columnsB, into: partial.pointer + item * size,
                    rowStride: columnsB, adds: first > item * Self.summedRows, scratch: scratch + panels)
            }
        }
        let part = 1024
        pool.run((size + part - 1) / part) { item, _ in
            for index in item * part..<min(size, (item + 1) * part) {
                var sum = 0.0
                for chunk in 0..<chunks { sum += Double(partial.pointer[chunk * size + index]) }
                destination[index] = Float(sum)
            }
        }
    }

    /// A transposed convolution of size 2 and stride 2: every voxel becomes 2x2x2.
    ///
    /// - Parameters:
    ///   - x: [N, D, H, W, C_in].
    ///   - weights: PyTorch's layout [C_in, C_out, 2, 2, 2]; `bias` [C_out], if there is one.
    /// - Returns: [N, 2D, 2H, 2W, C_out].
    public func transposedConvolution(
        _ x: FeatureMap, weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, outputs: Int
    ) -> FeatureMap {
        requireCount(weights.count, 8 * x.channels * outputs, "weights")
        if let bias { requireCount(bias.count, outputs, "biases") }
        let y = map(samples: x.samples, extent: x.extent * 2, channels: outputs)
        let inputs = x.channels
        let size = kernels.panels_size(inputs, outputs)
        let panels = workspace.take(8 * size)
        pool.run(8) { tap, _ in
            pack(
                Operand(pointer: weights.start + tap, rowStride: 8 * outputs, columnStride: 8), depth: inputs,
                columns: outputs, into: panels.pointer + tap * size)
        }
        let width = x.extent.x
        parallel(x.voxels / width, scratch: kernels.product_scratch()) { row, scratch in
            for tap in 0..<8 {
                multiply(
                    Operand(pointer: x.pointer + row * width * x.stride, rowStride: x.stride),
                    panels.pointer + tap * size, bias: bias?.start, rows: width, depth: inputs, columns: outputs,
                    into: y.pointer + firstChild(row, tap, of: x) * y.stride, rowStride: 2 * y.stride,
                    scratch: scratch)
            }
        }
        return y
    }

    /// The gradients of a transposed convolution's input (returned) and weights.
    public func transposedConvolutionGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, weights: UnsafeBufferPointer<Float>,
        into destination: UnsafeMutableBufferPointer<Float>
    ) -> FeatureMap {
        let outputs = gradient.channels
        let inputs = x.channels
        precondition(
            gradient.samples == x.samples && gradient.extent == x.extent * 2,
            "a gradient of \(gradient.samples) x \(gradient.extent) voxels for twice \(x.samples) x \(x.extent)")
        requireCount(weights.count, 8 * inputs * outputs, "weights")
        requireCount(destination.count, weights.count, "weights' gradients")
        let width = 8 * outputs
        let gathered = workspace.take(x.voxels * width)
        pool.run(x.voxels / x.extent.x) { row, _ in
            for tap in 0..<8 {
                var child = gradient.pointer + firstChild(row, tap, of: x) * gradient.stride
                var target = gathered.pointer + row * x.extent.x * width + tap * outputs
                for _ in 0..<x.extent.x {
                    target.update(from: child, count: outputs)
                    child += 2 * gradient.stride
                    target += width
                }
            }
        }
        let taps = tapMajor(weights, inputs, outputs, taps: 8)
        let panels = packed(
            Operand(pointer: taps.pointer, rowStride: 1, columnStride: width), depth: width, columns: inputs)
        let result = map(like: x, channels: inputs)
        overRows(x.voxels) { first, count, scratch in
            multiply(
                Operand(pointer: gathered.pointer + first * width, rowStride: width), panels.pointer, rows: count,
                depth: width, columns: inputs, into: result.pointer + first * inputs, rowStride: inputs,
                scratch: scratch)
        }
        let sum = workspace.take(inputs * width)
        sumOfProducts(
            Operand(pointer: x.pointer, rowStride: x.stride), inputs,
            Operand(pointer: gathered.pointer, rowStride: width), width, voxels: x.voxels, into: sum.pointer)
        for input in 0..<inputs {
            for output in 0..<outputs {
                for tap in 0..<8 {
                    destination[(input * outputs + output) * 8 + tap] =
                        sum.pointer[(input * 8 + tap) * outputs + output]
                }
            }
        }
        return result
    }

    /// The index, in the larger map, of child `tap` (0 to 7 in (z, y, x) order) of the first voxel in a row of `x`; the
    /// same child of each further voxel lies two voxels on.
    private func firstChild(_ row: Int, _ tap: Int, of x: FeatureMap) -> Int {
        let plane = row / x.extent.y  // counts planes of all samples
        let (dz, dy, dx) = (tap >> 2, tap >> 1 & 1, tap & 1)
        return ((2 * plane + dz) * 2 * x.extent.y + 2 * (row % x.extent.y) + dy) * 2 * x.extent.x + dx
    }
}
