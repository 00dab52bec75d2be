// Weights into the Winograd domain, U = (G ⊗ G ⊗ G) g, and the gradient back, dg = (G ⊗ G ⊗ G)ᵀ dU.

import CKernels

/// Transforms the weights of one input channel: [C_out][27 taps] in PyTorch's layout to one row of each component's
/// panels. A channel that the weights do not have becomes zero.
///
/// The scratch holds 27 x C_out weights, then one filter plane's 6 x 3.
func winogradTransformWeights(_ arguments: UnsafePointer<ck_weights>, _ channel: Int64, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let outputs = Int(a.output_channels)
    let source = a.source + Int(channel) * Int(a.row_stride)
    for output in 0..<outputs {
        let taps = source + output * Int(a.column_stride)
        if channel >= a.source_channels {
            for tap in 0..<27 { scratch[tap * outputs + output] = 0 }
        } else if a.flip == 0 {
            for tap in 0..<27 { scratch[tap * outputs + output] = taps[tap] }
        } else {
            for tap in 0..<27 { scratch[tap * outputs + output] = taps[26 - tap] }
        }
    }
    let plane = scratch + 27 * outputs
    let stride = Int(a.component_stride)
    let components = (Int(a.tile) + 2) * (Int(a.tile) + 2)
    forEachGroup(of: outputs) { output in
        let g = scratch + output
        let place = Panel(of: output, columns: outputs).place(Int(channel), output, inputs: Int(a.input_channels))
        for z in 0..<4 {
            // G along z picks or averages three planes of taps; then y into `plane`, then x into the components.
            @inline(__always) func tap(_ y: Int, _ x: Int) -> F16 {
                let p = g + (y * 3 + x) * outputs
                switch z {
                case 0: return load(p)
                case 1: return splat(0.5) * (load(p) + load(p + 18 * outputs) + load(p + 9 * outputs))
                case 2: return splat(0.5) * (load(p) + load(p + 18 * outputs) - load(p + 9 * outputs))
                default: return load(p + 18 * outputs)
                }
            }
            let u = a.transformed + z * components * stride + place
            if a.tile == 4 {
                for x in 0..<3 { put(weightTransform4((tap(0, x), tap(1, x), tap(2, x))), plane + x * 16, 48) }
                for y in 0..<6 {
                    put(weightTransform4(three(plane + y * 48, 16) as Three<F16>), u + y * 6 * stride, stride)
                }
            } else {
                for x in 0..<3 { put(weightTransform2((tap(0, x), tap(1, x), tap(2, x))), plane + x * 16, 48) }
                for y in 0..<4 {
                    put(weightTransform2(three(plane + y * 48, 16) as Three<F16>), u + y * 4 * stride, stride)
                }
            }
        }
    }
}

/// Brings the gradient of one input channel's components back to PyTorch's layout, overwriting it there.
func winogradRestoreWeights(_ arguments: UnsafePointer<ck_weights>, _ channel: Int64, _ scratch: MutableFloats) {
    let a = arguments.pointee
    let outputs = Int(a.output_channels)
    let plane = scratch + 27 * outputs
    let stride = Int(a.component_stride)
    let components = (Int(a.tile) + 2) * (Int(a.tile) + 2)
    forEachGroup(of: outputs) { output in
        let g = scratch + output
        for z in 0..<4 {
            let u = a.transformed + z * components * stride + Int(channel) * outputs + output
            if a.tile == 4 {
                for y in 0..<6 {
                    put(weightGradientTransform4(six(u + y * 6 * stride, stride) as Six<F16>), plane + y * 48, 16)
                }
            } else {
                for y in 0..<4 {
                    put(weightGradientTransform2(four(u + y * 4 * stride, stride) as Four<F16>), plane + y * 48, 16)
                }
            }
            for x in 0..<3 {
                let column: Three<F16> =
                    a.tile == 4
                    ? weightGradientTransform4(six(plane + x * 16, 48))
                    : weightGradientTransform2(four(plane + x * 16, 48))
                accumulate(column, z, g + x * outputs, outputs)
            }
        }
    }
    let destination = a.gradient + Int(channel) * Int(a.row_stride)
    for output in 0..<outputs {
        let taps = destination + output * Int(a.column_stride)
        for tap in 0..<27 { taps[tap] = scratch[tap * outputs + output] }
    }
}

/// Gᵀ along z: component 0 starts planes 0, 1 and 2 of taps, the others add to them.
@inline(__always)
private func accumulate(_ column: Three<F16>, _ z: Int, _ g: MutableFloats, _ outputs: Int) {
    let near = 0
    let middle = 9 * outputs
    let far = 18 * outputs
    @inline(__always) func each(_ body: (F16, MutableFloats) -> Void) {
        body(column.0, g)
        body(column.1, g + 3 * outputs)
        body(column.2, g + 6 * outputs)
    }
    switch z {
    case 0:
        each { v, p in
            store(v, p + near)
            store(F16.zero, p + middle)
            store(F16.zero, p + far)
        }
    case 1, 2:
        let sign: Float = z == 1 ? 0.5 : -0.5
        each { v, p in
            store(fma(splat(0.5), v, load(p + near)), p + near)
            store(fma(splat(sign), v, load(p + middle)), p + middle)
            store(fma(splat(0.5), v, load(p + far)), p + far)
        }
    default:
        each { v, p in store(load(p + far) + v, p + far) }
    }
}
