import FileIO
import Networks

/// A network as an ONNX model in evaluation mode (operator set 17), for any runtime: PyTorch's view of it, with batch
/// normalisation as an operation of its own, which runtimes fold by themselves, and group normalisation as several.
///
/// Inputs `input` [N, 1, D, H, W], grey levels as (u − 128) / 128, and, for a network that reads coordinates, `coord`
/// [N, 3, D/4, H/4, W/4]; output `output` [N, D/4, H/4, W/4, 3 anchors, 5] for `nodule-net` and `nodule-net-gn`,
/// [N, D/4, H/4, W/4, 1, 7] for `cpm-net` and `cpm-net-gn`. N, D, H and W are free; the sides are multiples of the
/// architecture's `sideUnit`.
public struct ONNXNetwork {
    private var graph = ONNXGraph()
    private let state: NetworkState

    /// Writes a network as a model, whole or not at all. The same weights give the same bytes.
    ///
    /// - Parameters:
    ///   - state: The weights and running statistics.
    ///   - origin: The facts that the model's metadata tell beside them.
    ///   - path: The file, which is replaced if it exists.
    /// - Throws: `FileError`.
    public static func write(_ state: NetworkState, origin: WeightsOrigin, to path: String) throws {
        try AtomicFile.write(model(state, origin: origin), to: path)
    }

    /// The bytes of the model.
    static func model(_ state: NetworkState, origin: WeightsOrigin) -> [UInt8] {
        var network = ONNXNetwork(state: state)
        network.build()
        var metadata = origin.metadata
        metadata["architecture"] = state.architecture.name
        metadata["input"] =
            "(u - 128) / 128 with u = clip((HU + 1200) / 1800, 0, 1) * 255, voxels of 1 mm, axes z, y, x"
        metadata["padding"] = "u = 170"
        if state.architecture.hasCoordinates {
            metadata["coord"] = "ramps z, y, x over the grid of the whole padded scan, from -0.5 to 0.5 inclusive"
        }
        metadata["output"] = state.architecture.outputFormula
        return network.graph.model(
            named: "luna", documentation: "A 3-D detector of lung nodules in CT.", metadata: metadata)
    }

    private init(state: NetworkState) { self.state = state }

    /// Adds the network's operations, in the order in which values flow.
    private mutating func build() {
        let architecture = state.architecture
        let axes = ["D", "H", "W"]
        let free: [ONNXGraph.Extent] = axes.map { .named($0) }
        let grid: [ONNXGraph.Extent] = axes.map { .named("\($0)/\(architecture.stride)") }
        graph.addInput("input", [.named("N"), .fixed(1)] + free)
        if architecture.hasCoordinates { graph.addInput("coord", [.named("N"), .fixed(3)] + grid) }
        let answer: [ONNXGraph.Extent] = [.fixed(architecture.anchors), .fixed(architecture.components)]
        graph.addOutput("output", [.named("N")] + grid + answer)

        var head = "input"
        for operation in architecture.operations { head = add(operation) }
        // [N, anchors · components, d, h, w] → channels last → [N, d, h, w, anchors, components]; an extent of 0 stays
        // as it is.
        let last = graph.add("Transpose", "channels_last", [head], [("perm", .integers([0, 2, 3, 4, 1]))])
        graph.addConstant("view", integers: [0, 0, 0, 0, architecture.anchors, architecture.components])
        _ = graph.add("Reshape", "output", [last, "view"])
    }

    private mutating func add(_ operation: Operation) -> String {
        let inputs = operation.inputs.map(\.name)
        func pair(_ name: String, _ value: Int, count: Int = 3) -> (String, ONNXGraph.Attribute) {
            (name, .integers([Int](repeating: value, count: count)))
        }
        switch operation.kind {
        case .convolution(let side, let stride, let hasBias):
            // Without strides they are 1.
            let strides = stride == 1 ? [] : [pair("strides", stride)]
            return graph.add(
                "Conv", operation.name, inputs + parameters(operation.name, hasBias: hasBias),
                [pair("kernel_shape", side), pair("pads", (side - 1) / 2, count: 6)] + strides)
        case .transposedConvolution(let hasBias):
            return graph.add(
                "ConvTranspose", operation.name, inputs + parameters(operation.name, hasBias: hasBias),
                [pair("kernel_shape", 2), pair("strides", 2)])
        case .batchNormalization:
            let running = constants(
                operation.name, ["running_mean", "running_var"], state.architecture.statistics, state.statistics)
            return graph.add(
                "BatchNormalization", operation.name, inputs + parameters(operation.name) + running,
                [("epsilon", .float(1e-5))])
        case .groupNormalization(let groups):
            return addGroupNormalization(operation, groups: groups)
        case .rectifier:
            return graph.add("Relu", operation.name, inputs)
        case .maxPooling:
            return graph.add("MaxPool", operation.name, inputs, [pair("kernel_shape", 2), pair("strides", 2)])
        case .concatenation:
            return graph.add("Concat", operation.name, inputs, [("axis", .integer(1))])
        case .sum:
            return graph.add("Add", operation.name, inputs)
        }
    }

    /// Adds a group normalisation as PyTorch does: before operator set 21 the operator of that name has scales for
    /// groups alone. Groups are taken for the channels of an instance normalisation that neither scales nor shifts.
    private mutating func addGroupNormalization(_ operation: Operation, groups: Int) -> String {
        let (name, input) = (operation.name, operation.inputs[0].name)
        let ungrouped = graph.add("Shape", "\(name).shape", [input])
        graph.addConstant("\(name).groups", integers: [0, groups, -1])
        let grouped = graph.add("Reshape", "\(name).grouped", [input, "\(name).groups"])
        graph.addConstant("\(name).ones", shape: [groups], values: [Float](repeating: 1, count: groups)[...])
        graph.addConstant("\(name).zeros", shape: [groups], values: [Float](repeating: 0, count: groups)[...])
        let normalized = graph.add(
            "InstanceNormalization", "\(name).instance", [grouped, "\(name).ones", "\(name).zeros"],
            [("epsilon", .float(1e-5))])
        let channels = graph.add("Reshape", "\(name).ungrouped", [normalized, ungrouped])
        // One number for each channel, the same over the voxels.
        let spread = constants(
            name, ["weight", "bias"], state.architecture.parameters, state.parameters, trailing: [1, 1, 1])
        let scaled = graph.add("Mul", "\(name).scaled", [channels, spread[0]])
        return graph.add("Add", name, [scaled, spread[1]])
    }

    private mutating func parameters(_ layer: String, hasBias: Bool = true) -> [String] {
        constants(layer, hasBias ? ["weight", "bias"] : ["weight"], state.architecture.parameters, state.parameters)
    }

    /// Adds a layer's tensors under PyTorch's names, with more extents behind their own where those are wanted.
    private mutating func constants(
        _ layer: String, _ kinds: [String], _ table: ParameterTable, _ values: [Float], trailing: [Int] = []
    ) -> [String] {
        kinds.map { kind in
            let name = "\(layer).\(kind)"
            guard let entry = table[name] else { preconditionFailure("the network has no \(name)") }
            graph.addConstant(name, shape: entry.shape + trailing, values: values[entry.range])
            return name
        }
    }
}
