// Adam with decoupled weight decay, in PyTorch's form; the caller gives η/(1 − β₁ᵗ), √(1 − β₂ᵗ) and 1 − η·λ.

import CKernels

func adam(_ arguments: UnsafePointer<ck_adam>, _ first: Int, _ count: Int) {
    let a = arguments.pointee
    let end = first + count
    var index = first
    while index + 16 <= end {
        let g = load(a.gradients + index)
        let old = load(a.mean + index)
        let m = fma(splat(1 - a.beta1), g - old, old)
        let v = fma(splat(1 - a.beta2) * g, g, splat(a.beta2) * load(a.square + index))
        store(m, a.mean + index)
        store(v, a.square + index)
        let w = splat(a.decay) * load(a.parameters + index)
        let root = v.squareRoot() / splat(a.root_correction) + splat(a.epsilon)
        store(fma(splat(-a.step_size), m / root, w), a.parameters + index)
        index += 16
    }
    while index < end {
        let g = a.gradients[index]
        let m = a.mean[index] + (1 - a.beta1) * (g - a.mean[index])
        let v = a.beta2 * a.square[index] + (1 - a.beta2) * g * g
        a.mean[index] = m
        a.square[index] = v
        let root = v.squareRoot() / a.root_correction + a.epsilon
        a.parameters[index] = a.decay * a.parameters[index] - a.step_size * (m / root)
        index += 1
    }
}
