import Compute

/// The network's numbers from several outputs, beside one another.
final class OutputJoin: Block {
    private let name: String
    private var widths: [Int] = []

    init(_ name: String) { self.name = name }

    let backwardOrder: [Range<Int>] = []

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        widths = inputs.map(\.channels)
        return flow.joined(inputs, name)
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        let result = pass.engine.map(like: inputs[0], channels: widths.reduce(0, +))
        for (input, range) in zip(inputs, ranges) { pass.engine.copy(input, into: result.channels(range)) }
        return result
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        ranges.map { gradient.channels($0) }
    }

    private var ranges: [Range<Int>] {
        var end = 0
        return widths.map { width in
            end += width
            return end - width..<end
        }
    }
}
