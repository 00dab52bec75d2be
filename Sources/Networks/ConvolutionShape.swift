// The 3x3x3 convolutions of a network with stride 1 by their shapes, and how long one takes: for `luna bench layers`.

import Basics
import Compute

/// The 3x3x3 convolutions of a network with stride 1 that have the same channels and resolution.
public struct ConvolutionShape: Hashable, Sendable {
    /// The number of input channels.
    public let inputs: Int
    /// The number of output channels.
    public let outputs: Int
    /// The factor by which the layer's maps are coarser than the crop, along each axis.
    public let reduction: Int
    /// The number of input channels, the first ones, that need a gradient.
    public let trainedInputs: Int
    /// The number of these layers in the network.
    public let count: Int

    /// The channels and the resolution, such as `24-32 1/2`.
    public var name: String { "\(inputs)-\(outputs) \(reduction == 1 ? "full" : "1/\(reduction)")" }

    /// The parts of a convolution's work in training.
    public enum Direction: String, CaseIterable, Sendable {
        /// The output.
        case forward
        /// The gradient of the input.
        case data
        /// The gradient of the weights.
        case weights
    }

    /// The number of floating-point operations of one pass, computed directly.
    ///
    /// - Parameters:
    ///   - size: Voxels of a crop along an axis.
    ///   - batch: The number of crops.
    public func flop(size: Int, batch: Int) -> Double {
        let side = Double(size / reduction)
        return 2 * 27 * Double(inputs * outputs * batch) * side * side * side
    }

    /// The name of the algorithm for crops of this many voxels along an axis.
    public func algorithm(_ size: Int, _ direction: Direction) -> String {
        inputs == 1
            ? "direct"
            : Engine.algorithm(
                ZYX(repeating: max(1, size / reduction)), weightsGradient: direction == .weights ? outputs : nil)
    }

    /// The seconds of each repetition, after one that is not counted; nil where the network does not use the direction.
    ///
    /// - Parameters:
    ///   - direction: The part of the work.
    ///   - size: Voxels of a crop along an axis.
    ///   - batch: The number of crops.
    ///   - repetitions: The number of repetitions.
    ///   - engine: Does the arithmetic.
    public func measure(
        _ direction: Direction, size: Int, batch: Int, repetitions: Int, engine: Engine
    ) -> [Double]? {
        if direction == .data && trainedInputs == 0 { return nil }
        let extent = ZYX(repeating: max(1, size / reduction))
        let x = engine.map(samples: batch, extent: extent, channels: inputs == 1 ? 1 : (inputs + 7) / 8 * 8)
        let y = engine.map(samples: batch, extent: extent, channels: outputs)
        for index in 0..<x.voxels * x.channels { x.pointer[index] = Float(index % 97) / 97 - 0.5 }
        for index in 0..<y.voxels * y.channels { y.pointer[index] = Float(index % 89) / 89 - 0.5 }
        var weights = [Float](repeating: 0.01, count: outputs * inputs * 27)
        let bias = [Float](repeating: 0, count: outputs)
        var times: [Double] = []
        weights.withUnsafeMutableBufferPointer { gradient in
            bias.withUnsafeBufferPointer { bias in
                let weights = UnsafeBufferPointer(gradient)
                for repetition in 0...repetitions {
                    let start = ContinuousClock.now
                    switch direction {
                    case .forward where inputs == 1:
                        _ = engine.firstConvolution(x, FirstLayer(weights: weights, bias: bias))
                    case .forward:
                        _ = engine.convolution(x, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
                    case .data:
                        _ = engine.convolutionDataGradient(
                            y, weights: weights, inputs: inputs, channels: trainedInputs)
                    case .weights where inputs == 1:
                        engine.firstConvolutionWeightsGradient(x, y, into: gradient)
                    case .weights:
                        engine.convolutionWeightsGradient(x, y, inputs: inputs, into: gradient)
                    }
                    if repetition > 0 { times.append((ContinuousClock.now - start) / .seconds(1)) }
                }
            }
        }
        return times
    }
}

extension Architecture {
    /// The shapes of the 3x3x3 convolutions with stride 1, in the order in which the network first has them.
    public var convolutionShapes: [ConvolutionShape] {
        struct Key: Hashable { let inputs, outputs, reduction, trainedInputs: Int }
        var order: [Key] = []
        var counts: [Key: Int] = [:]
        for operation in operations {
            guard case .convolution(side: 3, stride: 1, _) = operation.kind else { continue }
            let x = operation.inputs[0]
            let key = Key(
                inputs: x.channels, outputs: operation.output.channels, reduction: x.reduction,
                trainedInputs: x.trainedChannels)
            if counts[key] == nil { order.append(key) }
            counts[key, default: 0] += 1
        }
        return order.map {
            ConvolutionShape(
                inputs: $0.inputs, outputs: $0.outputs, reduction: $0.reduction, trainedInputs: $0.trainedInputs,
                count: counts[$0] ?? 0)
        }
    }
}
