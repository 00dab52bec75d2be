import Basics
import Compute

/// The residual block: two convolutions with normalisation beside a shortcut, then the last ReLU.
///
///     x ─ conv1 ─ norm1 ─ ReLU ─ conv2 ─ norm2 ─ (+) ─ ReLU ─
///     └────────── identity, or 1x1x1 and bn ──┘
///
/// The second convolution normalises its input as it reads it. For the backward pass the block keeps the results of the
/// two convolutions and, if wanted, the output; the shortcut's map is computed again.
final class PostRes {
    private let name: String
    private let conv1: Convolution
    private let norm1: Normalization
    private let conv2: Convolution
    private let norm2: Normalization
    private let shortcut: (convolution: Convolution, norm: Normalization)?
    private let inputs: Int
    /// The block's parameters.
    let parameters: Range<Int>
    private var kept: Kept?

    private struct Kept {
        let input: FeatureMap
        let first: FeatureMap
        let firstStatistics: Statistics
        let second: FeatureMap
        let secondStatistics: Statistics
        let shortcutStatistics: Statistics?
        var output: FeatureMap?
    }

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: Declarations) {
        self.name = name
        self.inputs = inputs
        let start = declarations.parameters.count
        let names = declarations.conventions
        conv1 = Convolution("\(name).\(names.first.convolution)", inputs, outputs, isNormalized: true, declarations)
        norm1 = Normalization("\(name).\(names.first.normalization)", outputs, declarations)
        conv2 = Convolution("\(name).\(names.second.convolution)", outputs, outputs, isNormalized: true, declarations)
        norm2 = Normalization(
            "\(name).\(names.second.normalization)", outputs, endsResidual: true, declarations)
        shortcut =
            inputs == outputs
            ? nil
            : (
                Convolution(
                    "\(name).\(names.shortcut.convolution)", side: 1, inputs, outputs, isNormalized: true,
                    declarations),
                Normalization("\(name).\(names.shortcut.normalization)", outputs, declarations)
            )
        parameters = start..<declarations.parameters.count
    }

    func describe(_ x: Operation.Value, in flow: inout Flow) -> Operation.Value {
        let inner = flow.rectified(flow.normalized(flow.convolution(x, conv1), norm1))
        let branch = flow.normalized(flow.convolution(inner, conv2), norm2)
        let beside = shortcut.map { flow.normalized(flow.convolution(x, $0.convolution), $0.norm) } ?? x
        return flow.rectified(flow.sum(branch, beside, "\(name).sum"))
    }

    /// Computes the output of the block.
    ///
    /// - Parameter keepsOutput: Whether the backward pass finds the output in memory, rather than making it again.
    func forward(_ x: FeatureMap, keepsOutput: Bool, _ pass: Pass) -> FeatureMap {
        let span = pass.engine.begin(name)
        defer { span.end() }
        precondition(keepsOutput || shortcut == nil, "only an output with an identity shortcut is made again")
        let engine = pass.engine
        let (first, firstStatistics, second) = convolve(x, pass)
        let secondStatistics = norm2.statistics(second, pass)
        var residual = Residual.identity(x)
        var shortcutStatistics: Statistics?
        if let shortcut {
            let map = shortcut.convolution.forward(x, pass)
            let statistics = shortcut.norm.statistics(map, pass)
            residual = .normalized(map, shortcut.norm.parameters(pass), statistics)
            shortcutStatistics = statistics
        }
        let output = pass.isTraining ? engine.map(like: second) : second
        engine.normalize(second, norm2.parameters(pass), secondStatistics, residual: residual, into: output)
        kept = first.map {
            Kept(
                input: x, first: $0, firstStatistics: firstStatistics, second: second,
                secondStatistics: secondStatistics, shortcutStatistics: shortcutStatistics,
                output: keepsOutput ? output : nil)
        }
        return output
    }

    /// The output of the last training pass, made again if it was not kept.
    func output(_ pass: Pass) -> FeatureMap {
        guard let k = kept else { preconditionFailure("no forward pass") }
        if let output = k.output { return output }
        let output = pass.engine.map(like: k.second)
        pass.engine.normalize(
            k.second, norm2.parameters(pass), k.secondStatistics, residual: .identity(k.input), into: output)
        kept?.output = output
        return output
    }

    /// Runs the two convolutions. The first one's map is returned in training only: in evaluation its memory is free
    /// before the shortcut needs some.
    private func convolve(
        _ x: FeatureMap, _ pass: Pass
    ) -> (first: FeatureMap?, firstStatistics: Statistics, second: FeatureMap) {
        let first = conv1.forward(x, pass)
        let statistics = norm1.statistics(first, pass)
        let second = conv2.forward(first, through: norm1.activation(statistics, pass), pass)
        return (pass.isTraining ? first : nil, statistics, second)
    }

    /// Computes the gradient of the input, and those of the block's parameters.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the output; its memory is used.
    ///   - channels: The number of the input's channels, the first ones, that need a gradient; by default all.
    func backward(_ gradient: consuming FeatureMap, channels: Int? = nil, _ pass: Pass) -> FeatureMap {
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        let output = output(pass)
        guard let k = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let channels = channels ?? inputs
        // The gradients of normalised maps take the maps' place.
        norm2.backward(k.second, k.secondStatistics, .output(output), gradient: gradient, into: k.second, pass)
        conv2.weightsGradient(k.first, through: norm1.activation(k.firstStatistics, pass), k.second, pass)
        let inner = conv2.dataGradient(k.second, channels: conv1.outputs, pass)
        norm1.backward(k.first, k.firstStatistics, .rectified, gradient: consume inner, into: k.first, pass)
        conv1.weightsGradient(k.input, k.first, pass)
        let x = conv1.dataGradient(k.first, channels: channels, pass)
        // `gradient` is masked by the last ReLU now, so it is the shortcut's too.
        if let shortcut, let statistics = k.shortcutStatistics {
            let map = shortcut.convolution.forward(k.input, pass)
            shortcut.norm.backward(map, statistics, .none, gradient: gradient, into: map, pass)
            shortcut.convolution.weightsGradient(k.input, map, pass)
            pass.engine.add(shortcut.convolution.dataGradient(map, channels: channels, pass), to: x)
        } else {
            pass.engine.add(gradient, to: x)
        }
        pass.finished?(parameters)
        return x
    }
}
