import Basics
import Compute

/// A network as a value: its name, its tensors, how maps flow through its layers, and what follows from that.
///
/// A network is declared once, by the blocks it is made of and how they are joined; `noduleNet` is an example.
/// Everything else is derived: tables of tensors, the order of the backward pass, operations and their cost, memory,
/// initial values.
public struct Architecture: Sendable {
    /// The network's name in configurations and files.
    public let name: String
    /// The number of anchors of a cell of the output.
    public let anchors: Int
    /// The number of numbers that the network gives for an anchor, of which the first is a logit.
    public let components: Int
    /// The tensors in `NetworkState.parameters`: PyTorch's names, shapes and order.
    public let parameters: ParameterTable
    /// The running means and variances in `NetworkState.statistics`: none where each sample is normalised by itself.
    public let statistics: ParameterTable
    /// The ranges of `parameters` in the order in which a backward pass finishes their gradients.
    public let backwardOrder: [Range<Int>]
    /// The operations of an evaluation, in the order in which values flow.
    public let operations: [Operation]
    /// The number of a crop's voxels along an axis for one cell of the output.
    public let stride: Int
    /// The number of voxels of which the sides of the input are multiples.
    public let sideUnit: Int
    /// Whether the network reads its input's coordinates.
    public let hasCoordinates: Bool
    /// The meaning of an anchor's numbers, as a formula for people.
    public let outputFormula: String
    /// The part μ of a running statistic that a step replaces: running ← (1 − μ) running + μ batch.
    public let statisticsMomentum: Float

    private let conventions: Conventions
    private let initializers: [Initializer]
    private let initialStatistics: [Float]
    private let logitBiases: [Int]
    private let build: @Sendable (NetworkGraph) -> Void

    /// Declares a network.
    ///
    /// - Parameters:
    ///   - outputFormula: The meaning of an anchor's numbers.
    ///   - build: Makes the blocks, in the order of PyTorch's `state_dict`, and joins them in a graph.
    init(
        _ name: String, anchors: Int, components: Int, outputFormula: String = "", statisticsMomentum: Float = 0.1,
        conventions: Conventions = .plain, build: @escaping @Sendable (_ network: NetworkGraph) -> Void
    ) {
        self.name = name
        self.anchors = anchors
        self.components = components
        self.outputFormula = outputFormula
        self.statisticsMomentum = statisticsMomentum
        self.conventions = conventions
        self.build = build
        let graph = NetworkGraph(conventions)
        build(graph)
        parameters = graph.declarations.parameters
        statistics = graph.declarations.statistics
        initializers = graph.declarations.initializers
        initialStatistics = graph.declarations.initialStatistics
        logitBiases = graph.declarations.logitBiases
        backwardOrder = graph.backwardOrder
        operations = graph.flow.operations
        stride = graph.output.reduction
        sideUnit = operations.map(\.output.reduction).max() ?? 1
        hasCoordinates = operations.contains { $0.inputs.contains { $0.name == "coord" } }
        precondition(
            graph.output.channels == anchors * components,
            "\(name) gives \(graph.output.channels) channels for \(anchors) anchors of \(components) numbers")
    }

    /// Whether crops are normalised together, with statistics of the batch in training.
    public var hasBatchStatistics: Bool { statistics.count > 0 }

    /// The network that is meant where a file or a configuration names none.
    public static var standard: Architecture { allCases[0] }

    /// New blocks in a graph of their own.
    func makeGraph() -> NetworkGraph {
        let graph = NetworkGraph(conventions)
        build(graph)
        return graph
    }

    /// The number of floating-point operations of a direct computation.
    ///
    /// - Parameters:
    ///   - extent: The input's extent in voxels.
    ///   - samples: The number of inputs.
    ///   - training: Whether a backward pass counts, too.
    public func flop(_ extent: ZYX<Int>, samples: Int = 1, training: Bool) -> Double {
        let perVoxel = operations.reduce(0) { $0 + (training ? $1.trainingFlop : $1.forwardFlop) }
        return perVoxel * Double(samples * extent.product)
    }

    /// The state of a new network.
    ///
    /// Weights and biases of convolutions are drawn as the network's authors did: uniform in ±1/√fan_in, as PyTorch
    /// initialises them, or normal. Scales of normalisation are 1 and shifts 0, running means 0 and variances 1.
    /// Every tensor draws from its own stream.
    ///
    /// - Parameters:
    ///   - seed: The experiment's seed.
    ///   - zeroInitResidual: Whether the last normalisation of every residual branch scales by 0 at first, so that
    ///     blocks begin as their shortcuts (P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1
    ///     Hour", 2017, section 5.1).
    ///   - logitBias: The bias that every anchor's logit begins with (T.-Y. Lin et al., "Focal Loss for Dense Object
    ///     Detection", ICCV 2017, section 3.3); nil: as the network's authors began.
    public func initialState(seed: UInt64, zeroInitResidual: Bool = false, logitBias: Float? = nil) -> NetworkState {
        var state = NetworkState(
            architecture: self, parameters: [Float](repeating: 0, count: parameters.count),
            statistics: [Float](repeating: 0, count: statistics.count))
        for (index, (entry, initializer)) in zip(parameters.entries, initializers).enumerated() {
            var generator = CounterGenerator(seed: seed, purpose: "initialisation", UInt64(index))
            state.parameters.withUnsafeMutableBufferPointer { all in
                let values = UnsafeMutableBufferPointer(rebasing: all[entry.range])
                switch initializer {
                case .uniform(let bound): generator.fill(values, uniformFrom: -bound, to: bound)
                case .normal(let deviation): generator.fill(values, normalOfDeviation: deviation)
                case .constant(let value): values.update(repeating: value)
                case .residualScale: values.update(repeating: zeroInitResidual ? 0 : 1)
                }
            }
        }
        for (entry, value) in zip(statistics.entries, initialStatistics) {
            for element in entry.range { state.statistics[element] = value }
        }
        if let logitBias { for index in logitBiases { state.parameters[index] = logitBias } }
        return state
    }
}

extension Architecture: Hashable {
    /// Whether two networks have one name, which stands for all the rest.
    public static func == (a: Architecture, b: Architecture) -> Bool { a.name == b.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Architecture: RawRepresentable, CaseIterable {
    /// All networks, the standard one first.
    public static let allCases = [noduleNet, noduleNetGN, cpmNet, cpmNetGN]

    /// Finds the network of a name, if there is one.
    public init?(rawValue: String) {
        guard let architecture = Self.allCases.first(where: { $0.name == rawValue }) else { return nil }
        self = architecture
    }

    /// The network's name.
    public var rawValue: String { name }
}
