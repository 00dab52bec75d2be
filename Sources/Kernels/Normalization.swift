// Normalisation, activation and sums, channel by channel over channels-last maps. Each call covers a range of
// voxels that the caller fixes by the map's size alone, and returns partial sums: what threads there are changes
// nothing.

import CKernels

/// For each channel Σ (x − shift) and Σ (x − shift)² into `sums` [2][channels]. The shift, any value near the mean,
/// keeps the variance exact where the mean is large against the deviation.
func moments(
    _ map: UnsafePointer<ck_map>, _ shift: Floats, _ first: Int, _ count: Int, _ sums: UnsafeMutablePointer<Double>
) {
    let x = map.pointee
    let channels = x.channels
    forEachRun(first, count, sums, 2 * channels) { voxels in
        forEachWholeGroup(of: channels) { channel, lanes in
            let offset = load(shift + channel, lanes)
            var s = F16.zero
            var q = F16.zero
            var p = Floats(x.values) + voxels.lowerBound * x.stride + channel
            for _ in voxels {
                let d = load(p, lanes) - offset
                s += d
                q = fma(d, d, q)
                p += x.stride
            }
            add(s, to: sums + channel, lanes)
            add(q, to: sums + channels + channel, lanes)
        }
    }
}

@inline(__always) func add(_ v: F16, to sums: UnsafeMutablePointer<Double>, _ lanes: Lanes) {
    if lanes == .all { ck_add_doubles(sums, v) } else { ck_add_doubles_low(sums, v) }
}

/// Runs `body` over every 64 voxels or fewer, after `sums` have become zero: so many values are summed in Float before
/// they are added to a Double. All channels of some voxels before the next: memory is read from end to end.
@inline(__always)
private func forEachRun(
    _ first: Int, _ count: Int, _ sums: UnsafeMutablePointer<Double>, _ width: Int, _ body: (Range<Int>) -> Void
) {
    for index in 0..<width { sums[index] = 0 }
    var voxel = first
    let end = first + count
    while voxel < end {
        let stop = min(voxel + 64, end)
        body(voxel..<stop)
        voxel = stop
    }
}

/// y = x · scale + shift, plus a residual (itself scaled and shifted, or as it is), then ReLU where wanted.
func affine(_ arguments: UnsafePointer<ck_affine>, _ first: Int, _ count: Int) {
    let a = arguments.pointee
    let floor: Float = a.rectify == 0 ? -Float.infinity : 0
    for voxel in first..<first + count {
        let x = Floats(a.x.values) + voxel * a.x.stride
        let y: MutableFloats = a.y.values + voxel * a.y.stride
        let residual = a.residual.values.map { Floats($0) + voxel * a.residual.stride }
        forEachWholeGroup(of: a.x.channels) { channel, lanes in
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
    _ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int, _ count: Int,
    _ sums: UnsafeMutablePointer<Double>
) {
    let a = arguments.pointee
    let channels = a.channels
    forEachRun(first, count, sums, 2 * channels) { voxels in
        forEachWholeGroup(of: channels) { channel, lanes in
            let mean = load(a.mean + channel, lanes)
            let inverse = load(a.inverse_deviation + channel, lanes)
            let mask = Mask(a, channel, lanes)
            var s = F16.zero
            var q = F16.zero
            for voxel in voxels {
                let p: MutableFloats = a.gradient.values + voxel * a.gradient.stride + channel
                let x = load(a.x.values + voxel * a.x.stride + channel, lanes)
                var g = mask.apply(load(p, lanes), x)
                if let y = a.y.values {
                    g = ck_where_greater16(load(y + voxel * a.y.stride + channel, lanes), F16.zero, g)
                    store(g, p, lanes)
                }
                s += g
                q = fma(g, (x - mean) * inverse, q)
            }
            add(s, to: sums + channel, lanes)
            add(q, to: sums + channels + channel, lanes)
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

/// dx = factor · (gain · g − mean(gain · g) − x̂ · mean(gain · g · x̂)): S. Ioffe and C. Szegedy, "Batch
/// Normalization", 2015, section 3. Where each channel has a mean of its own, the factor is γ/σ and the gain 1; where
/// several have one in common, the factor is 1/σ and the gain γ, which may be 0.
struct NormalizationGradient {
    private let mean: F16
    private let inverse: F16
    private let factor: F16
    private let gain: F16
    private let gradientMean: F16
    private let projectionMean: F16

    @inline(__always) init(_ a: ck_normalization_gradient, _ channel: Int, _ lanes: Lanes) {
        mean = load(a.mean + channel, lanes)
        inverse = load(a.inverse_deviation + channel, lanes)
        factor = load(a.factor + channel, lanes)
        gain = load(a.gain + channel, lanes)
        gradientMean = load(a.gradient_mean + channel, lanes)
        projectionMean = load(a.projection_mean + channel, lanes)
    }

    @inline(__always) func apply(_ gradient: F16, _ x: F16) -> F16 {
        factor * fma(-((x - mean) * inverse), projectionMean, gain * gradient - gradientMean)
    }
}

func normalizationApply(_ arguments: UnsafePointer<ck_normalization_gradient>, _ first: Int, _ count: Int) {
    let a = arguments.pointee
    // Some voxels at a time, which stay near while their channels take turns.
    for start in stride(from: first, to: first + count, by: 64) {
        forEachWholeGroup(of: a.channels) { channel, lanes in
            let mask = Mask(a, channel, lanes)
            let gradient = NormalizationGradient(a, channel, lanes)
            for voxel in start..<min(start + 64, first + count) {
                let x = load(a.x.values + voxel * a.x.stride + channel, lanes)
                let g = mask.apply(load(a.gradient.values + voxel * a.gradient.stride + channel, lanes), x)
                store(gradient.apply(g, x), a.x_gradient.values + voxel * a.x_gradient.stride + channel, lanes)
            }
        }
    }
}

/// destination += source, voxel by voxel.
func add(_ destination: UnsafePointer<ck_map>, _ source: UnsafePointer<ck_map>, _ first: Int, _ count: Int) {
    let (a, b) = (destination.pointee, source.pointee)
    for voxel in first..<first + count {
        let d: MutableFloats = a.values + voxel * a.stride
        let s: MutableFloats = b.values + voxel * b.stride
        forEachWholeGroup(of: a.channels) { channel, lanes in
            store(load(d + channel, lanes) + load(s + channel, lanes), d + channel, lanes)
        }
    }
}
