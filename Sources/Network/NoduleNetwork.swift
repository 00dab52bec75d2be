import Basics
import Compute

/// The nodule detector's network: a 3-D U-Net of residual blocks with coordinates, the one that won the 2017 Data
/// Science Bowl (F. Liao et al., "Evaluate the Malignancy of Pulmonary Nodules Using the 3-D Deep Leaky Noisy-OR
/// Network", IEEE TNNLS 2019).
///
/// Input [N, 1, D, H, W] and coord [N, 3, D/4, H/4, W/4] to [N, D/4, H/4, W/4, 3 anchors, 5]; the components are
/// (logit, dz, dy, dx, dd). D, H and W are multiples of 16. Not for use by two threads at once.
public final class NoduleNetwork {
    // One line per stage, in the order of PyTorch's `state_dict`; on the right, the resolution.
    private let preBlock: EntryBlock  //    1 → 24              1 → 1/2
    private let forw1: Stage  //                24 → 32              1/2
    private let forw2: Stage  //                32 → 64              1/4
    private let forw3: Stage  //                64 → 64              1/8
    private let forw4: Stage  //                64 → 64              1/16
    private let back2: Stage  // 64 + 64 + 3 coord → 128             1/4
    private let back3: Stage  //           64 + 64 → 64              1/8
    private let path1: UpwardBlock  //          64 → 64   1/16 → 1/8
    private let path2: UpwardBlock  //          64 → 64    1/8 → 1/4
    private let output: Head  //          128 → 64 → 15              1/4
    private let pools = (2...4).map { MaxPooling("maxpool\($0)") }

    private init(_ engine: Engine, _ d: inout Declarations) {
        self.engine = engine
        batchStatistics = []
        preBlock = EntryBlock("preBlock", &d)
        forw1 = Stage("forw1", 24, 32, blocks: 2, &d)
        forw2 = Stage("forw2", 32, 64, blocks: 2, &d)
        forw3 = Stage("forw3", 64, 64, blocks: 3, &d)
        forw4 = Stage("forw4", 64, 64, blocks: 3, &d)
        back2 = Stage("back2", 131, 128, blocks: 3, &d)
        back3 = Stage("back3", 128, 64, blocks: 3, &d)
        path1 = UpwardBlock("path1", 64, &d)
        path2 = UpwardBlock("path2", 64, &d)
        output = Head("output", 128, 64, Self.anchors * Self.components, &d)
    }

    private func forward(_ x: consuming FeatureMap, coord: Tensor, factors: [Float]?, _ pass: Pass) -> FeatureMap {
        let entered = preBlock.forward(x, pass)
        _ = consume x  // in evaluation its memory is free from here on
        let half = forw1.forward(consume entered, keepsOutput: false, pass)
        let quarter = forw2.forward(pools[0].forward(consume half, pass), keepsOutput: false, pass)
        let eighth = forw3.forward(pools[1].forward(quarter, pass), keepsOutput: false, pass)
        let sixteenth = forw4.forward(pools[2].forward(eighth, pass), pass)
        let up3 = back3.forward(concatenate(path1, sixteenth, eighth, coord: nil, pass), pass)
        let up2 = back2.forward(concatenate(path2, up3, quarter, coord: coord, pass), pass)
        return output.forward(up2, factors: factors, pass)
    }

    /// Gradients are handed over, so that each one's memory is free as soon as nothing needs it.
    private func backward(_ gradient: consuming FeatureMap, _ pass: Pass) {
        let merged2 = back2.backward(output.backward(gradient, pass), channels: 128, pass)
        let merged3 = back3.backward(path2.backward(merged2.channels(0..<64), pass), pass)
        let sixteenth = forw4.backward(path1.backward(merged3.channels(0..<64), pass), pass)
        let eighth = pools[2].backward(consume sixteenth, input: forw3.output(pass), pass)
        pass.engine.add((consume merged3).channels(64..<128), to: eighth)
        let quarter = pools[1].backward(forw3.backward(consume eighth, pass), input: forw2.output(pass), pass)
        pass.engine.add((consume merged2).channels(64..<128), to: quarter)
        let half = pools[0].backward(forw2.backward(consume quarter, pass), input: forw1.output(pass), pass)
        preBlock.backward(forw1.backward(consume half, pass), pass)
    }

    /// The upward path's result beside the map from the way down, and the coordinates; padded to a multiple of 8
    /// channels, as the kernels want it.
    private func concatenate(
        _ path: UpwardBlock, _ low: FeatureMap, _ side: FeatureMap, coord: Tensor?, _ pass: Pass
    ) -> FeatureMap {
        let merged = pass.engine.map(like: side, channels: coord == nil ? 128 : 136)
        path.forward(low, into: merged.channels(0..<64), pass)
        pass.engine.copy(side, into: merged.channels(64..<128))
        if let coord { pass.engine.interleave(coord, into: merged.channels(128..<136)) }
        return merged
    }

    // MARK: - The pass from outside

    public static let anchors = 3
    public static let components = 5

    /// Where each parameter lies in `NetworkState.parameters`: PyTorch's names, shapes and order; 5,383,623 floats.
    public static let parameters = declarations.parameters
    /// Where each running mean and variance lies in `NetworkState.statistics`.
    public static let statistics = declarations.statistics

    /// The ranges of `parameters` in the order in which a backward pass finishes their gradients.
    public static let backwardOrder: [Range<Int>] = {
        let network = NoduleNetwork(pool: ThreadPool(threads: 1))
        var order = [network.output.parameters]
        order += network.back2.backwardOrder
        order.append(network.path2.parameters)
        order += network.back3.backwardOrder
        order.append(network.path1.parameters)
        for stage in [network.forw4, network.forw3, network.forw2, network.forw1] { order += stage.backwardOrder }
        order.append(network.preBlock.parameters)
        return order
    }()

