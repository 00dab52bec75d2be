import Basics
import Compute

/// Convolutions behind one another, each with normalisation and ReLU.
///
///     x ─ conv ─ norm ─ ReLU ─ … ─
///
/// All convolutions but the first normalise their inputs as they read them. For the backward pass the block keeps the
/// results of the convolutions.
final class ConvolutionSeries: Block {
    private struct Unit {
        let convolution: Convolution
        let normalization: Normalization
        let parameters: Range<Int>
    }

    private let name: String
    private let units: [Unit]
    private var kept: [(convolved: FeatureMap, statistics: Statistics)] = []

    /// Declares a single convolution of stride 2, which has the block's name.
    convenience init(halving name: String, side: Int, _ inputs: Int, _ outputs: Int, _ declarations: Declarations) {
        self.init(name, [name], side: side, stride: 2, inputs, outputs, declarations)
    }

    /// Declares several convolutions of 3x3x3 under the block's name and their numbers.
    convenience init(_ name: String, _ channels: Int, count: Int, _ declarations: Declarations) {
        self.init(name, (0..<count).map { "\(name).\($0)" }, side: 3, stride: 1, channels, channels, declarations)
    }

    private init(
        _ name: String, _ units: [String], side: Int, stride: Int, _ inputs: Int, _ outputs: Int,
        _ declarations: Declarations
    ) {
        self.name = name
        let names = declarations.conventions.alone
        self.units = units.enumerated().map { index, unit in
            let start = declarations.parameters.count
            let convolution = Convolution(
                "\(unit).\(names.convolution)", side: side, stride: stride, index == 0 ? inputs : outputs, outputs,
                isNormalized: true, declarations)
            let normalization = Normalization("\(unit).\(names.normalization)", outputs, declarations)
            return Unit(
                convolution: convolution, normalization: normalization,
                parameters: start..<declarations.parameters.count)
        }
    }

    var backwardOrder: [Range<Int>] { units.reversed().map(\.parameters) }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        units.reduce(inputs[0]) {
            flow.rectified(flow.normalized(flow.convolution($0, $1.convolution), $1.normalization))
        }
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        var x = inputs.removeLast()
        let span = pass.engine.begin(name)
        defer { span.end() }
        var activation: InputActivation?
        for unit in units {
            let convolved = unit.convolution.forward(x, through: activation, pass)
            let statistics = unit.normalization.statistics(convolved, pass)
            if pass.isTraining { kept.append((convolved, statistics)) }
            activation = unit.normalization.activation(statistics, pass)
            x = convolved
        }
        guard let activation else { return x }
        let result = pass.isTraining ? pass.engine.map(like: x) : x
        pass.engine.normalize(x, activation, into: result)
        return result
    }

    func output(_ pass: Pass) -> FeatureMap {
        let last = kept.count - 1
        let output = pass.engine.map(like: kept[last].convolved)
        pass.engine.normalize(kept[last].convolved, activation(last, pass), into: output)
        return output
    }

    /// The normalisation and ReLU behind a unit's convolution.
    private func activation(_ index: Int, _ pass: Pass) -> InputActivation {
        units[index].normalization.activation(kept[index].statistics, pass)
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        let span = pass.engine.begin("\(name) gradient")
        defer { span.end() }
        precondition(kept.count == units.count, "no forward pass")
        for (index, unit) in units.enumerated().reversed() {
            let (convolved, statistics) = kept.removeLast()
            // The gradient of a normalised map takes the map's place.
            unit.normalization.backward(
                convolved, statistics, .rectified, gradient: gradient, into: convolved, pass)
            if index == 0 {
                unit.convolution.weightsGradient(inputs.map(0), convolved, pass)
            } else {
                unit.convolution.weightsGradient(
                    kept[index - 1].convolved, through: activation(index - 1, pass), convolved, pass)
            }
            gradient = unit.convolution.dataGradient(
                convolved, channels: index == 0 ? inputs.trainedChannels[0] : unit.convolution.inputs, pass)
            pass.finished?(unit.parameters)
        }
        return [gradient]
    }
}
