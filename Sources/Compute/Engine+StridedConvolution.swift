// Convolutions of stride 2, which halve the resolution: filters of 3x3x3 with padding 1, or of 2x2x2 without.
//
// The voxels under one row of a filter lie side by side, with all their channels: a run of side * C_in floats. The runs
// of the outputs in a row begin two voxels apart. So a row of outputs is the sum of side * side products of matrices
// that lie in the input as they are, and nothing is gathered. Where padding lets the first output's run hang over the
// edge, that output is computed apart from the others. The two gradients are made of the same products.

import Basics
import CKernels

/// The filters of a convolution of stride 2.
public struct StridedFilters {
    /// The weights in PyTorch's layout, [C_out, C_in, side, side, side].
    public let weights: UnsafeBufferPointer<Float>
    /// The number of voxels along each axis: 3, padded by 1, or 2, not padded.
    public let side: Int
    /// The number of input channels, C_in.
    public let inputs: Int
    /// The number of output channels, C_out.
    public let outputs: Int

    /// Refers to weights without copying them.
    public init(_ weights: UnsafeBufferPointer<Float>, side: Int, inputs: Int, outputs: Int) {
        precondition(side == 2 || side == 3, "filters of side \(side), not 2 or 3")
        requireCount(weights.count, side * side * side * inputs * outputs, "weights")
        self.weights = weights
        self.side = side
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Voxels by which the input is padded on each side; also outputs of a row whose run hangs over the edge.
    var padding: Int { side - 2 }
    /// Floats of a run, and of the part of it that lies inside where it hangs over the edge.
    var run: Int { side * inputs }
    var home: Int { 2 * inputs }
    /// Floats of a filter, and its rows.
    var volume: Int { side * side * side * inputs }
    var rows: Int { side * side }
}

extension FeatureMap {
    /// The place in memory where a row of voxels begins.
    fileprivate func row(_ sample: Int, _ z: Int, _ y: Int) -> UnsafeMutablePointer<Float> {
        pointer + ((sample * extent.z + z) * extent.y + y) * extent.x * stride
    }
}

extension Engine {
    /// A convolution of stride 2.
    ///
    /// - Parameter x: [N, D, H, W, C_in] with even D, H, W, and no gaps between voxels.
    /// - Returns: [N, D/2, H/2, W/2, C_out].
    public func stridedConvolution(_ x: FeatureMap, _ filters: StridedFilters) -> FeatureMap {
        let y = map(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: filters.outputs)
        stridedConvolution(x, filters, into: y, planes: 0..<y.extent.z)
        return y
    }

