import FileIO
import Network

/// The nodule network as an ONNX model in evaluation mode (operator set 17), for any runtime: PyTorch's view of it,
/// with batch normalisation as an operation of its own, which runtimes fold by themselves.
///
/// Inputs `input` [N, 1, D, H, W], grey levels as (u − 128) / 128, and `coord` [N, 3, D/4, H/4, W/4]; output `output`
/// [N, D/4, H/4, W/4, 3 anchors, 5]. N, D, H and W are free; the sides are multiples of 16.
public struct ONNXNetwork {
    private var graph = ONNXGraph()
    private let state: NetworkState

    /// Writes the model, whole or not at all. The same weights give the same bytes.
    ///
    /// - Throws: `FileError`.
    public static func write(_ state: NetworkState, origin: WeightsOrigin, to path: String) throws {
        try AtomicFile.write(model(state, origin: origin), to: path)
    }

    /// The model as it is stored.
    static func model(_ state: NetworkState, origin: WeightsOrigin) -> [UInt8] {
        var network = ONNXNetwork(state: state)
        network.build()
        var metadata = origin.metadata
        metadata["input"] =
            "(u - 128) / 128 with u = clip((HU + 1200) / 1800, 0, 1) * 255, voxels of 1 mm, axes z, y, x"
        metadata["padding"] = "u = 170"
        metadata["coord"] = "ramps z, y, x over the grid of the whole padded scan, from -0.5 to 0.5 inclusive"
        metadata["output"] =
            "logit, dz, dy, dx, dd per cell and anchor a: center = 1.5 + 4 i + d a, diameter = exp(dd) a, "
            + "probability = sigmoid(logit)"
        return network.graph.model(
            named: "luna", documentation: "A 3-D detector of lung nodules in CT.", metadata: metadata)
    }

    private init(state: NetworkState) { self.state = state }

    /// The stages, in the order in which values flow.
    private mutating func build() {
        let free: [ONNXGraph.Extent] = ["D", "H", "W"].map { .named($0) }
        let grid: [ONNXGraph.Extent] = ["D/4", "H/4", "W/4"].map { .named($0) }
        graph.addInput("input", [.named("N"), .fixed(1)] + free)
        graph.addInput("coord", [.named("N"), .fixed(3)] + grid)
        graph.addOutput(
            "output", [.named("N")] + grid + [.fixed(NoduleNetwork.anchors), .fixed(NoduleNetwork.components)])

        let entered = rectified(normalized(convolved("input", "preBlock.0"), "preBlock.1"))
        let full = rectified(normalized(convolved(entered, "preBlock.3"), "preBlock.4"))
        let half = stage(pooled(full, "maxpool1"), "forw1", blocks: 2)
        let quarter = stage(pooled(half, "maxpool2"), "forw2", blocks: 2)
        let eighth = stage(pooled(quarter, "maxpool3"), "forw3", blocks: 3)
        let sixteenth = stage(pooled(eighth, "maxpool4"), "forw4", blocks: 3)
        let up3 = stage(joined([upward(sixteenth, "path1"), eighth], "cat3"), "back3", blocks: 3)
        let up2 = stage(joined([upward(up3, "path2"), quarter, "coord"], "cat2"), "back2", blocks: 3)
        let head = convolved(rectified(convolved(up2, "output.0")), "output.2")

        // [N, 15, d, h, w] → [N, d, h, w, 15] → [N, d, h, w, 3, 5]; an extent of 0 means as it is.
        let last = graph.add("Transpose", "channels_last", [head], [("perm", .integers([0, 2, 3, 4, 1]))])
        graph.addConstant("view", integers: [0, 0, 0, 0, NoduleNetwork.anchors, NoduleNetwork.components])
        _ = graph.add("Reshape", "output", [last, "view"])
    }

    private mutating func stage(_ input: String, _ name: String, blocks: Int) -> String {
        (0..<blocks).reduce(input) { block($0, "\(name).\($1)") }
    }

    /// Two convolutions beside a shortcut; the last ReLU follows their sum.
    private mutating func block(_ input: String, _ name: String) -> String {
        let first = rectified(normalized(convolved(input, "\(name).conv1"), "\(name).bn1"))
        let second = normalized(convolved(first, "\(name).conv2"), "\(name).bn2")
        let hasShortcut = NoduleNetwork.parameters["\(name).shortcut.0.weight"] != nil
        let shortcut =
            hasShortcut ? normalized(convolved(input, "\(name).shortcut.0"), "\(name).shortcut.1") : input
        return rectified(graph.add("Add", "\(name).sum", [second, shortcut]))
    }

    private mutating func upward(_ input: String, _ name: String) -> String {
        let weights = constants("\(name).0", ["weight", "bias"], NoduleNetwork.parameters, state.parameters)
        let convolved = graph.add(
            "ConvTranspose", "\(name).0", [input] + weights,
            [("kernel_shape", .integers([2, 2, 2])), ("strides", .integers([2, 2, 2]))])
        return rectified(normalized(convolved, "\(name).1"))
    }

    /// 3x3x3 with padding, or 1x1x1 without, as the weights' shape says.
    private mutating func convolved(_ input: String, _ name: String) -> String {
        let weights = constants(name, ["weight", "bias"], NoduleNetwork.parameters, state.parameters)
        let side = NoduleNetwork.parameters["\(name).weight"]?.shape.last ?? 1
        let padding = [Int](repeating: (side - 1) / 2, count: 6)
        return graph.add(
            "Conv", name, [input] + weights,
            [("kernel_shape", .integers([side, side, side])), ("pads", .integers(padding))])
    }

    private mutating func normalized(_ input: String, _ name: String) -> String {
        let scale = constants(name, ["weight", "bias"], NoduleNetwork.parameters, state.parameters)
        let running = constants(name, ["running_mean", "running_var"], NoduleNetwork.statistics, state.statistics)
        return graph.add("BatchNormalization", name, [input] + scale + running, [("epsilon", .float(1e-5))])
    }

    private mutating func rectified(_ input: String) -> String { graph.add("Relu", "\(input).relu", [input]) }

    private mutating func pooled(_ input: String, _ name: String) -> String {
        graph.add(
            "MaxPool", name, [input],
            [("kernel_shape", .integers([2, 2, 2])), ("strides", .integers([2, 2, 2]))])
    }

    private mutating func joined(_ inputs: [String], _ name: String) -> String {
        graph.add("Concat", name, inputs, [("axis", .integer(1))])
    }

    /// Adds a layer's tensors under PyTorch's names.
    private mutating func constants(
        _ layer: String, _ kinds: [String], _ table: ParameterTable, _ values: [Float]
    ) -> [String] {
        kinds.map { kind in
            let name = "\(layer).\(kind)"
            guard let entry = table[name] else { preconditionFailure("the network has no \(name)") }
            graph.addConstant(name, shape: entry.shape, values: values[entry.range])
            return name
        }
    }
}
