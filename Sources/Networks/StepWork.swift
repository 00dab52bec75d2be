import Basics
import Compute

/// The work of a training step by its kinds, and which spans of a timeline belong to each: for `luna bench layers`.
public struct StepWork {
    /// A kind of work: what layers of one shape do in one direction.
    public struct Kind: Hashable, Sendable {
        /// The layers: channels and resolution of convolutions, otherwise what is done.
        public let layer: String
        /// The direction in which it is done.
        public let direction: Direction
        /// The way in which it is computed.
        public let algorithm: String
    }

    /// The directions of a step's work.
    public enum Direction: String, CaseIterable, Sendable {
        /// The forward pass, or what the backward pass computes of it again.
        case forward
        /// The gradient of a layer's input.
        case data
        /// The gradient of its weights.
        case weights
        /// Both gradients at once.
        case backward
    }

    /// The extent of a kind of work in one step.
    public struct Amount: Sendable {
        /// The number of layers.
        public var layers = 0
        /// The floating-point operations of direct computation; 0 for everything but convolutions.
        public var flop = 0.0
        /// The floating-point operations of its products, as the algorithm does them.
        public var arithmetic = 0.0
        /// The bytes of the maps and weights that it has to read and write at least; 0 where that is not counted.
        public var bytes = 0.0

        /// Creates the amount of no work.
        public init() {}
    }

    /// The kinds, in the order in which a forward pass first has them, normalisation and the rest behind.
    public private(set) var kinds: [Kind] = []
    /// The amounts of the kinds.
    public private(set) var amounts: [Kind: Amount] = [:]
    private var kindOfSpan: [String: Kind] = [:]

    private let size: Int
    private let batch: Int

    /// Lists the work of a network's step.
    ///
    /// - Parameters:
    ///   - architecture: The network.
    ///   - size: Voxels of a crop along an axis.
    ///   - batch: The number of crops.
    public init(_ architecture: Architecture, size: Int, batch: Int) {
        self.size = size
        self.batch = batch
        for operation in architecture.operations {
            switch operation.kind {
            case .convolution(let side, let stride, _): addConvolution(operation, side: side, stride: stride)
            case .transposedConvolution:
                let label = Self.label(operation)
                add(label + " up", .forward, "products", operation.name, flop(operation.forwardFlop))
                add(
                    label + " up", .backward, "products", operation.name + " gradient",
                    flop(operation.trainingFlop - operation.forwardFlop))
            default: break
            }
        }
        for operation in architecture.operations {
            switch operation.kind {
            case .batchNormalization, .groupNormalization:
                add("statistics", .forward, "sums", operation.name, 0)
                add("normalisation", .backward, "sums, maps", operation.name + " gradient", 0)
            default: break
            }
        }
    }

    /// The kind that a span belongs to. Blocks have spans, too: what they do beside their layers is to normalise, to
    /// rectify, to add, to pool and to copy maps.
    public func kind(ofSpan name: String) -> Kind {
        kindOfSpan[name]
            ?? Kind(
                layer: "blocks' maps", direction: name.hasSuffix(" gradient") ? .backward : .forward,
                algorithm: "maps")
    }

    private func flop(_ perVoxel: Double) -> Double { perVoxel * Double(batch * size * size * size) }

    /// Channels and resolution, such as `24-32 1/2`.
    private static func label(_ operation: Operation) -> String {
        let reduction = operation.inputs[0].reduction
        let channels = "\(operation.inputs[0].channels)-\(operation.output.channels)"
        return "\(channels) \(reduction == 1 ? "full" : "1/\(reduction)")"
    }

    private mutating func addConvolution(_ operation: Operation, side: Int, stride: Int) {
        let (x, y) = (operation.inputs[0], operation.output)
        let isWinograd = side == 3 && stride == 1 && x.channels > 1
        let label = Self.label(operation) + (stride > 1 ? " stride 2" : side == 1 ? " 1x1x1" : "")
        let forward = flop(operation.forwardFlop)
        let extent = ZYX(repeating: max(1, size / x.reduction))
        func bytes(_ inputs: Int) -> Double {
            let maps = Double(inputs) * voxels(x) + Double(y.channels) * voxels(y)
            return 4 * (maps + Double(side * side * side * inputs * y.channels))
        }
        func add(_ direction: Direction, _ span: String, _ flop: Double, inputs: Int) {
            let outputs = direction == .weights ? y.channels : nil
            let name =
                isWinograd
                ? Engine.algorithm(extent, weightsGradient: outputs) : x.channels == 1 ? "direct" : "products"
            let fraction = isWinograd ? Engine.multiplications(extent, weightsGradient: outputs) : 1
            self.add(label, direction, name, span, flop, arithmetic: fraction * flop, bytes: bytes(inputs))
        }
        add(.forward, operation.name, forward, inputs: x.channels)
        if x.channels == 1 {
            add(.backward, operation.name + " gradient", forward, inputs: 1)
            return
        }
        if x.trainedChannels > 0 {
            add(
                .data, operation.name + " data gradient", flop(operation.trainingFlop - 2 * operation.forwardFlop),
                inputs: x.trainedChannels)
        }
        add(.weights, operation.name + " weights gradient", forward, inputs: x.channels)
    }

    private func voxels(_ value: Operation.Value) -> Double {
        let side = Double(size) / Double(value.reduction)
        return Double(batch) * side * side * side
    }

    private mutating func add(
        _ layer: String, _ direction: Direction, _ algorithm: String, _ span: String, _ flop: Double,
        arithmetic: Double? = nil, bytes: Double = 0
    ) {
        let kind = Kind(layer: layer, direction: direction, algorithm: algorithm)
        if amounts[kind] == nil { kinds.append(kind) }
        var amount = amounts[kind] ?? Amount()
        amount.layers += 1
        amount.flop += flop
        amount.arithmetic += arithmetic ?? flop
        amount.bytes += bytes
        amounts[kind] = amount
        kindOfSpan[span] = kind
    }
}