    /// Some planes of a convolution of stride 2, to the bit those of the whole.
    ///
    /// - Parameters:
    ///   - x: The planes of the input that the result sees, [N, D', H, W, C_in]; N is 1 unless they are all.
    ///   - first: The number of the first of them in the whole input.
    ///   - filters: The weights.
    ///   - y: The whole result, [N, D/2, H/2, W/2, C_out].
    ///   - planes: The planes of `y` that are computed.
    public func stridedConvolution(
        _ x: FeatureMap, first: Int = 0, _ filters: StridedFilters, into y: FeatureMap, planes: Range<Int>
    ) {
        let f = filters
        x.requireDense("the input")
        requireCount(x.channels, f.inputs, "channels of the input")
        requireCount(y.channels, f.outputs, "channels of the output")
        let seen = max(0, 2 * planes.lowerBound - f.padding)..<2 * planes.upperBound
        precondition(
            x.samples == y.samples && (x.samples == 1 || planes == 0..<y.extent.z)
                && ZYX(0, x.extent.y, x.extent.x) == ZYX(0, 2 * y.extent.y, 2 * y.extent.x)
                && first == seen.lowerBound && x.extent.z == seen.count && planes.upperBound <= y.extent.z,
            "planes \(planes) of \(y.samples) x \(y.extent) from \(x.samples) x \(x.extent) of plane \(first) on")
        let taps = tapMajor(f.weights, f.outputs, f.inputs, taps: f.side * f.side * f.side)
        // For each row of the filters: its run, and the run's end.
        let runSize = kernels.panels_size(f.run, f.outputs)
        let homeSize = kernels.panels_size(f.home, f.outputs)
        let runs = workspace.take(f.rows * runSize)
        let homes = workspace.take(f.rows * homeSize)
        pool.run(f.rows) { row, _ in
            var b = Operand(pointer: taps.pointer + row * f.run, rowStride: 1, columnStride: f.volume)
            pack(b, depth: f.run, columns: f.outputs, into: runs.pointer + row * runSize)
            b.pointer += f.padding * f.inputs
            pack(b, depth: f.home, columns: f.outputs, into: homes.pointer + row * homeSize)
        }
        let (height, width) = (y.extent.y, y.extent.x)
        parallel(y.samples * planes.count * height, scratch: kernels.product_scratch()) { item, scratch in
            let (sample, z) = (item / height).quotientAndRemainder(dividingBy: planes.count)
            let target = y.row(sample, planes.lowerBound + z, item % height)
            var adds = false
            for row in 0..<f.rows {
                let inZ = 2 * (planes.lowerBound + z) + row / f.side - f.padding - first
                let inY = 2 * (item % height) + row % f.side - f.padding
                guard inZ >= 0, inY >= 0 else { continue }
                let source = UnsafePointer(x.row(sample, inZ, inY))
                if f.padding > 0 {
                    multiply(
                        Operand(pointer: source, rowStride: 2 * f.inputs), homes.pointer + row * homeSize, rows: 1,
                        depth: f.home, columns: f.outputs, into: target, rowStride: y.stride, adds: adds,
                        scratch: scratch)
                }
                if width > f.padding {
                    multiply(
                        Operand(pointer: source + f.padding * f.inputs, rowStride: 2 * f.inputs),
                        runs.pointer + row * runSize, rows: width - f.padding, depth: f.run, columns: f.outputs,
                        into: target + f.padding * y.stride, rowStride: y.stride, adds: adds, scratch: scratch)
                }
                adds = true
            }
        }
    }

    /// The gradient of the input of a convolution of stride 2.
    ///
    /// - Parameter gradient: The gradient of the output, [N, D/2, H/2, W/2, C_out].
    /// - Returns: [N, D, H, W, C_in].
    public func stridedConvolutionDataGradient(_ gradient: FeatureMap, _ filters: StridedFilters) -> FeatureMap {
        let f = filters
        requireCount(gradient.channels, f.outputs, "channels of the gradient")
        let x = map(samples: gradient.samples, extent: gradient.extent * 2, channels: f.inputs)
        let taps = tapMajor(f.weights, f.outputs, f.inputs, taps: f.side * f.side * f.side)
        // For each row of the filters: what falls on an output's own two voxels, and on the one before them.
        let homeSize = kernels.panels_size(f.outputs, f.home)
        let leftSize = kernels.panels_size(f.outputs, f.inputs)
        let homes = workspace.take(f.rows * homeSize)
        let lefts = workspace.take(f.rows * leftSize)
        pool.run(f.rows) { row, _ in
            var b = Operand(pointer: taps.pointer + row * f.run, rowStride: f.volume)
            if f.padding > 0 { pack(b, depth: f.outputs, columns: f.inputs, into: lefts.pointer + row * leftSize) }
            b.pointer += f.padding * f.inputs
            pack(b, depth: f.outputs, columns: f.home, into: homes.pointer + row * homeSize)
        }
        let width = gradient.extent.x
        parallel(x.samples * x.extent.z * x.extent.y, scratch: kernels.product_scratch()) { item, scratch in
            let (sample, inZ) = (item / x.extent.y).quotientAndRemainder(dividingBy: x.extent.z)
            let inY = item % x.extent.y
            let target = x.row(sample, inZ, inY)
            var adds = false
            for row in 0..<f.rows {
                // Twice the output that sees this row of voxels through that row of the filters, if one does.
                let (z, y) = (inZ + f.padding - row / f.side, inY + f.padding - row % f.side)
                guard z >= 0, y >= 0, z % 2 == 0, y % 2 == 0, z < x.extent.z, y < x.extent.y else { continue }
                let source = UnsafePointer(gradient.row(sample, z / 2, y / 2))
                multiply(
                    Operand(pointer: source, rowStride: gradient.stride), homes.pointer + row * homeSize, rows: width,
                    depth: f.outputs, columns: f.home, into: target, rowStride: 2 * x.stride, adds: adds,
                    scratch: scratch)
                if f.padding > 0 && width > 1 {
                    multiply(
                        Operand(pointer: source + gradient.stride, rowStride: gradient.stride),
                        lefts.pointer + row * leftSize, rows: width - 1, depth: f.outputs, columns: f.inputs,
                        into: target + x.stride, rowStride: 2 * x.stride, adds: true, scratch: scratch)
                }
                adds = true
            }
        }
        return x
    }

