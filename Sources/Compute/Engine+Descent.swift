import Basics
import CKernels

extension Engine {
    /// One step of stochastic gradient descent with momentum, in PyTorch's form: v ← m·v + g + λ·w; w ← w − η·v.
    public func descend(
        parameters: inout [Float], momentum: inout [Float], gradients: UnsafePointer<Float>, learningRate: Float,
        momentumFactor: Float, weightDecay: Float
    ) {
        precondition(parameters.count == momentum.count, "momentum and parameters differ in length")
        let count = parameters.count
        let part = 1 << 16  // a multiple of 16, so that vectors and remainders fall the same way for any thread count
        parameters.withUnsafeMutableBufferPointer { parameters in
            momentum.withUnsafeMutableBufferPointer { momentum in
                var a = ck_descent()
                a.parameters = parameters.baseAddress
                a.momentum = momentum.baseAddress
                a.gradients = gradients
                a.learning_rate = learningRate
                a.decay = weightDecay
                a.momentum_factor = momentumFactor
                pool.run((count + part - 1) / part) { item, _ in
                    kernels.descend(&a, Int64(item * part), Int64(min(part, count - item * part)))
                }
            }
        }
    }
}
