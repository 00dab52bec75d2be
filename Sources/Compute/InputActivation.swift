import CKernels

/// The normalisation and ReLU in front of a convolution, which the convolution does as it reads its input: the map in
/// between is never written.
public struct InputActivation {
    let parameters: NormalizationParameters
    let statistics: Statistics

    /// Refers to the parameters of a normalisation, and holds the statistics that it is done with.
    public init(_ parameters: NormalizationParameters, _ statistics: Statistics) {
        self.parameters = parameters
        self.statistics = statistics
    }
}

extension Engine {
    /// The activation of `x` by itself, into `y`, which may be `x`.
    public func normalize(_ x: FeatureMap, _ activation: InputActivation, into y: FeatureMap) {
        normalize(x, activation.parameters, activation.statistics, into: y)
    }

    /// Runs `body` with the factors and offsets of an activation of `x`, or with none.
    func withActivation<Result>(
        _ activation: InputActivation?, of x: FeatureMap, _ body: (ck_activation) -> Result
    ) -> Result {
        guard let activation else { return body(ck_activation()) }
        let (parameters, statistics) = (activation.parameters, activation.statistics)
        parameters.require(channels: x.channels, samples: x.samples, statistics)
        var (scales, shifts): ([Float], [Float]) = ([], [])
        for part in 0..<statistics.parts {
            withCoefficients(parameters, statistics.part(part)) { scale, shift in
                scales += UnsafeBufferPointer(start: scale, count: x.channels)
                shifts += UnsafeBufferPointer(start: shift, count: x.channels)
            }
        }
        let stride = statistics.parts > 1 ? x.channels : 0
        return scales.withUnsafeBufferPointer { scales in
            shifts.withUnsafeBufferPointer { shifts in
                body(ck_activation(scale: scales.baseAddress, shift: shifts.baseAddress, sample_stride: stride))
            }
        }
    }
}
