import Compute

/// The residual block: two convolutions with batch normalisation beside a shortcut, then the last ReLU.
///
///     x ─ conv1 ─ bn1 ─ ReLU ─ conv2 ─ bn2 ─ (+) ─ ReLU ─
///     └────────── identity, or 1x1x1 and bn ──┘
final class PostRes {
    private let conv1: Convolution
    private let bn1: BatchNormalization
    private let conv2: Convolution
    private let bn2: BatchNormalization
    private let shortcut: (convolution: PointwiseConvolution, bn: BatchNormalization)?
    private let inputs: Int
    private var kept: Kept?

    private struct Kept {
        let input: FeatureMap
        let first: FeatureMap
        let firstStatistics: Statistics
        let inner: FeatureMap
        let second: FeatureMap
        let secondStatistics: Statistics
        let shortcut: (map: FeatureMap, statistics: Statistics)?
        let output: FeatureMap
    }

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: inout Declarations) {
        self.inputs = inputs
        conv1 = Convolution("\(name).conv1", inputs, outputs, &declarations)
        bn1 = BatchNormalization("\(name).bn1", outputs, &declarations)
        conv2 = Convolution("\(name).conv2", outputs, outputs, &declarations)
        bn2 = BatchNormalization("\(name).bn2", outputs, &declarations)
        shortcut =
            inputs == outputs
            ? nil
            : (
                PointwiseConvolution("\(name).shortcut.0", inputs, outputs, &declarations),
                BatchNormalization("\(name).shortcut.1", outputs, &declarations)
            )
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        let engine = pass.engine
        let first = conv1.forward(x, pass)
        let firstStatistics = bn1.statistics(first, pass)
        let inner = pass.isTraining ? engine.map(like: first) : first
        engine.normalize(first, bn1.parameters(pass), firstStatistics, into: inner)

        let second = conv2.forward(inner, pass)
        let secondStatistics = bn2.statistics(second, pass)
        let residual: Residual
        var side: (FeatureMap, Statistics)?
        if let shortcut {
            let map = shortcut.convolution.forward(x, pass)
            let statistics = shortcut.bn.statistics(map, pass)
            side = (map, statistics)
            residual = .normalized(map, shortcut.bn.parameters(pass), statistics)
        } else {
            residual = .identity(x)
        }
        let output = pass.isTraining ? engine.map(like: second) : second
        engine.normalize(second, bn2.parameters(pass), secondStatistics, residual: residual, into: output)
        kept =
            pass.isTraining
            ? Kept(
                input: x, first: first, firstStatistics: firstStatistics, inner: inner, second: second,
                secondStatistics: secondStatistics, shortcut: side, output: output)
            : nil
        return output
    }

    /// - Parameters:
    ///   - gradient: Of the output; its memory is used.
    ///   - channels: How many of the input's channels need a gradient: the first ones.
    func backward(_ gradient: FeatureMap, channels: Int? = nil, _ pass: Pass) -> FeatureMap {
        guard let k = kept else { preconditionFailure("no forward pass") }
        kept = nil
        let channels = channels ?? inputs
        let second = bn2.backward(
            k.second, k.secondStatistics, output: k.output, gradient: gradient, inPlace: false, pass)
        conv2.weightsGradient(k.inner, second, pass)
        let inner = conv2.dataGradient(second, channels: conv1.outputs, pass)
        let first = bn1.backward(k.first, k.firstStatistics, output: k.inner, gradient: inner, inPlace: true, pass)
        conv1.weightsGradient(k.input, first, pass)
        let x = conv1.dataGradient(first, channels: channels, pass)
        // `gradient` is masked by the last ReLU now, so it is the shortcut's too.
        if let shortcut, let side = k.shortcut {
            let inner = shortcut.bn.backward(
                side.map, side.statistics, output: nil, gradient: gradient, inPlace: true, pass)
            shortcut.convolution.weightsGradient(k.input, inner, normalized: true, pass)
            pass.engine.add(shortcut.convolution.dataGradient(inner, channels: channels, pass), to: x)
        } else {
            pass.engine.add(gradient, to: x)
        }
        return x
    }
}

/// Residual blocks in sequence: the first may change the number of channels.
final class Stage {
    private let blocks: [PostRes]

    init(_ name: String, _ inputs: Int, _ outputs: Int, blocks: Int, _ declarations: inout Declarations) {
        self.blocks = (0..<blocks).map { PostRes("\(name).\($0)", $0 == 0 ? inputs : outputs, outputs, &declarations) }
    }

    func forward(_ x: FeatureMap, _ pass: Pass) -> FeatureMap {
        blocks.reduce(x) { $1.forward($0, pass) }
    }

    func backward(_ gradient: FeatureMap, channels: Int? = nil, _ pass: Pass) -> FeatureMap {
        var gradient = gradient
        for (index, block) in blocks.enumerated().reversed() {
            gradient = block.backward(gradient, channels: index == 0 ? channels : nil, pass)
        }
        return gradient
    }
}
