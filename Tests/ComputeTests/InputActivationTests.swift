import Basics
import Testing

@testable import Compute

/// Convolutions that normalise their input as they read it, against a map that was normalised before: the same bits.
@Suite struct InputActivationTests {
    /// The extents: tiles of 4 that hang over the edges, tiles of 2 in the plane, and of 2 along z alone.
    private static let extents = [ZYX(18, 9, 7), ZYX(5, 5, 6), ZYX(6, 10, 8)]

    /// Forward, the weights' gradient of few channels, where the input is read through its activation, and of many,
    /// where it is not; one number of outputs that does not fill vectors.
    @Test(arguments: supportedInstructionSets, [15, 32, 72])
    func isThatOfAMapInBetween(_ set: InstructionSet, _ outputs: Int) {
        var generator = CounterGenerator(seed: 1, purpose: "activation test", UInt64(outputs))
        let inputs = 40
        let weights = (0..<outputs * inputs * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = (0..<outputs).map { _ in Float(generator.uniform(-1, 1)) }
        // A ReLU that lets some of the zeros around a map through, were they normalised, too.
        let scale = (0..<inputs).map { _ in Float(generator.uniform(-1.5, 1.5)) }
        let shift = (0..<inputs).map { _ in Float(generator.uniform(-0.5, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        for extent in Self.extents {
            let x = NaiveMap.random(3, extent, inputs, &generator)
            let g = NaiveMap.random(3, extent, outputs, &generator)
            for scope in [NormalizationScope.batch, .group(channels: 8)] {
                let map = engine.map(x, extra: 8)
                let statistics = engine.statistics(map, over: scope)
                let (activated, fused) = scale.withUnsafeBufferPointer { scale in
                    shift.withUnsafeBufferPointer { shift in
                        let activation = InputActivation(
                            NormalizationParameters(scale: scale, shift: shift), statistics)
                        let activated = engine.map(like: map)
                        engine.normalize(map, activation, into: activated)
                        return (activated, results(map, activation))
                    }
                }
                let apart = results(activated, nil)
                #expect(fused == apart, "\(extent), \(scope)")
                #expect(apart.contains { $0 != 0 })
            }

            /// The convolution of a map, of its upper planes alone, and its weights' gradient.
            func results(_ map: FeatureMap, _ activation: InputActivation?) -> [Double] {
                let gradient = [Float](unsafeUninitializedCapacity: weights.count) { buffer, count in
                    let target = UnsafeMutableBufferPointer(rebasing: buffer[..<weights.count])
                    target.initialize(repeating: 0)
                    engine.convolutionWeightsGradient(
                        map, through: activation, engine.map(g), inputs: inputs, into: target)
                    count = weights.count
                }
                let maps = weights.withUnsafeBufferPointer { weights in
                    bias.withUnsafeBufferPointer { bias in
                        let whole = engine.convolution(
                            map, through: activation, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
                        guard outputs % 8 == 0 else { return whole.doubles }
                        let upper = engine.map(
                            samples: 1, extent: ZYX(extent.z - 4, extent.y, extent.x), channels: outputs)
                        engine.convolution(
                            map.sample(0), through: activation?.ofFirstSample, first: 4, of: extent.z, weights: weights,
                            bias: bias, inputs: inputs, into: upper)
                        return whole.doubles + upper.doubles
                    }
                }
                return maps + gradient.map(Double.init)
            }
        }
    }
}

extension InputActivation {
    fileprivate var ofFirstSample: InputActivation { InputActivation(parameters, statistics.part(0)) }
}
