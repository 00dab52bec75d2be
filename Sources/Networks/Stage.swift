import Compute

/// A sequence of residual blocks, the first of which may change the number of channels.
final class Stage: Block {
    private let blocks: [PostRes]
    private let keepsOutput: Bool

    /// Declares the blocks.
    ///
    /// - Parameter keepsOutput: False where the result is large and wanted only for a moment before the backward pass
    ///   comes back to it.
    init(
        _ name: String, _ inputs: Int, _ outputs: Int, blocks: Int, keepsOutput: Bool = true,
        _ declarations: Declarations
    ) {
        let list = "\(name).\(declarations.conventions.list)"
        self.blocks = (0..<blocks).map { PostRes("\(list)\($0)", $0 == 0 ? inputs : outputs, outputs, declarations) }
        self.keepsOutput = keepsOutput
    }

    var backwardOrder: [Range<Int>] { blocks.reversed().map(\.parameters) }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        blocks.reduce(inputs[0]) { $1.describe($0, in: &flow) }
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        var x = inputs.removeLast()
        for (index, block) in blocks.enumerated() {
            x = block.forward(x, keepsOutput: keepsOutput || index < blocks.count - 1, pass)
        }
        return x
    }

    func output(_ pass: Pass) -> FeatureMap { blocks[blocks.count - 1].output(pass) }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        for (index, block) in blocks.enumerated().reversed() {
            gradient = block.backward(
                consume gradient, channels: index == 0 ? inputs.trainedChannels[0] : nil, pass)
        }
        return [gradient]
    }
}
