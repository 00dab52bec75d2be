import Compute
import Networks

/// Adam with decoupled weight decay (I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019),
/// in PyTorch's form:
///
///     w ← w − η·λ·w
///     m ← m + (1 − β₁)·(g − m),   v ← β₂·v + (1 − β₂)·g²
///     w ← w − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// where t counts the updates from 1.
struct AdamW: Optimizer {
    let beta1: Double
    let beta2: Double
    let epsilon: Double
    let weightDecay: Double

    let slots = ["exp_avg", "exp_avg_sq"]

    func update(
        _ parameters: inout [Float], _ state: inout OptimizerState, gradients: UnsafeBufferPointer<Float>,
        tensors: ParameterTable, learningRate: Double, engine: Engine
    ) {
        state.updates += 1
        // A product, not `pow`, whose last bit is the C library's choice.
        let (power1, power2) = (Self.power(beta1, state.updates), Self.power(beta2, state.updates))
        let constants = Engine.AdamConstants(
            stepSize: Float(learningRate / (1 - power1)), beta1: Float(beta1), beta2: Float(beta2),
            rootCorrection: Float((1 - power2).squareRoot()), epsilon: Float(epsilon),
            decay: Float(1 - learningRate * weightDecay))
        engine.adam(parameters: &parameters, moments: &state.slots, gradients: gradients, constants)
    }

    /// A number's power by repeated squaring.
    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}