    /// The gradient of the weights of a convolution of stride 2.
    ///
    /// - Parameters:
    ///   - x: The input, [N, D, H, W, C_in], without gaps between voxels.
    ///   - gradient: The gradient of the output, [N, D/2, H/2, W/2, C_out].
    ///   - filters: The weights.
    ///   - destination: Receives the result, laid out as the weights.
    public func stridedConvolutionWeightsGradient(
        _ x: FeatureMap, _ gradient: FeatureMap, _ filters: StridedFilters,
        into destination: UnsafeMutableBufferPointer<Float>
    ) {
        let f = filters
        x.requireDense("the input")
        requireCount(x.channels, f.inputs, "channels of the input")
        requireCount(gradient.channels, f.outputs, "channels of the gradient")
        requireCount(destination.count, f.weights.count, "weights' gradients")
        precondition(
            x.samples == gradient.samples && x.extent == gradient.extent * 2,
            "a gradient of \(gradient.samples) x \(gradient.extent) for \(x.samples) x \(x.extent) voxels")
        // Each item sums a range of rows by itself. Their number is part of the sum's order: never by the threads.
        let (height, width) = (gradient.extent.y, gradient.extent.x)
        let count = gradient.samples * gradient.extent.z * height
        let items = min(16, count)
        let size = f.weights.count
        let partial = workspace.take(items * size)
        let panels = kernels.panels_size(width, f.run)
        parallel(items, scratch: panels + kernels.product_scratch()) { item, scratch in
            let sum = partial.pointer + item * size
            sum.update(repeating: 0, count: size)
            /// Adds the products of some outputs of a row with what they see, from float `offset` of their runs on.
            func add(
                _ seen: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, stride: Int, outputs: Int, row: Int,
                offset: Int
            ) {
                pack(
                    Operand(pointer: seen, rowStride: 2 * f.inputs), depth: outputs, columns: f.run - offset,
                    into: scratch)
                multiply(
                    Operand(pointer: gradient, rowStride: 1, columnStride: stride), scratch, rows: f.outputs,
                    depth: outputs, columns: f.run - offset, into: sum + row * f.run + offset, rowStride: f.volume,
                    adds: true, scratch: scratch + panels)
            }
            for line in count * item / items..<count * (item + 1) / items {
                let (sample, z) = (line / height).quotientAndRemainder(dividingBy: gradient.extent.z)
                let y = line % height
                let own = UnsafePointer(gradient.row(sample, z, y))
                for row in 0..<f.rows {
                    let (inZ, inY) = (2 * z + row / f.side - f.padding, 2 * y + row % f.side - f.padding)
                    guard inZ >= 0, inY >= 0 else { continue }
                    let source = UnsafePointer(x.row(sample, inZ, inY))
                    let edge = f.padding * f.inputs
                    if edge > 0 { add(source, own, stride: gradient.stride, outputs: 1, row: row, offset: edge) }
                    guard width > f.padding else { continue }
                    add(
                        source + edge, own + f.padding * gradient.stride, stride: gradient.stride,
                        outputs: width - f.padding, row: row, offset: 0)
                }
            }
        }
        let taps = f.side * f.side * f.side
        pool.run(f.outputs) { output, _ in
            for input in 0..<f.inputs {
                for tap in 0..<taps {
                    let place = (output * taps + tap) * f.inputs + input
                    var total = 0.0
                    for item in 0..<items { total += Double(partial.pointer[item * size + place]) }
                    destination[(output * f.inputs + input) * taps + tap] = Float(total)
                }
            }
        }
    }
}
