import Compute

/// The blocks of a network and the maps that flow between them. Everything else follows: the forward pass, the backward
/// pass, the order in which gradients are finished, and when a map's memory is free.
final class NetworkGraph {
    private struct Node {
        let block: any Block
        let inputs: [Int]
        let output: Int
        /// The number of channels of each input that need a gradient.
        let trainedChannels: [Int]
    }

    private var nodes: [Node] = []
    /// The facts about each value; input 0 is the crop. Blocks read the coordinates from the pass.
    private var values: [Operation.Value]
    private(set) var flow = Flow()

    /// The tensors that blocks declare.
    let declarations: Declarations

    /// A map between blocks.
    struct Edge {
        fileprivate let index: Int
    }

    init(_ conventions: Conventions) {
        declarations = Declarations(conventions)
        values = [Operation.Value(name: "input", channels: 1, reduction: 1, trainedChannels: 0)]
    }

    /// The crop, [N, 1, D, H, W].
    var input: Edge { Edge(index: 0) }

    /// The value that is the network's output: the last one made.
    var output: Operation.Value { values[values.count - 1] }

    /// Puts a block behind others and returns its output.
    func add(_ block: any Block, after inputs: Edge...) -> Edge {
        precondition(!nodes.contains { $0.block === block }, "a block has one place in a network")
        let known = inputs.map { values[$0.index] }
        nodes.append(
            Node(
                block: block, inputs: inputs.map(\.index), output: values.count,
                trainedChannels: known.map(\.trainedChannels)))
        values.append(block.describe(known, in: &flow))
        return Edge(index: values.count - 1)
    }

    /// The ranges of parameters in the order in which a backward pass finishes their gradients.
    var backwardOrder: [Range<Int>] { nodes.reversed().flatMap(\.block.backwardOrder) }

    /// Runs the blocks in order. A map is handed to the last block that reads it.
    func forward(_ x: consuming FeatureMap, _ pass: Pass) -> FeatureMap {
        var maps = [FeatureMap?](repeating: nil, count: values.count)
        maps[0] = consume x
        for (index, node) in nodes.enumerated() {
            var inputs: [FeatureMap] = []
            for input in node.inputs {
                guard let map = maps[input] else { preconditionFailure("a map is read before it is made") }
                inputs.append(map)
                let isReadLater = nodes[(index + 1)...].contains { $0.inputs.contains(input) }
                if !isReadLater { maps[input] = nil }
            }
            maps[node.output] = node.block.forward(consume inputs, pass)
        }
        guard let result = maps[values.count - 1] else { preconditionFailure("a network without blocks") }
        return result
    }

    /// Runs the blocks backwards. Gradients are handed over, so that each one's memory is free as soon as nothing needs
    /// it.
    func backward(_ gradient: consuming FeatureMap, _ pass: Pass) {
        var gradients = [FeatureMap?](repeating: nil, count: values.count)
        gradients[values.count - 1] = consume gradient
        for node in nodes.reversed() {
            guard let own = gradients[node.output] else { preconditionFailure("an output that nothing reads") }
            gradients[node.output] = nil
            let inputs = BlockInputs(trainedChannels: node.trainedChannels) { index in
                self.map(node.inputs[index], pass)
            }
            let results = node.block.backward(consume own, inputs, pass)
            for (input, result) in zip(node.inputs, results) {
                guard let result else { continue }
                if let other = gradients[input] { pass.engine.add(other, to: result) }
                gradients[input] = result
            }
        }
    }

    /// A value of the last training forward pass.
    private func map(_ value: Int, _ pass: Pass) -> FeatureMap {
        guard let maker = nodes.first(where: { $0.output == value }) else {
            preconditionFailure("the network's input is not kept")
        }
        return maker.block.output(pass)
    }
}
