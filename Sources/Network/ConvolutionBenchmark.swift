// The network's 3x3x3 convolutions one by one, for `luna bench layers`.

import Basics
import Compute

public enum ConvolutionBenchmark {
    /// Layers of one shape.
    public struct Layer: Sendable {
        public let name: String
        public let inputs: Int
        public let outputs: Int
        /// Voxels along an axis are the crop's divided by this.
        public let reduction: Int
        /// How many the network has.
        public let count: Int

        /// Direct-convolution operations of one pass.
        public func flop(size: Int, batch: Int) -> Double {
            let side = Double(size / reduction)
            return 2 * 27 * Double(inputs * outputs * batch) * side * side * side
        }

        public func algorithm(_ size: Int, _ direction: Direction) -> String {
            inputs == 1
                ? "direct"
                : Engine.algorithm(
                    ZYX(repeating: max(1, size / reduction)),
                    weightsGradient: direction == .weights ? outputs : nil)
        }
    }

    public enum Direction: String, CaseIterable, Sendable {
        case forward
        case data
        case weights
    }

    public static let layers = [
        Layer(name: "1-24 full", inputs: 1, outputs: 24, reduction: 1, count: 1),
        Layer(name: "24-24 full", inputs: 24, outputs: 24, reduction: 1, count: 1),
        Layer(name: "24-32 1/2", inputs: 24, outputs: 32, reduction: 2, count: 1),
        Layer(name: "32-32 1/2", inputs: 32, outputs: 32, reduction: 2, count: 3),
        Layer(name: "32-64 1/4", inputs: 32, outputs: 64, reduction: 4, count: 1),
        Layer(name: "64-64 1/4", inputs: 64, outputs: 64, reduction: 4, count: 3),
        Layer(name: "64-64 1/8", inputs: 64, outputs: 64, reduction: 8, count: 11),
        Layer(name: "128-64 1/8", inputs: 128, outputs: 64, reduction: 8, count: 1),
        Layer(name: "64-64 1/16", inputs: 64, outputs: 64, reduction: 16, count: 6),
        Layer(name: "131-128 1/4", inputs: 131, outputs: 128, reduction: 4, count: 1),
        Layer(name: "128-128 1/4", inputs: 128, outputs: 128, reduction: 4, count: 5),
    ]

    /// Seconds of each repetition, after one that is not counted; nil where the network does not use the direction.
    public static func measure(
        _ layer: Layer, _ direction: Direction, size: Int, batch: Int, repetitions: Int, engine: Engine
    ) -> [Double]? {
        if layer.inputs == 1 && direction == .data { return nil }
        let extent = ZYX(repeating: max(1, size / layer.reduction))
        let channels = layer.inputs == 1 ? 1 : (layer.inputs + 7) / 8 * 8
        let x = engine.map(samples: batch, extent: extent, channels: channels)
        let y = engine.map(samples: batch, extent: extent, channels: layer.outputs)
        for index in 0..<x.voxels * channels { x.pointer[index] = Float(index % 97) / 97 - 0.5 }
        for index in 0..<y.voxels * layer.outputs { y.pointer[index] = Float(index % 89) / 89 - 0.5 }
        var weights = [Float](repeating: 0.01, count: layer.outputs * layer.inputs * 27)
        let bias = [Float](repeating: 0, count: layer.outputs)
        var times: [Double] = []
        for repetition in 0...repetitions {
            let start = ContinuousClock.now
            switch direction {
            case .forward where layer.inputs == 1:
                weights.withUnsafeBufferPointer { weights in
                    bias.withUnsafeBufferPointer { bias in
                        guard let weights = weights.baseAddress, let bias = bias.baseAddress else { return }
                        _ = engine.firstConvolution(
                            x, FirstLayer(weights: weights, bias: bias))
                    }
                }
            case .forward:
                _ = engine.convolution(x, weights: weights, bias: bias, inputs: layer.inputs, outputs: layer.outputs)
            case .data:
                _ = engine.convolutionDataGradient(
                    y, weights: weights, inputs: layer.inputs, channels: min(128, layer.inputs))
            case .weights where layer.inputs == 1:
                weights.withUnsafeMutableBufferPointer {
                    guard let pointer = $0.baseAddress else { return }
                    engine.firstConvolutionWeightsGradient(x, y, into: pointer)
                }
            case .weights:
                weights.withUnsafeMutableBufferPointer {
                    guard let pointer = $0.baseAddress else { return }
                    engine.convolutionWeightsGradient(x, y, inputs: layer.inputs, into: pointer)
                }
            }
            if repetition > 0 { times.append((ContinuousClock.now - start) / .seconds(1)) }
        }
        return times
    }
}
