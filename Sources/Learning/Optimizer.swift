import Compute
import Networks

/// A rule by which gradients change a network's parameters.
///
/// An update is a function of the parameters, the optimiser's state and the gradient alone, element by element or
/// tensor by tensor, so that it has the same bits on every rank.
public protocol Optimizer: Sendable {
    /// The names of what is kept for every parameter, in the order of `OptimizerState.slots`; checkpoints hold them as
    /// `/optimizer/<slot>/<parameter>`.
    var slots: [String] { get }

    /// Changes the parameters by one step.
    ///
    /// - Parameters:
    ///   - parameters: The parameters, laid out as `tensors` says, as are the state's slots and the gradients.
    ///   - state: A state made by `makeState`.
    ///   - gradients: The gradient of the loss.
    ///   - tensors: The ranges in which tensors begin and end.
    ///   - learningRate: The step's learning rate.
    ///   - engine: Does the arithmetic.
    func update(
        _ parameters: inout [Float], _ state: inout OptimizerState, gradients: UnsafeBufferPointer<Float>,
        tensors: ParameterTable, learningRate: Double, engine: Engine)
}

extension Optimizer {
    /// The state before the first update.
    public func makeState(_ architecture: Architecture) -> OptimizerState {
        OptimizerState(
            names: slots,
            slots: slots.map { _ in [Float](repeating: 0, count: architecture.parameters.count) })
    }
}

/// The memory of an optimiser from one update to the next.
public struct OptimizerState: Hashable, Sendable {
    /// The slots' names.
    public let names: [String]
    /// The slots' numbers, one for every parameter, laid out as the parameters.
    public var slots: [[Float]]
    /// The number of updates so far.
    public var updates: Int

    /// Creates a state of given slots.
    ///
    /// - Precondition: There are as many names as slots.
    public init(names: [String], slots: [[Float]], updates: Int = 0) {
        precondition(names.count == slots.count, "\(names.count) names for \(slots.count) slots")
        self.names = names
        self.slots = slots
        self.updates = updates
    }
}

/// The optimisers that luna has, by the names that configurations give them.
public enum OptimizerName: String, Codable, CaseIterable, Sendable {
    /// Stochastic gradient descent with momentum.
    case sgd
    /// Stochastic gradient descent with Nesterov's momentum.
    case nesterov
    /// Adam with decoupled weight decay.
    case adamw

    /// The optimiser of this name with given constants.
    public func optimizer(_ constants: OptimizerConstants) -> any Optimizer {
        switch self {
        case .sgd: SGD(momentum: constants.momentum, weightDecay: constants.weightDecay, isNesterov: false)
        case .nesterov: SGD(momentum: constants.momentum, weightDecay: constants.weightDecay, isNesterov: true)
        case .adamw:
            AdamW(
                beta1: constants.beta1, beta2: constants.beta2, epsilon: constants.epsilon,
                weightDecay: constants.weightDecay)
        }
    }
}

/// The constants of all optimisers; each uses its own.
public struct OptimizerConstants: Hashable, Sendable {
    /// The part of the last step's direction that `sgd` and `nesterov` keep.
    public var momentum = 0.9
    /// The strength with which parameters are drawn to zero.
    public var weightDecay = 0.0001
    /// The part of the gradient's running mean that `adamw` keeps.
    public var beta1 = 0.9
    /// The part of the squared gradient's running mean that `adamw` keeps.
    public var beta2 = 0.999
    /// The number that `adamw` adds to the root of the squared gradient's running mean.
    public var epsilon = 1e-8

    /// Creates PyTorch's constants, with this network's published momentum and weight decay.
    public init() {}
}
