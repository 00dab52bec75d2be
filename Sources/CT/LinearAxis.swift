/// The places of one axis' output samples between its input samples, for linear resampling with the grids aligned at
/// the first and last sample centres: output k at k (n_in − 1)/(n_out − 1), as `scipy.ndimage.zoom` (order 1).
struct LinearAxis {
    /// The input sample at or before each output sample; clamped to the last.
    let lower: [Int]
    /// The input sample after `lower`; `lower` itself at the end.
    let upper: [Int]
    /// The weight of `upper`.
    let weight: [Float]

    /// Places output samples.
    ///
    /// - Parameters:
    ///   - input: Samples of the whole input axis.
    ///   - output: Samples of the whole output axis.
    ///   - range: The output samples that are wanted.
    init(input: Int, output: Int, range: Range<Int>) {
        let step = output > 1 ? Double(input - 1) / Double(output - 1) : 1
        let positions = range.map { min(Double($0) * step, Double(input - 1)) }
        lower = positions.map { Int($0) }
        upper = lower.map { min($0 + 1, input - 1) }
        weight = zip(positions, lower).map { Float($0 - Double($1)) }
    }

    /// The range of the input samples that are touched.
    var inputRange: Range<Int> { (lower.first ?? 0)..<(upper.last ?? -1) + 1 }
}
