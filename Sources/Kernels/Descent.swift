// Stochastic gradient descent with momentum, in PyTorch's form: v ← m·v + g + λ·w; w ← w − η·v, or with Nesterov's
// momentum w ← w − η·(g + λ·w + m·v).

import CKernels

func descend(_ arguments: UnsafePointer<ck_descent>, _ first: Int, _ count: Int) {
    let a = arguments.pointee
    let end = first + count
    let isNesterov = a.nesterov != 0
    var index = first
    let rate = splat(-a.learning_rate)
    let decay = splat(a.decay)
    let factor = splat(a.momentum_factor)
    while index + 16 <= end {
        let w = load(a.parameters + index)
        let g = fma(decay, w, load(a.gradients + index))
        let v = fma(factor, load(a.momentum + index), g)
        store(v, a.momentum + index)
        store(fma(rate, isNesterov ? fma(factor, v, g) : v, w), a.parameters + index)
        index += 16
    }
    while index < end {
        let w = a.parameters[index]
        let g = a.gradients[index] + a.decay * w
        let v = a.momentum_factor * a.momentum[index] + g
        a.momentum[index] = v
        a.parameters[index] = w - a.learning_rate * (isNesterov ? g + a.momentum_factor * v : v)
        index += 1
    }
}