    /// How much of a running statistic a step replaces: running ← 0.9 running + 0.1 batch.
    public static let statisticsMomentum: Float = 0.1

    private static let declarations: Declarations = {
        var declarations = Declarations()
        _ = NoduleNetwork(Engine(pool: ThreadPool(threads: 1)), &declarations)
        return declarations
    }()

    public let engine: Engine
    /// Of the last training forward pass: batch means and unbiased variances, laid out as `statistics`.
    public private(set) var batchStatistics: [Float]
    private var lastShape: [Int] = []

    public enum Mode {
        /// Batch statistics, and channels dropped with probability `dropout`, drawn from `generator`.
        case training(dropout: Double, generator: CounterGenerator)
        /// Running statistics, no dropout, no backward pass.
        case evaluation
    }

    /// About how many bytes the engine takes for an evaluation of one map [D, H, W], activations and scratch memory: an
    /// upper bound fitted to `Engine.plannedBytes` from 96 to 304 voxels a side. Maps at half resolution count per
    /// voxel, the slabs of `EntryBlock` per pixel of a plane.
    public static func evaluationBytes(_ extent: ZYX<Int>) -> Int {
        16 << 20 + 47 * extent.z * extent.y * extent.x + 700 * extent.y * extent.x
    }

    public convenience init(pool: ThreadPool) { self.init(engine: Engine(pool: pool)) }

    public convenience init(engine: Engine) {
        var declarations = Declarations()
        self.init(engine, &declarations)
    }

    /// Runs the network.
    ///
    /// - Parameters:
    ///   - input: [N, 1, D, H, W].
    ///   - coord: [N, 3, D/4, H/4, W/4].
    /// - Returns: [N, D/4, H/4, W/4, 3, 5].
    public func forward(_ state: NetworkState, input: Tensor, coord: Tensor, mode: Mode) -> Tensor {
        let shape = input.shape
        precondition(
            shape.count == 5 && shape[1] == 1 && shape[2...].allSatisfy { $0 > 0 && $0 % 16 == 0 },
            "the network's input is [N, 1, D, H, W] with sides that are multiples of 16, not \(shape)")
        let grid = shape[2...].map { $0 / 4 }
        precondition(coord.shape == [shape[0], 3] + grid, "coord \(coord.shape) does not fit input \(shape)")
        // Tiles and scans of many sizes would each leave their buffers behind.
        if shape != lastShape { engine.workspace.releaseUnused() }
        lastShape = shape

        var factors: [Float]?
        var isTraining = false
        if case .training(let dropout, var generator) = mode {
            isTraining = true
            if dropout > 0 {
                let kept = Float(1 / (1 - dropout))
                factors = (0..<shape[0] * 128).map { _ in generator.uniform() < dropout ? 0 : kept }
            }
        }
        var report = [Float](repeating: 0, count: isTraining ? Self.statistics.count : 0)
        let result = report.withUnsafeMutableBufferPointer { report in
            withPass(state, report: isTraining ? report.baseAddress : nil, gradients: nil) { pass in
                let x = engine.map(samples: shape[0], extent: ZYX(shape[2], shape[3], shape[4]), channels: 1)
                input.values.withUnsafeBufferPointer {
                    x.pointer.update(from: $0.baseAddress.unsafelyUnwrapped, count: input.count)
                }
                let y = forward(consume x, coord: coord, factors: factors, pass)
                return Tensor(
                    shape: [shape[0]] + grid + [Self.anchors, Self.components],
                    values: Array(UnsafeBufferPointer(start: y.pointer, count: y.voxels * y.channels)))
            }
        }
        if isTraining { batchStatistics = report }
        return result
    }

    /// Overwrites `gradients`, laid out as `parameters`, from the gradient of the last training forward pass's output.
    ///
    /// - Parameters:
    ///   - outputGradient: [N, D/4, H/4, W/4, 3, 5].
    ///   - finished: Told of ranges of `gradients` that are final while the pass goes on, in the order of `backwardOrder`.
    public func backward(
        _ state: NetworkState, outputGradient: Tensor, gradients: UnsafeMutableBufferPointer<Float>,
        finished: ((Range<Int>) -> Void)? = nil
    ) {
        precondition(gradients.count == Self.parameters.count, "\(gradients.count) gradients for the parameters")
        let shape = outputGradient.shape
        withPass(state, report: nil, gradients: gradients.baseAddress, finished: finished) { pass in
            let y = engine.map(
                samples: shape[0], extent: ZYX(shape[1], shape[2], shape[3]), channels: shape[4] * shape[5])
            outputGradient.values.withUnsafeBufferPointer {
                y.pointer.update(from: $0.baseAddress.unsafelyUnwrapped, count: outputGradient.count)
            }
            backward(consume y, pass)
        }
    }

    private func withPass<Result>(
        _ state: NetworkState, report: UnsafeMutablePointer<Float>?, gradients: UnsafeMutablePointer<Float>?,
        finished: ((Range<Int>) -> Void)? = nil, _ body: (Pass) -> Result
    ) -> Result {
        precondition(
            state.parameters.count == Self.parameters.count && state.statistics.count == Self.statistics.count,
            "a state of \(state.parameters.count) parameters is not this network's")
        return state.parameters.withUnsafeBufferPointer { parameters in
            state.statistics.withUnsafeBufferPointer { statistics in
                body(
                    Pass(
                        engine: engine, parameters: parameters.baseAddress.unsafelyUnwrapped,
                        statistics: statistics.baseAddress.unsafelyUnwrapped, batchStatistics: report,
                        gradients: gradients, finished: finished))
            }
        }
    }
}
