// 1x1x1 convolutions are matrix products over voxels, and a transposed convolution of size and stride 2 is one with eight
// results per voxel: OpenBLAS, single-threaded, inside our own fixed partition.

import Basics
import COpenBLAS

extension Engine {
    /// Voxels per product.
    private static let rows = 1024

    private func overRows(_ voxels: Int, _ body: (_ item: Int, _ first: Int, _ count: Int) -> Void) {
        openblas_set_num_threads(1)
        pool.run((voxels + Self.rows - 1) / Self.rows) { item, _ in
            body(item, item * Self.rows, min(Self.rows, voxels - item * Self.rows))
        }
    }

    /// A 1x1x1 convolution.
    ///
    /// - Parameters:
    ///   - x: [N, D, H, W, C_in].
    ///   - weights: [C_out, C_in]; `bias` [C_out].
    public func pointwise(
        _ x: FeatureMap, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, inputs: Int, outputs: Int
    ) -> FeatureMap {
        let y = map(like: x, channels: outputs)
        overRows(x.voxels) { _, first, count in
            let out = y.pointer + first * outputs
            for row in 0..<count { (out + row * outputs).update(from: bias, count: outputs) }
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(outputs), Int32(inputs), 1,
                x.pointer + first * x.stride, Int32(x.stride), weights, Int32(inputs), 1, out, Int32(outputs))
        }
        return y
    }

    /// The gradient of a 1x1x1 convolution's input, for its first `channels` channels.
    public func pointwiseDataGradient(
        _ gradient: FeatureMap, weights: UnsafePointer<Float>, inputs: Int, channels: Int
    ) -> FeatureMap {
        let x = map(like: gradient, channels: channels)
        overRows(x.voxels) { _, first, count in
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(count), Int32(channels), Int32(gradient.channels), 1,
                gradient.pointer + first * gradient.stride, Int32(gradient.stride), weights, Int32(inputs), 0,
                x.pointer + first * channels, Int32(channels))
        }
        return x
    }

    /// The gradient of a 1x1x1 convolution's weights, [C_out, C_in].
    public func pointwiseWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, inputs: Int, into destination: UnsafeMutablePointer<Float>
    ) {
        let outputs = gradient.channels
        sumOfProducts(
            gradient.pointer, gradient.stride, outputs, x.pointer, x.stride, inputs, voxels: x.voxels,
            into: destination)
    }

    /// Σ over voxels of aᵀ b, [columnsA, columnsB]: products of fixed chunks, added in their order in Double.
    private func sumOfProducts(
        _ a: UnsafeMutablePointer<Float>, _ aStride: Int, _ columnsA: Int, _ b: UnsafeMutablePointer<Float>,
        _ bStride: Int, _ columnsB: Int, voxels: Int, into destination: UnsafeMutablePointer<Float>
    ) {
        let size = columnsA * columnsB
        let chunks = (voxels + Self.rows - 1) / Self.rows
        let partial = workspace.take(chunks * size)
        overRows(voxels) { item, first, count in
            cblas_sgemm(
                CblasRowMajor, CblasTrans, CblasNoTrans, Int32(columnsA), Int32(columnsB), Int32(count), 1,
                a + first * aStride, Int32(aStride), b + first * bStride, Int32(bStride), 0,
                partial.pointer + item * size, Int32(columnsB))
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
    ///   - weights: PyTorch's layout [C_in, C_out, 2, 2, 2]; `bias` [C_out].
    /// - Returns: [N, 2D, 2H, 2W, C_out].
    public func transposedConvolution(
        _ x: FeatureMap, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, outputs: Int
    ) -> FeatureMap {
        let y = map(samples: x.samples, extent: x.extent * 2, channels: outputs)
        let taps = tapMajor(weights, inputs: x.channels, outputs: outputs)
        let products = workspace.take(x.voxels * 8 * outputs)
        overRows(x.voxels) { _, first, count in
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(count), Int32(8 * outputs), Int32(x.channels), 1,
                x.pointer + first * x.stride, Int32(x.stride), taps.pointer, Int32(8 * outputs), 0,
                products.pointer + first * 8 * outputs, Int32(8 * outputs))
        }
        overChildren(x) { voxel, tap, child in
            let source = products.pointer + (voxel * 8 + tap) * outputs
            let target = y.pointer + child * outputs
            for output in 0..<outputs { target[output] = source[output] + bias[output] }
        }
        return y
    }

    /// The gradients of a transposed convolution's input (returned) and weights.
    public func transposedConvolutionGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, weights: UnsafePointer<Float>,
        into destination: UnsafeMutablePointer<Float>
    ) -> FeatureMap {
        let outputs = gradient.channels
        let inputs = x.channels
        let gathered = workspace.take(x.voxels * 8 * outputs)
        overChildren(x) { voxel, tap, child in
            (gathered.pointer + (voxel * 8 + tap) * outputs)
                .update(from: gradient.pointer + child * gradient.stride, count: outputs)
        }
        let taps = tapMajor(weights, inputs: inputs, outputs: outputs)
        let result = map(like: x, channels: inputs)
        overRows(x.voxels) { _, first, count in
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), Int32(inputs), Int32(8 * outputs), 1,
                gathered.pointer + first * 8 * outputs, Int32(8 * outputs), taps.pointer, Int32(8 * outputs), 0,
                result.pointer + first * inputs, Int32(inputs))
        }
        let sum = workspace.take(inputs * 8 * outputs)
        sumOfProducts(
            x.pointer, x.stride, inputs, gathered.pointer, 8 * outputs, 8 * outputs, voxels: x.voxels,
            into: sum.pointer)
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

    /// [C_in, C_out, 8] as [C_in, 8, C_out].
    private func tapMajor(_ weights: UnsafePointer<Float>, inputs: Int, outputs: Int) -> FloatBuffer {
        let taps = workspace.take(inputs * 8 * outputs)
        for input in 0..<inputs {
            for output in 0..<outputs {
                for tap in 0..<8 {
                    taps.pointer[(input * 8 + tap) * outputs + output] = weights[(input * outputs + output) * 8 + tap]
                }
            }
        }
        return taps
    }

    /// Visits every voxel's 2x2x2 children: `body(voxel, tap, child)`, tap in (z, y, x) order.
    private func overChildren(_ x: FeatureMap, _ body: (_ voxel: Int, _ tap: Int, _ child: Int) -> Void) {
        let e = x.extent
        pool.run(x.samples * e.z * e.y) { row, _ in
            let plane = row / e.y  // counts planes of all samples
            let y = row % e.y
            for column in 0..<e.x {
                for tap in 0..<8 {
                    let (dz, dy, dx) = (tap >> 2, tap >> 1 & 1, tap & 1)
                    let child = ((2 * plane + dz) * 2 * e.y + 2 * y + dy) * 2 * e.x + 2 * column + dx
                    body(row * e.x + column, tap, child)
                }
            }
        }
    }
}
