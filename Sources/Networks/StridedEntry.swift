import Basics
import Compute

/// The way in without pooling: a convolution at full resolution and one of stride 2, each with normalisation and ReLU.
///
///     x ─ conv 1→32 ─ norm ─ ReLU ─ conv 3x3x3 stride 2 ─ norm ─ ReLU ─
///
/// No map at full resolution outlives the forward pass.
final class StridedEntry: Block {
    private let name: String
    private let first: FirstUnit
    private let convolution: Convolution
    private let normalization: Normalization
    private let parameters: Range<Int>
    private var kept: Kept?

    private struct Kept {
        let input: FeatureMap
        let firstStatistics: Statistics
        let second: FeatureMap
        let secondStatistics: Statistics
    }

    /// Declares the layers.
    ///
    /// - Parameters:
    ///   - full: The name of the unit at full resolution, which is the block's.
    ///   - half: The name of the unit of stride 2.
    ///   - channels: The numbers of channels behind the one and the other.
    init(_ full: String, _ half: String, channels: (full: Int, half: Int), _ declarations: Declarations) {
        name = full
        let start = declarations.parameters.count
        let names = declarations.conventions.alone
        first = FirstUnit(full, names, channels: channels.full, declarations)
        convolution = Convolution(
            "\(half).\(names.convolution)", stride: 2, channels.full, channels.half, isNormalized: true, declarations)
        normalization = Normalization("\(half).\(names.normalization)", channels.half, declarations)
        parameters = start..<declarations.parameters.count
    }

    var backwardOrder: [Range<Int>] { [parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        let inner = first.describe(inputs[0], in: &flow)
        return flow.rectified(flow.normalized(flow.convolution(inner, convolution), normalization))
    }

    /// Computes a map [N, D/2, H/2, W/2, C] of a crop [N, D, H, W, 1].
    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let x = inputs.removeLast()
        let span = pass.engine.begin(name)
        defer { span.end() }
        guard pass.isTraining else { return evaluate(x, pass) }
        let statistics = first.statistics(x, pass)
        let second = convolution.forward(first.activation(x, statistics, pass), pass)
        kept = Kept(
            input: x, firstStatistics: statistics, second: second,
            secondStatistics: normalization.statistics(second, pass))
        return output(pass)
    }

    /// Evaluates a few planes after the other, so that no map at full resolution is ever whole.
    private func evaluate(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        let engine = pass.engine
        let result = engine.map(
            samples: x.samples, extent: x.extent.map { $0 / 2 }, channels: convolution.outputs)
        let step = 4
        for sample in 0..<x.samples {
            let (input, output) = (x.sample(sample), result.sample(sample))
            let statistics = first.statistics(input, pass)
            for start in stride(from: 0, to: result.extent.z, by: step) {
                let planes = start..<min(start + step, result.extent.z)
                let seen = max(0, 2 * start - 1)..<2 * planes.upperBound
                let inner = first.activation(input, planes: seen, statistics, pass)
                convolution.forward(inner, first: seen.lowerBound, into: output, planes: planes, pass)
            }
        }
        engine.normalize(
            result, normalization.parameters(pass), normalization.statistics(result, pass), into: result)
        return result
    }

    func output(_ pass: Pass) -> FeatureMap {
        guard let k = kept else { preconditionFailure("no forward pass") }
        let output = pass.engine.map(like: k.second)
        pass.engine.normalize(k.second, normalization.parameters(pass), k.secondStatistics, into: output)
        return output
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        guard let k = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        normalization.backward(
            k.second, k.secondStatistics, .rectified, gradient: consume gradient, into: k.second, pass)
        convolution.weightsGradient(first.activation(k.input, k.firstStatistics, pass), k.second, pass)
        let inner = convolution.dataGradient(k.second, channels: convolution.inputs, pass)
        first.backward(k.input, k.firstStatistics, gradient: inner, pass)
        pass.finished?(parameters)
        return [nil]
    }
}
