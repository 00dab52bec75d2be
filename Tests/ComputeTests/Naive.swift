// The layers written down as their definitions say, in Double, channels last: what the kernels are compared with.

import Basics

@testable import Compute

/// A map [N, D, H, W, C] of doubles.
struct NaiveMap {
    let samples: Int
    let extent: ZYX<Int>
    let channels: Int
    var values: [Double]

    init(samples: Int, extent: ZYX<Int>, channels: Int, values: [Double]? = nil) {
        self.samples = samples
        self.extent = extent
        self.channels = channels
        self.values = values ?? [Double](repeating: 0, count: samples * extent.product * channels)
    }

    func index(_ n: Int, _ z: Int, _ y: Int, _ x: Int, _ c: Int) -> Int {
        (((n * extent.z + z) * extent.y + y) * extent.x + x) * channels + c
    }

    /// The value, 0 outside.
    func at(_ n: Int, _ z: Int, _ y: Int, _ x: Int, _ c: Int) -> Double {
        guard z >= 0, y >= 0, x >= 0, z < extent.z, y < extent.y, x < extent.x else { return 0 }
        return values[index(n, z, y, x, c)]
    }

    /// Calls `body` for every voxel.
    func forEachVoxel(_ body: (Int, Int, Int, Int) -> Void) {
        for n in 0..<samples {
            for z in 0..<extent.z { for y in 0..<extent.y { for x in 0..<extent.x { body(n, z, y, x) } } }
        }
    }

    static func random(
        _ samples: Int, _ extent: ZYX<Int>, _ channels: Int, _ generator: inout CounterGenerator
    ) -> NaiveMap {
        let count = samples * extent.product * channels
        // Values that Float holds exactly, so that both sides start from the same.
        return NaiveMap(
            samples: samples, extent: extent, channels: channels,
            values: (0..<count).map { _ in Double(Float(generator.uniform(-1, 1))) })
    }
}

enum Naive {
    /// 3x3x3, stride 1, padding 1; weights [C_out, C_in, 3, 3, 3].
    static func convolution(_ x: NaiveMap, _ weights: [Double], _ bias: [Double], inputs: Int) -> NaiveMap {
        let outputs = bias.count
        var y = NaiveMap(samples: x.samples, extent: x.extent, channels: outputs)
        // [27, C_in, C_out], so that the innermost loop runs along memory.
        let byTap = (0..<27 * inputs * outputs).map { index in
            weights[(index % outputs * inputs + index / outputs % inputs) * 27 + index / (outputs * inputs)]
        }
        y.forEachVoxel { n, vz, vy, vx in
            let place = y.index(n, vz, vy, vx, 0)
            for output in 0..<outputs { y.values[place + output] = bias[output] }
            for tap in 0..<27 {
                for input in 0..<inputs {
                    let value = x.at(n, vz + tap / 9 - 1, vy + tap / 3 % 3 - 1, vx + tap % 3 - 1, input)
                    if value == 0 { continue }
                    let row = (tap * inputs + input) * outputs
                    for output in 0..<outputs { y.values[place + output] += value * byTap[row + output] }
                }
            }
        }
        return y
    }

    /// 1x1x1; weights [C_out, C_in].
    static func pointwise(_ x: NaiveMap, _ weights: [Double], _ bias: [Double], inputs: Int) -> NaiveMap {
        var y = NaiveMap(samples: x.samples, extent: x.extent, channels: bias.count)
        y.forEachVoxel { n, vz, vy, vx in
            for output in bias.indices {
                var sum = bias[output]
                for input in 0..<inputs { sum += x.at(n, vz, vy, vx, input) * weights[output * inputs + input] }
                y.values[y.index(n, vz, vy, vx, output)] = sum
            }
        }
        return y
    }

