import Compute

/// The upward path's result beside a map from the way down and, where wanted, the coordinates of its cells.
///
///     low ─ transposed convolution, bn, ReLU ─┐
///     side ───────────────────────────────────┤ channels beside one another
///     coordinates (z, y, x) ──────────────────┘
///
/// All are written into one map in place, padded to a multiple of 8 channels, as the kernels want it.
final class UpwardJoin: Block {
    private let name: String
    private let path: UpwardBlock
    private let hasCoordinates: Bool

    init(_ name: String, _ path: UpwardBlock, hasCoordinates: Bool) {
        self.name = name
        self.path = path
        self.hasCoordinates = hasCoordinates
    }

    var backwardOrder: [Range<Int>] { [path.parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        var parts = [path.describe(inputs[0], in: &flow), inputs[1]]
        if hasCoordinates {
            parts.append(
                Operation.Value(name: "coord", channels: 3, reduction: inputs[1].reduction, trainedChannels: 0))
        }
        return flow.joined(parts, name)
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let side = inputs.removeLast()
        let low = inputs.removeLast()
        let joint = path.channels + side.channels
        let merged = pass.engine.map(like: side, channels: hasCoordinates ? (joint + 3 + 7) / 8 * 8 : joint)
        path.forward(low, into: merged.channels(0..<path.channels), pass)
        pass.engine.copy(side, into: merged.channels(path.channels..<joint))
        if hasCoordinates {
            if let coord = pass.coord {
                pass.engine.interleave(coord, into: merged.channels(joint..<merged.channels))
            } else {
                precondition(pass.engine.isPlanning, "a forward pass needs the coordinates")
            }
        }
        return merged
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        let side = gradient.channels(path.channels..<path.channels + inputs.trainedChannels[1])
        return [path.backward(gradient.channels(0..<path.channels), pass), side]
    }
}
