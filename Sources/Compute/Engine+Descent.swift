// How optimisers change parameters, element by element.

import Basics
import CKernels

extension Engine {
    /// Elements per item: a multiple of 16, so that vectors and remainders fall the same way for any thread count.
    private static let part = 1 << 16

    private func overElements(_ count: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        pool.run((count + Self.part - 1) / Self.part) { item, _ in
            body(item * Self.part, min(Self.part, count - item * Self.part))
        }
    }

    /// One step of stochastic gradient descent with momentum, in PyTorch's form: v ← m·v + g + λ·w; w ← w − η·v.
    ///
    /// - Parameters:
    ///   - momentum: v, as long as the parameters, as are the gradients.
    ///   - isNesterov: Whether the step is Nesterov's, w ← w − η·(g + λ·w + m·v).
    public func descend(
        parameters: inout [Float], momentum: inout [Float], gradients: UnsafeBufferPointer<Float>, learningRate: Float,
        momentumFactor: Float, weightDecay: Float, isNesterov: Bool = false
    ) {
        let count = parameters.count
        precondition(
            momentum.count == count && gradients.count == count,
            "\(count) parameters, momentum of \(momentum.count), \(gradients.count) gradients")
        parameters.withUnsafeMutableBufferPointer { parameters in
            momentum.withUnsafeMutableBufferPointer { momentum in
                var a = ck_descent()
                a.parameters = parameters.baseAddress
                a.momentum = momentum.baseAddress
                a.gradients = gradients.baseAddress
                a.learning_rate = learningRate
                a.decay = weightDecay
                a.momentum_factor = momentumFactor
                a.nesterov = isNesterov ? 1 : 0
                overElements(count) { kernels.descend(&a, $0, $1) }
            }
        }
    }

    /// Moves numbers a part of the way to others: a ← a + share·(b − a).
    ///
    /// - Precondition: There are as many of both.
    public func approach(_ values: inout [Float], _ targets: [Float], share: Float) {
        precondition(values.count == targets.count, "\(values.count) numbers towards \(targets.count)")
        values.withUnsafeMutableBufferPointer { values in
            targets.withUnsafeBufferPointer { targets in
                nonisolated(unsafe) let (values, targets) = (values, targets)
                overElements(values.count) { first, count in
                    for index in first..<first + count { values[index] += share * (targets[index] - values[index]) }
                }
            }
        }
    }

    /// The constants of one step of Adam.
    public struct AdamConstants: Sendable {
        /// The factor of the update, η/(1 − β₁ᵗ).
        public var stepSize: Float
        /// The decay rate of the gradient's running mean, β₁.
        public var beta1: Float
        /// The decay rate of the squared gradient's running mean, β₂.
        public var beta2: Float
        /// The divisor that corrects the root of the second mean for its start at zero, √(1 − β₂ᵗ).
        public var rootCorrection: Float
        /// The term that keeps the divisor of an update away from zero, ε.
        public var epsilon: Float
        /// The factor that parameters are multiplied by before the update, 1 − η·λ.
        public var decay: Float

        /// Creates the constants from their values.
        public init(
            stepSize: Float, beta1: Float, beta2: Float, rootCorrection: Float, epsilon: Float, decay: Float
        ) {
            self.stepSize = stepSize
            self.beta1 = beta1
            self.beta2 = beta2
            self.rootCorrection = rootCorrection
            self.epsilon = epsilon
            self.decay = decay
        }
    }

    /// One step of Adam with decoupled weight decay, in PyTorch's form.
    ///
    /// - Parameter moments: The running means of the gradient and of its square, each as long as the parameters.
    public func adam(
        parameters: inout [Float], moments: inout [[Float]], gradients: UnsafeBufferPointer<Float>,
        _ constants: AdamConstants
    ) {
        let count = parameters.count
        precondition(
            moments.map(\.count) == [count, count] && gradients.count == count,
            "\(count) parameters, moments of \(moments.map(\.count)), \(gradients.count) gradients")
        parameters.withUnsafeMutableBufferPointer { parameters in
            moments.withUnsafeMutableBufferPointer { moments in
                moments[0].withUnsafeMutableBufferPointer { mean in
                    moments[1].withUnsafeMutableBufferPointer { square in
                        var a = ck_adam()
                        a.parameters = parameters.baseAddress
                        a.mean = mean.baseAddress
                        a.square = square.baseAddress
                        a.gradients = gradients.baseAddress
                        a.step_size = constants.stepSize
                        a.beta1 = constants.beta1
                        a.beta2 = constants.beta2
                        a.root_correction = constants.rootCorrection
                        a.epsilon = constants.epsilon
                        a.decay = constants.decay
                        overElements(count) { kernels.adam(&a, $0, $1) }
                    }
                }
            }
        }
    }
}
