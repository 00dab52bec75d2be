import Compute

/// A group of layers with a forward and a backward pass of its own; networks are made of such blocks.
///
/// A block keeps what its backward pass needs from one training forward pass to the next backward pass, so it has one
/// place in one network.
protocol Block: AnyObject {
    /// The parameters of the block's parts, in the order in which its backward pass finishes their gradients.
    var backwardOrder: [Range<Int>] { get }

    /// Describes the block's layers in evaluation mode.
    ///
    /// - Returns: The output.
    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value

    /// Makes the output of the inputs, which are handed over, so that a map's memory is free when the block lets it go.
    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap

    /// Writes the gradients of the block's parameters and tells of them as `backwardOrder` says.
    ///
    /// - Parameters:
    ///   - gradient: The gradient of the output; its memory may be used.
    ///   - inputs: The forward pass's inputs, as far as they are asked for.
    /// - Returns: The gradients of the inputs' trained channels, each a map that the caller may change; nil where an
    ///   input has none.
    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?]

    /// The output of the last training forward pass, made again if it was not kept.
    func output(_ pass: Pass) -> FeatureMap
}

/// The knowledge of its inputs that a block's backward pass can ask for.
struct BlockInputs {
    /// The number of channels of each input, the first ones, that need a gradient.
    let trainedChannels: [Int]
    /// The map of an input, made again where it is not in memory.
    let map: (_ index: Int) -> FeatureMap
}

extension Block {
    func output(_ pass: Pass) -> FeatureMap {
        preconditionFailure("\(Self.self) does not keep its output: put no block behind it that needs it again")
    }
}
