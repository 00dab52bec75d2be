import Basics
import Compute

/// An architecture's layers on an engine: forward and backward passes.
///
/// Not for use by two threads at once.
public final class Network {
    /// The declaration that the layers follow.
    public let architecture: Architecture
    /// The engine that computes.
    public let engine: Engine
    /// The batch's means and unbiased variances in the last training forward pass, laid out as the architecture's
    /// `statistics`; none where each sample is normalised by itself.
    public private(set) var batchStatistics: [Float] = []
    private let graph: NetworkGraph
    private var lastShape: [Int] = []

    /// The two ways to treat batch normalisation and dropout in a forward pass; group normalisation is the same in
    /// both.
    public enum Mode {
        /// A pass with batch statistics, whose channels are dropped with probability `dropout`, drawn from `generator`.
        case training(dropout: Double, generator: CounterGenerator)
        /// A pass with running statistics, without dropout, and without a backward pass to follow.
        case evaluation
    }

    /// Creates a network's layers.
    public init(_ architecture: Architecture, engine: Engine) {
        self.architecture = architecture
        self.engine = engine
        graph = architecture.makeGraph()
    }

    /// Runs the network.
    ///
    /// - Parameters:
    ///   - state: The parameters and running statistics.
    ///   - input: [N, 1, D, H, W], with sides that are multiples of the architecture's `sideUnit`.
    ///   - coord: [N, 3, d, h, w], where d is D divided by the architecture's `stride`.
    ///   - mode: Training or evaluation.
    /// - Returns: [N, d, h, w, anchors, components].
    public func forward(_ state: NetworkState, input: Tensor, coord: Tensor, mode: Mode) -> Tensor {
        let shape = input.shape
        let unit = architecture.sideUnit
        precondition(
            shape.count == 5 && shape[1] == 1 && shape[2...].allSatisfy { $0 > 0 && $0 % unit == 0 },
            "the network's input is [N, 1, D, H, W] with sides that are multiples of \(unit), not \(shape)")
        let grid = shape[2...].map { $0 / architecture.stride }
        precondition(coord.shape == [shape[0], 3] + grid, "coord \(coord.shape) does not fit input \(shape)")
        // Tiles and scans of many sizes would each leave their buffers behind.
        if shape != lastShape { engine.workspace.releaseUnused() }
        lastShape = shape

        var dropout: Dropout?
        var isTraining = false
        if case .training(let probability, let generator) = mode {
            isTraining = true
            if probability > 0 { dropout = Dropout(probability: probability, generator: generator) }
        }
        var report = [Float](repeating: 0, count: isTraining ? architecture.statistics.count : 0)
        let result = report.withUnsafeMutableBufferPointer { report in
            withPass(state) { pass in
                let pass = Pass(
                    engine: engine, parameters: pass.parameters, statistics: pass.statistics, isTraining: isTraining,
                    batchStatistics: isTraining ? report.baseAddress : nil, coord: coord, dropout: dropout)
                let x = engine.map(samples: shape[0], extent: ZYX(shape[2], shape[3], shape[4]), channels: 1)
                input.values.withUnsafeBufferPointer {
                    x.pointer.update(from: $0.baseAddress.unsafelyUnwrapped, count: input.count)
                }
                let y = graph.forward(consume x, pass)
                return Tensor(
                    shape: [shape[0]] + grid + [architecture.anchors, architecture.components],
                    values: Array(UnsafeBufferPointer(start: y.pointer, count: y.voxels * y.channels)))
            }
        }
        if isTraining { batchStatistics = report }
        return result
    }

    /// Computes the gradients that follow from the gradient of the last training forward pass's output.
    ///
    /// - Parameters:
    ///   - state: The parameters and running statistics of that pass.
    ///   - outputGradient: [N, d, h, w, anchors, components].
    ///   - gradients: Overwritten; laid out as the architecture's `parameters`.
    ///   - finished: Told of ranges of `gradients` that are final while the pass goes on, in the architecture's
    ///     `backwardOrder`.
    public func backward(
        _ state: NetworkState, outputGradient: Tensor, gradients: UnsafeMutableBufferPointer<Float>,
        finished: ((Range<Int>) -> Void)? = nil
    ) {
        precondition(
            gradients.count == architecture.parameters.count, "\(gradients.count) gradients for the parameters")
        let shape = outputGradient.shape
        withPass(state) { pass in
            let pass = Pass(
                engine: engine, parameters: pass.parameters, statistics: pass.statistics, isTraining: true,
                gradients: gradients.baseAddress, finished: finished)
            let y = engine.map(
                samples: shape[0], extent: ZYX(shape[1], shape[2], shape[3]), channels: shape[4] * shape[5])
            outputGradient.values.withUnsafeBufferPointer {
                y.pointer.update(from: $0.baseAddress.unsafelyUnwrapped, count: outputGradient.count)
            }
            graph.backward(consume y, pass)
        }
    }

    private func withPass<Result>(
        _ state: NetworkState,
        _ body: ((parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>?)) -> Result
    ) -> Result {
        precondition(
            state.architecture == architecture,
            "a state of \(state.architecture.name) is not one of \(architecture.name)")
        return state.parameters.withUnsafeBufferPointer { parameters in
            state.statistics.withUnsafeBufferPointer { statistics in
                body((parameters.baseAddress.unsafelyUnwrapped, statistics.baseAddress))
            }
        }
    }
}
