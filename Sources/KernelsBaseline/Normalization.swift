// Batch normalisation, activation and sums, channel by channel over channels-last maps. Each call covers a range of
// voxels that the caller fixes by the map's size alone, and returns partial sums: what threads there are changes nothing.

import CKernels

/// Voxels summed in Float before they are added to a Double.
private let run = 64

/// For each channel Σ (x − shift) and Σ (x − shift)² into `sums` [2][channels]. The shift, any value near the mean,
/// keeps the variance exact where the mean is large against the deviation.
func moments(
    _ x: Floats, _ stride: Int64, _ channels: Int64, _ shift: Floats, _ first: Int64, _ count: Int64,
    _ sums: UnsafeMutablePointer<Double>
) {
    let channels = Int(channels)
    let stride = Int(stride)
    forEachGroup(of: channels) { channel in
        let offset = load(shift + channel)
        var total = SIMD16<Double>.zero
        var squares = SIMD16<Double>.zero
        var voxel = Int(first)
        let end = voxel + Int(count)
        while voxel < end {
            let stop = min(voxel + run, end)
            var p = x + voxel * stride + channel
            var s = F16.zero
            var q = F16.zero
            while voxel < stop {
                let d = load(p) - offset
                s += d
                q = fma(d, d, q)
                p += stride
                voxel += 1
            }
            total += ck_widen16(s)
            squares += ck_widen16(q)
        }
        for lane in 0..<16 {
            sums[channel + lane] = total[lane]
            sums[channels + channel + lane] = squares[lane]
        }
    }
}

/// y = x · scale + shift, plus a residual (itself scaled and shifted, or as it is), then ReLU where wanted.
func affine(_ arguments: UnsafePointer<ck_affine>, _ first: Int64, _ count: Int64) {
    let a = arguments.pointee
    let channels = Int(a.channels)
    let floor: Float = a.rectify == 0 ? -Float.infinity : 0
    for voxel in Int(first)..<Int(first + count) {
        let x = a.x + voxel * Int(a.x_stride)
        let y = a.y + voxel * Int(a.y_stride)
        let residual = a.residual.map { $0 + voxel * Int(a.residual_stride) }
        var channel = 0
        while channel < channels {
            // In place, an overlapping last group would be scaled twice: eight at a time.
            if channel + 16 <= channels {
                var v = fma(load(x + channel), load(a.scale + channel), load(a.shift + channel))
                if let residual {
                    let r = load(residual + channel)
                    if let scale = a.residual_scale, let shift = a.residual_shift {
                        v += fma(r, load(scale + channel), load(shift + channel))
                    } else {
                        v += r
                    }
                }
                store(maximum(v, splat(floor)), y + channel)
            } else {
                var v = fma(ck_load8(x + channel), ck_load8(a.scale + channel), ck_load8(a.shift + channel))
                if let residual {
                    let r = ck_load8(residual + channel)
                    if let scale = a.residual_scale, let shift = a.residual_shift {
                        v += fma(r, ck_load8(scale + channel), ck_load8(shift + channel))
                    } else {
                        v += r
                    }
                }
                ck_store8(y + channel, ck_max8(v, F8(repeating: floor)))
            }
            channel += 16
        }
    }
}

/// Masks the gradient where the activation was zero, and sums per channel Σ g and Σ g · x̂ into `sums` [2][channels].
func normalizationSums(
    _ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int64, _ count: Int64,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let channels = Int(a.channels)
    forEachGroup(of: channels) { channel in
        let mean = load(a.mean + channel)
        let scale = load(a.inverse_deviation + channel)
        var total = SIMD16<Double>.zero
        var projections = SIMD16<Double>.zero
        var voxel = Int(first)
        let end = voxel + Int(count)
        while voxel < end {
            let stop = min(voxel + run, end)
            var s = F16.zero
            var q = F16.zero
            while voxel < stop {
                let p = a.gradient + voxel * Int(a.gradient_stride) + channel
                var g = load(p)
                if let y = a.y {
                    g = ck_where_greater16(load(y + voxel * Int(a.y_stride) + channel), F16.zero, g)
                    store(g, p)
                }
                s += g
                q = fma(g, (load(a.x + voxel * Int(a.x_stride) + channel) - mean) * scale, q)
                voxel += 1
            }
            total += ck_widen16(s)
            projections += ck_widen16(q)
        }
        for lane in 0..<16 {
            sums[channel + lane] = total[lane]
            sums[channels + channel + lane] = projections[lane]
        }
    }
}

/// dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)): S. Ioffe and C. Szegedy, "Batch Normalization", 2015, section 3.
func normalizationApply(_ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int64, _ count: Int64) {
    let a = arguments.pointee
    let channels = Int(a.channels)
    for voxel in Int(first)..<Int(first + count) {
        let x = a.x + voxel * Int(a.x_stride)
        let g = a.gradient + voxel * Int(a.gradient_stride)
        let out = a.x_gradient + voxel * Int(a.x_gradient_stride)
        var channel = 0
        while channel < channels {
            // In place, the overlapping last group would take its first half's results for gradients: eight at a time.
            if channel + 16 <= channels {
                let normalized = (load(x + channel) - load(a.mean + channel)) * load(a.inverse_deviation + channel)
                let centered = load(g + channel) - load(a.gradient_mean + channel)
                store(
                    load(a.factor + channel) * fma(-normalized, load(a.projection_mean + channel), centered),
                    out + channel)
            } else {
                let normalized =
                    (ck_load8(x + channel) - ck_load8(a.mean + channel)) * ck_load8(a.inverse_deviation + channel)
                let centered = ck_load8(g + channel) - ck_load8(a.gradient_mean + channel)
                ck_store8(
                    out + channel,
                    ck_load8(a.factor + channel) * fma(-normalized, ck_load8(a.projection_mean + channel), centered))
            }
            channel += 16
        }
    }
}

/// destination += source, voxel by voxel.
func add(
    _ destination: MutableFloats, _ destinationStride: Int64, _ source: Floats, _ sourceStride: Int64,
    _ channels: Int64, _ first: Int64, _ count: Int64
) {
    for voxel in Int(first)..<Int(first + count) {
        let d = destination + voxel * Int(destinationStride)
        let s = source + voxel * Int(sourceStride)
        var channel = 0
        while channel < Int(channels) {
            if channel + 16 <= Int(channels) {
                store(load(d + channel) + load(s + channel), d + channel)
            } else {
                ck_store8(d + channel, ck_load8(d + channel) + ck_load8(s + channel))
            }
            channel += 16
        }
    }
}