    /// Calls `body` for every product of a convolution of stride 2, padded by (side - 1)/2: the places of the input,
    /// the weight and the output.
    private static func forEachStridedProduct(
        _ x: NaiveMap, _ y: NaiveMap, side: Int, _ body: (_ x: Int, _ weight: Int, _ y: Int) -> Void
    ) {
        let (taps, padding) = (side * side * side, (side - 1) / 2)
        y.forEachVoxel { n, vz, vy, vx in
            for tap in 0..<taps {
                let z = 2 * vz + tap / (side * side) - padding
                let (y0, x0) = (2 * vy + tap / side % side - padding, 2 * vx + tap % side - padding)
                guard z >= 0, y0 >= 0, x0 >= 0, z < x.extent.z, y0 < x.extent.y, x0 < x.extent.x else { continue }
                for output in 0..<y.channels {
                    for input in 0..<x.channels {
                        body(
                            x.index(n, z, y0, x0, input), (output * x.channels + input) * taps + tap,
                            y.index(n, vz, vy, vx, output))
                    }
                }
            }
        }
    }

    /// Stride 2; weights [C_out, C_in, side, side, side].
    static func strided(_ x: NaiveMap, _ weights: [Double], outputs: Int, side: Int) -> NaiveMap {
        var y = NaiveMap(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: outputs)
        var values = y.values
        forEachStridedProduct(x, y, side: side) { values[$2] += x.values[$0] * weights[$1] }
        y.values = values
        return y
    }

    /// The gradients of `strided` from that of its output.
    static func stridedGradients(
        _ x: NaiveMap, _ weights: [Double], _ g: NaiveMap, side: Int
    ) -> (x: [Double], weights: [Double]) {
        var dx = [Double](repeating: 0, count: x.values.count)
        var dw = [Double](repeating: 0, count: weights.count)
        forEachStridedProduct(x, g, side: side) {
            dx[$0] += g.values[$2] * weights[$1]
            dw[$1] += g.values[$2] * x.values[$0]
        }
        return (dx, dw)
    }

    /// Size 2, stride 2; weights [C_in, C_out, 2, 2, 2].
    static func transposed(_ x: NaiveMap, _ weights: [Double], _ bias: [Double]) -> NaiveMap {
        var y = NaiveMap(samples: x.samples, extent: x.extent * 2, channels: bias.count)
        y.forEachVoxel { n, vz, vy, vx in
            let tap = (vz % 2) * 4 + (vy % 2) * 2 + vx % 2
            for output in bias.indices {
                var sum = bias[output]
                for input in 0..<x.channels {
                    sum += x.at(n, vz / 2, vy / 2, vx / 2, input) * weights[(input * bias.count + output) * 8 + tap]
                }
                y.values[y.index(n, vz, vy, vx, output)] = sum
            }
        }
        return y
    }

    /// Batch normalisation with the batch's own statistics, or that of groups of channels of each sample, a residual,
    /// ReLU.
    static func normalized(
        _ x: NaiveMap, _ scale: [Double], _ shift: [Double], groupsOf group: Int? = nil, residual: NaiveMap?
    ) -> NaiveMap {
        var y = x
        let (channels, voxels) = (x.channels, x.extent.product)
        // What has one mean and one variance: some channels beside one another, of some samples.
        let (width, samples) = group.map { ($0, 1) } ?? (1, x.samples)
        let count = Double(width * voxels * samples)
        for sample in stride(from: 0, to: x.samples, by: samples) {
            let places = stride(
                from: sample * voxels * channels, to: (sample + samples) * voxels * channels, by: channels)
            for first in stride(from: 0, to: channels, by: width) {
                var (mean, squares) = (0.0, 0.0)
                for place in places { for index in place + first..<place + first + width { mean += x.values[index] } }
                mean /= count
                for place in places {
                    for index in place + first..<place + first + width {
                        squares += (x.values[index] - mean) * (x.values[index] - mean)
                    }
                }
                let factor = 1 / (squares / count + 1e-5).squareRoot()
                for place in places {
                    for channel in first..<first + width {
                        let value = (x.values[place + channel] - mean) * factor * scale[channel] + shift[channel]
                        y.values[place + channel] = max(0, value + (residual?.values[place + channel] ?? 0))
                    }
                }
            }
        }
        return y
    }

