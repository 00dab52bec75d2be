import Basics
import Compute

/// The way in: two convolutions at full resolution, each with normalisation and ReLU, then max-pooling by 2.
///
///     x ─ conv 1→24 ─ bn ─ ReLU ─ conv 24→24 ─ bn ─ ReLU ─ max 2x2x2 ─
///
/// Maps of 24 channels at full resolution are the largest of the network, so only one of them outlives the forward
/// pass: the second convolution's result. The first layer is cheap and computed again; the second activation is never
/// written, since only its maxima are wanted.
final class EntryBlock: Block {
    private let name: String
    private let first: FirstUnit
    private let conv2: Convolution
    private let norm2: Normalization
    private let parameters: Range<Int>
    private var kept: Kept?

    private struct Kept {
        let input: FeatureMap
        let firstStatistics: Statistics
        let second: FeatureMap
        let secondStatistics: Statistics
    }

    init(_ name: String, _ declarations: Declarations) {
        self.name = name
        let channels = 24
        let start = declarations.parameters.count
        first = FirstUnit(name, declarations.conventions.alone, channels: channels, declarations)
        conv2 = Convolution("\(name).3", channels, channels, isNormalized: true, declarations)
        norm2 = Normalization("\(name).4", channels, declarations)
        parameters = start..<declarations.parameters.count
    }

    var backwardOrder: [Range<Int>] { [parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        let inner = first.describe(inputs[0], in: &flow)
        let second = flow.rectified(flow.normalized(flow.convolution(inner, conv2), norm2))
        return flow.pooled(second, "maxpool1")
    }

    /// Computes a map [N, D/2, H/2, W/2, C] of a crop [N, D, H, W, 1].
    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let x = inputs.removeLast()
        let engine = pass.engine
        let span = engine.begin(name)
        defer { span.end() }
        let pooled = engine.map(samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: conv2.outputs)
        guard pass.isTraining else {
            evaluate(x, into: pooled, pass)
            return pooled
        }
        let firstStatistics = first.statistics(x, pass)
        let second = conv2.forward(first.activation(x, firstStatistics, pass), pass)
        let secondStatistics = norm2.statistics(second, pass)
        engine.poolNormalized(second, norm2.parameters(pass), secondStatistics, into: pooled)
        kept = Kept(
            input: x, firstStatistics: firstStatistics, second: second, secondStatistics: secondStatistics)
        return pooled
    }

    /// Evaluates a few planes after the other, so that no map at full resolution is ever whole: running statistics need
    /// nothing from far away. Without them the second convolution's map must be whole, since its own statistics come
    /// first; the first one's, which is computed again, need not be.
    private func evaluate(_ x: FeatureMap, into pooled: FeatureMap, _ pass: Pass) {
        let engine = pass.engine
        let depth = x.extent.z
        let step = 8  // a multiple of 4, so that the tiles are those of the whole map
        for sample in 0..<x.samples {
            let input = x.sample(sample)
            let output = pooled.sample(sample)
            let firstStatistics = first.statistics(input, pass)
            let running = norm2.running(pass)
            let whole = running == nil ? engine.map(like: input, channels: conv2.outputs) : nil
            for start in stride(from: 0, to: depth, by: step) {
                let planes = start..<min(start + step, depth)
                let around = max(0, start - 1)..<min(planes.upperBound + 1, depth)
                let inner = first.activation(input, planes: around, firstStatistics, pass)
                let second =
                    whole?.planes(planes)
                    ?? engine.map(
                        samples: 1, extent: ZYX(planes.count, x.extent.y, x.extent.x), channels: conv2.outputs)
                conv2.forward(inner, first: start - around.lowerBound, of: depth, into: second, pass)
                if let running {
                    engine.poolNormalized(second, norm2.parameters(pass), running, into: output, first: start / 2)
                }
            }
            if let whole {
                engine.poolNormalized(whole, norm2.parameters(pass), norm2.statistics(whole, pass), into: output)
            }
        }
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        guard let k = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let engine = pass.engine
        let span = engine.begin("\(name) gradient")
        defer { span.end() }
        let second = k.second
        engine.poolNormalizedGradient(
            second, gradient: consume gradient, norm2.parameters(pass), k.secondStatistics,
            scaleGradient: pass.gradient(norm2.weight, norm2.channels),
            shiftGradient: pass.gradient(norm2.bias, norm2.channels))
        conv2.weightsGradient(first.activation(k.input, k.firstStatistics, pass), second, pass)
        let inner = conv2.dataGradient(second, channels: conv2.inputs, pass)
        first.backward(k.input, k.firstStatistics, gradient: inner, pass)
        pass.finished?(parameters)
        return [nil]
    }
}
