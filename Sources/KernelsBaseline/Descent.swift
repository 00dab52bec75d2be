// Stochastic gradient descent with momentum, in PyTorch's form: v ← m·v + g + λ·w; w ← w − η·v.

import CKernels

func descend(_ arguments: UnsafePointer<ck_descent>, _ first: Int64, _ count: Int64) {
    let a = arguments.pointee
    let end = Int(first + count)
    var index = Int(first)
    let rate = splat(-a.learning_rate)
    let decay = splat(a.decay)
    let factor = splat(a.momentum_factor)
    while index + 16 <= end {
        let w = load(a.parameters + index)
        let v = fma(factor, load(a.momentum + index), fma(decay, w, load(a.gradients + index)))
        store(v, a.momentum + index)
        store(fma(rate, v, w), a.parameters + index)
        index += 16
    }
    while index < end {
        let w = a.parameters[index]
        let v = a.momentum_factor * a.momentum[index] + (a.gradients[index] + a.decay * w)
        a.momentum[index] = v
        a.parameters[index] = w - a.learning_rate * v
        index += 1
    }
}