    /// The maximum of 2x2x2 voxels.
    static func pooled(_ x: NaiveMap) -> NaiveMap {
        var y = NaiveMap(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: x.channels)
        y.forEachVoxel { n, vz, vy, vx in
            for channel in 0..<x.channels {
                let window = (0..<8).map { x.at(n, 2 * vz + $0 / 4, 2 * vy + $0 / 2 % 2, 2 * vx + $0 % 2, channel) }
                y.values[y.index(n, vz, vy, vx, channel)] = window.max() ?? 0
            }
        }
        return y
    }

    /// Σ g · y: a loss whose gradient with respect to y is g.
    static func dot(_ y: NaiveMap, _ g: NaiveMap) -> Double { zip(y.values, g.values).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The derivative of `loss` by element `index` of `values`, from central differences.
    static func derivative(_ values: [Double], _ index: Int, step: Double = 1e-4, _ loss: ([Double]) -> Double)
        -> Double
    {
        var moved = values
        moved[index] = values[index] + step
        let above = loss(moved)
        moved[index] = values[index] - step
        return (above - loss(moved)) / (2 * step)
    }
}

extension Engine {
    /// A map with these values; `extra` channels of rubbish behind each voxel's own.
    func map(_ naive: NaiveMap, extra: Int = 0) -> FeatureMap {
        let wide = map(samples: naive.samples, extent: naive.extent, channels: naive.channels + extra)
        for voxel in 0..<wide.voxels {
            for channel in 0..<wide.channels {
                wide.pointer[voxel * wide.stride + channel] =
                    channel < naive.channels ? Float(naive.values[voxel * naive.channels + channel]) : 7
            }
        }
        return wide.channels(0..<naive.channels)
    }
}

// Weights as arrays: a test need not hold their memory in place.
extension Engine {
    func convolution(_ x: FeatureMap, weights: [Float], bias: [Float], inputs: Int, outputs: Int) -> FeatureMap {
        let y = map(like: x, channels: outputs)
        convolution(x, weights: weights, bias: bias, inputs: inputs, into: y)
        return y
    }

    func convolution(
        _ x: FeatureMap, first: Int = 0, of depth: Int? = nil, weights: [Float], bias: [Float], inputs: Int,
        into y: FeatureMap
    ) {
        weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer { bias in
                convolution(x, first: first, of: depth, weights: weights, bias: bias, inputs: inputs, into: y)
            }
        }
    }

    func convolutionDataGradient(_ g: FeatureMap, weights: [Float], inputs: Int, channels: Int) -> FeatureMap {
        weights.withUnsafeBufferPointer {
            convolutionDataGradient(g, weights: $0, inputs: inputs, channels: channels)
        }
    }

    func pointwise(_ x: FeatureMap, weights: [Float], bias: [Float], inputs: Int, outputs: Int) -> FeatureMap {
        weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer { bias in
                pointwise(x, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
            }
        }
    }

    func pointwiseDataGradient(_ g: FeatureMap, weights: [Float], inputs: Int, channels: Int) -> FeatureMap {
        weights.withUnsafeBufferPointer { pointwiseDataGradient(g, weights: $0, inputs: inputs, channels: channels) }
    }

    func transposedConvolution(_ x: FeatureMap, weights: [Float], bias: [Float], outputs: Int) -> FeatureMap {
        weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer { bias in
                transposedConvolution(x, weights: weights, bias: bias, outputs: outputs)
            }
        }
    }

    func transposedConvolutionGradient(
        _ x: FeatureMap, _ g: FeatureMap, weights: [Float], into destination: UnsafeMutableBufferPointer<Float>
    ) -> FeatureMap {
        weights.withUnsafeBufferPointer { transposedConvolutionGradient(x, g, weights: $0, into: destination) }
    }
}

extension FeatureMap {
    /// The values of the map's own channels, [N, D, H, W, C].
    var doubles: [Double] {
        (0..<voxels).flatMap { voxel in (0..<channels).map { Double(pointer[voxel * stride + $0]) } }
    }
}

/// The relative L2 distance of `a` from `b`.
func relativeError(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count, "\(a.count) values against \(b.count)")
    let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let norm = b.reduce(0) { $0 + $1 * $1 }
    return (difference / max(norm, 1e-300)).squareRoot()
}

/// The instruction sets that this processor has.
let supportedInstructionSets = InstructionSet.allCases.filter { $0 <= InstructionSet.best }
