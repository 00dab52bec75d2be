import Compute

/// One operation of a network in evaluation mode, in terms that every framework has.
public struct Operation: Hashable, Sendable {
    /// The kinds of operations.
    public enum Kind: Hashable, Sendable {
        /// A convolution with cubic filters, padded by (side − 1)/2 voxels, rounded down, so that stride 1 leaves the
        /// extent as it is and stride 2 halves it; weights [C_out, C_in, side, side, side] under the operation's name,
        /// and perhaps a bias.
        case convolution(side: Int, stride: Int, hasBias: Bool)
        /// A transposed convolution of size and stride 2; weights [C_in, C_out, 2, 2, 2] and perhaps a bias.
        case transposedConvolution(hasBias: Bool)
        /// Batch normalisation with running statistics.
        case batchNormalization
        /// Group normalisation: each sample's channels in so many groups, with a scale and a shift for each channel.
        case groupNormalization(groups: Int)
        /// The rectifier max(x, 0).
        case rectifier
        /// The maximum of every 2x2x2 voxels.
        case maxPooling
        /// The channels of all operands, one after another.
        case concatenation
        /// The sum of two maps.
        case sum
    }

    /// The name of the layer, whose tensors are called `<name>.weight` and so on; otherwise of the operation alone.
    public let name: String
    /// The operation's kind.
    public let kind: Kind
    /// The maps that it reads.
    public let inputs: [Value]
    /// The map that it makes.
    public let output: Value

    /// A map that flows through a network.
    public struct Value: Hashable, Sendable {
        /// The map's name, unique within the network.
        public let name: String
        /// The number of channels.
        public let channels: Int
        /// The factor by which the map is coarser than the crop, along each axis.
        public let reduction: Int
        /// The number of channels, the first ones, that depend on parameters, so that training needs their gradient.
        public let trainedChannels: Int
    }

    /// The number of multiplications and additions of a direct computation, per voxel of the network's input and pass:
    /// twice the products of a convolution, nothing for everything else.
    ///
    /// - Parameter inputs: The number of input channels that count.
    private func flop(inputs: Int) -> Double {
        let taps: Int
        let reduction = Double(self.inputs[0].reduction)
        var products = Double(inputs * output.channels) / (reduction * reduction * reduction)
        switch kind {
        case .convolution(let side, let stride, _):
            taps = side * side * side
            products /= Double(stride * stride * stride)
        case .transposedConvolution: taps = 8
        default: return 0
        }
        return 2 * Double(taps) * products
    }

    /// The number of floating-point operations of a forward pass, per voxel of the network's input.
    public var forwardFlop: Double { flop(inputs: inputs[0].channels) }

    /// The number of floating-point operations of a forward and a backward pass, per voxel of the network's input: the
    /// gradient of the weights takes as many as the forward pass, that of the input as many as its trained channels.
    public var trainingFlop: Double { 2 * forwardFlop + flop(inputs: inputs[0].trainedChannels) }
}

/// The operations of a network as its blocks describe them, in the order in which values flow.
struct Flow {
    typealias Value = Operation.Value

    private(set) var operations: [Operation] = []

    private mutating func add(
        _ kind: Operation.Kind, _ name: String, _ inputs: [Value], channels: Int, reduction: Int, trained: Int? = nil
    ) -> Value {
        let output = Value(
            name: name, channels: channels, reduction: reduction, trainedChannels: trained ?? channels)
        operations.append(Operation(name: name, kind: kind, inputs: inputs, output: output))
        return output
    }

    mutating func convolution(_ x: Value, _ layer: Convolution) -> Value {
        precondition(x.channels == layer.inputs, "\(layer.name) reads \(layer.inputs) channels, not \(x.channels)")
        return add(
            .convolution(side: layer.side, stride: layer.stride, hasBias: layer.parameters.hasBias), layer.name, [x],
            channels: layer.outputs, reduction: layer.stride * x.reduction)
    }

    mutating func convolution(_ x: Value, _ layer: TransposedConvolution) -> Value {
        precondition(x.channels == layer.inputs, "\(layer.name) reads \(layer.inputs) channels, not \(x.channels)")
        precondition(x.reduction % 2 == 0, "\(layer.name) would be finer than the input")
        return add(
            .transposedConvolution(hasBias: layer.parameters.hasBias), layer.name, [x], channels: layer.outputs,
            reduction: x.reduction / 2)
    }

    mutating func normalized(_ x: Value, _ layer: Normalization) -> Value {
        precondition(x.channels == layer.channels, "\(layer.name) reads \(layer.channels) channels, not \(x.channels)")
        let kind: Operation.Kind =
            switch layer.scope {
            case .batch: .batchNormalization
            case .group(let channels): .groupNormalization(groups: layer.channels / channels)
            }
        return add(kind, layer.name, [x], channels: x.channels, reduction: x.reduction)
    }

    mutating func rectified(_ x: Value) -> Value {
        add(
            .rectifier, "\(x.name).relu", [x], channels: x.channels, reduction: x.reduction,
            trained: x.trainedChannels)
    }

    mutating func pooled(_ x: Value, _ name: String) -> Value {
        add(.maxPooling, name, [x], channels: x.channels, reduction: 2 * x.reduction, trained: x.trainedChannels)
    }

    mutating func joined(_ inputs: [Value], _ name: String) -> Value {
        var trained = 0
        for input in inputs {
            trained += input.trainedChannels
            if input.trainedChannels < input.channels { break }
        }
        let reductions = Set(inputs.map(\.reduction))
        precondition(reductions.count == 1, "\(name) joins maps of other resolutions: \(reductions.sorted())")
        return add(
            .concatenation, name, inputs, channels: inputs.reduce(0) { $0 + $1.channels },
            reduction: inputs[0].reduction, trained: trained)
    }

    mutating func sum(_ a: Value, _ b: Value, _ name: String) -> Value {
        precondition(a.channels == b.channels, "\(name) adds \(a.channels) and \(b.channels) channels")
        return add(.sum, name, [a, b], channels: a.channels, reduction: a.reduction)
    }
}
