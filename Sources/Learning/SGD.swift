import Compute
import Networks

/// Stochastic gradient descent with momentum, in PyTorch's form: v ← m·v + g + λ·w; w ← w − η·v, or with Nesterov's
/// momentum w ← w − η·(g + λ·w + m·v).
struct SGD: Optimizer {
    let momentum: Double
    let weightDecay: Double
    let isNesterov: Bool

    let slots = ["momentum"]

    func update(
        _ parameters: inout [Float], _ state: inout OptimizerState, gradients: UnsafeBufferPointer<Float>,
        tensors: ParameterTable, learningRate: Double, engine: Engine
    ) {
        engine.descend(
            parameters: &parameters, momentum: &state.slots[0], gradients: gradients,
            learningRate: Float(learningRate), momentumFactor: Float(momentum), weightDecay: Float(weightDecay),
            isNesterov: isNesterov)
        state.updates += 1
    }
}
