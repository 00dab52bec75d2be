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
    let floor: Float = a.rectify == 0 ? -Float.infinity : 0
    for voxel in Int(first)..<Int(first + count) {
        let x = a.x + voxel * Int(a.x_stride)
        let y = a.y + voxel * Int(a.y_stride)
        let residual = a.residual.map { $0 + voxel * Int(a.residual_stride) }
        forEachWholeGroup(of: Int(a.channels)) { channel, lanes in
            var v = fma(load(x + channel, lanes), load(a.scale + channel, lanes), load(a.shift + channel, lanes))
            if let residual {
                let r = load(residual + channel, lanes)
                if let scale = a.residual_scale, let shift = a.residual_shift {
                    v += fma(r, load(scale + channel, lanes), load(shift + channel, lanes))
                } else {
                    v += r
                }
            }
            store(maximum(v, splat(floor)), y + channel, lanes)
        }
    }
}

/// Per channel Σ g and Σ g · x̂ into `sums` [2][channels], g being the gradient where the activation was positive.
func normalizationSums(
    _ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int64, _ count: Int64,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let channels = Int(a.channels)
    forEachGroup(of: channels) { channel in
        let mean = load(a.mean + channel)
        let inverse = load(a.inverse_deviation + channel)
        let mask = Mask(a, channel, .all)
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
                let x = load(a.x + voxel * Int(a.x_stride) + channel)
                var g = mask.apply(load(p), x)
                if let y = a.y {
                    g = ck_where_greater16(load(y + voxel * Int(a.y_stride) + channel), F16.zero, g)
                    store(g, p)
                }
                s += g
                q = fma(g, (x - mean) * inverse, q)
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

/// Where a ReLU behind a normalisation let the gradient through, computed from what was normalised.
struct Mask {
    private let scale: F16
    private let shift: F16

    /// Without coefficients it lets everything through: 0 · x + 1.
    @inline(__always) init(_ a: ck_normalization_gradient, _ channel: Int, _ lanes: Lanes) {
        if let scale = a.scale, let shift = a.shift {
            self.scale = load(scale + channel, lanes)
            self.shift = load(shift + channel, lanes)
        } else {
            scale = F16.zero
            shift = splat(1)
        }
    }

    @inline(__always) func apply(_ gradient: F16, _ x: F16) -> F16 {
        ck_where_greater16(fma(x, scale, shift), F16.zero, gradient)
    }
}

/// dx = γ/σ · (g − mean(g) − x̂ · mean(g · x̂)): S. Ioffe and C. Szegedy, "Batch Normalization", 2015, section 3.
struct NormalizationGradient {
    private let mean: F16
    private let inverse: F16
    private let factor: F16
    private let gradientMean: F16
    private let projectionMean: F16

    @inline(__always) init(_ a: ck_normalization_gradient, _ channel: Int, _ lanes: Lanes) {
        mean = load(a.mean + channel, lanes)
        inverse = load(a.inverse_deviation + channel, lanes)
        factor = load(a.factor + channel, lanes)
        gradientMean = load(a.gradient_mean + channel, lanes)
        projectionMean = load(a.projection_mean + channel, lanes)
    }

    @inline(__always) func apply(_ gradient: F16, _ x: F16) -> F16 {
        factor * fma(-((x - mean) * inverse), projectionMean, gradient - gradientMean)
    }
}

func normalizationApply(_ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int64, _ count: Int64) {
    let a = arguments.pointee
    forEachWholeGroup(of: Int(a.channels)) { channel, lanes in
        let mask = Mask(a, channel, lanes)
        let gradient = NormalizationGradient(a, channel, lanes)
        for voxel in Int(first)..<Int(first + count) {
            let x = load(a.x + voxel * Int(a.x_stride) + channel, lanes)
            let g = mask.apply(load(a.gradient + voxel * Int(a.gradient_stride) + channel, lanes), x)
            store(gradient.apply(g, x), a.x_gradient + voxel * Int(a.x_gradient_stride) + channel, lanes)
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
        forEachWholeGroup(of: Int(channels)) { channel, lanes in
            store(load(d + channel, lanes) + load(s + channel, lanes), d + channel, lanes)
        }
    }
}
