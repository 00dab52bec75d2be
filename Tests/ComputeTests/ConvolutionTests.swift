import Basics
import Testing

@testable import Compute

/// Winograd's kernels against the definition, in every direction: odd sizes, all of the network's widths, batches.
@Suite struct ConvolutionTests {
    struct Case: CustomTestStringConvertible {
        let samples: Int
        let extent: ZYX<Int>
        let inputs: Int
        let outputs: Int

        var testDescription: String { "\(samples) x \(extent), \(inputs) to \(outputs)" }
    }

    static let cases = [
        Case(samples: 1, extent: ZYX(5, 7, 9), inputs: 24, outputs: 24),
        Case(samples: 2, extent: ZYX(4, 8, 12), inputs: 24, outputs: 32),
        Case(samples: 1, extent: ZYX(3, 9, 8), inputs: 32, outputs: 32),
        Case(samples: 1, extent: ZYX(2, 7, 7), inputs: 32, outputs: 64),
        Case(samples: 3, extent: ZYX(4, 2, 3), inputs: 64, outputs: 64),
        Case(samples: 2, extent: ZYX(1, 1, 1), inputs: 64, outputs: 64),
        Case(samples: 1, extent: ZYX(3, 5, 7), inputs: 128, outputs: 64),
        Case(samples: 1, extent: ZYX(3, 8, 7), inputs: 131, outputs: 128),
        Case(samples: 1, extent: ZYX(2, 4, 8), inputs: 128, outputs: 128),
        // Deep enough for tiles of four along z; 13 in a column and more than one column's worth.
        Case(samples: 1, extent: ZYX(53, 7, 9), inputs: 24, outputs: 24),
        Case(samples: 2, extent: ZYX(17, 8, 7), inputs: 32, outputs: 64),
        Case(samples: 3, extent: ZYX(16, 7, 7), inputs: 64, outputs: 64),
        Case(samples: 1, extent: ZYX(18, 9, 7), inputs: 131, outputs: 128),
    ]

    @Test(arguments: cases) func agreesWithDefinition(_ c: Case) {
        var generator = CounterGenerator(seed: 1, purpose: "convolution test", UInt64(c.inputs), UInt64(c.outputs))
        let x = NaiveMap.random(c.samples, c.extent, c.inputs, &generator)
        let g = NaiveMap.random(c.samples, c.extent, c.outputs, &generator)
        let weights = (0..<c.outputs * c.inputs * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = (0..<c.outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let truth = Naive.convolution(x, weights.map(Double.init), bias.map(Double.init), inputs: c.inputs)
        // The convolution is linear: its gradients are convolutions of g, which differences check below.
        let channels = min(c.inputs, 128)
        let dataTruth = dataGradient(g, weights, c, channels)
        let weightsTruth = weightsGradient(x, g, c)

        for set in supportedInstructionSets {
            let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
            // 131 channels are stored as 136; what stands in the others must not matter.
            let stored = engine.map(x, extra: (8 - c.inputs % 8) % 8).buffer
            let map = FeatureMap(
                buffer: stored, samples: c.samples, extent: c.extent, channels: (c.inputs + 7) / 8 * 8,
                stride: (c.inputs + 7) / 8 * 8)
            let y = engine.convolution(map, weights: weights, bias: bias, inputs: c.inputs, outputs: c.outputs)
            #expect(relativeError(y.doubles, truth.values) < 4e-6, "\(set)")

            let gradient = engine.map(g)
            let dx = engine.convolutionDataGradient(gradient, weights: weights, inputs: c.inputs, channels: channels)
            #expect(relativeError(dx.doubles, dataTruth) < 4e-6, "\(set)")

            var dw = [Float](repeating: .nan, count: weights.count)
            dw.withUnsafeMutableBufferPointer {
                engine.convolutionWeightsGradient(map, gradient, inputs: c.inputs, into: $0)
            }
            #expect(relativeError(dw.map(Double.init), weightsTruth) < 8e-6, "\(set)")
        }
    }

    /// Some planes of a result, computed from the planes around them, are those of the whole to the bit.
    @Test(arguments: supportedInstructionSets) func somePlanes(_ set: InstructionSet) {
        var generator = CounterGenerator(seed: 4, purpose: "planes test")
        let extent = ZYX(21, 10, 7)
        let x = NaiveMap.random(1, extent, 24, &generator)
        let weights = (0..<24 * 24 * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = (0..<24).map { _ in Float(generator.uniform(-1, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let whole = engine.convolution(engine.map(x), weights: weights, bias: bias, inputs: 24, outputs: 24).doubles
        let plane = 70 * 24
        for planes in [0..<8, 4..<21, 16..<21, 12..<16] {
            let around = max(0, planes.lowerBound - 1)..<min(21, planes.upperBound + 1)
            let part = NaiveMap(
                samples: 1, extent: ZYX(around.count, 10, 7), channels: 24,
                values: Array(x.values[around.lowerBound * plane..<around.upperBound * plane]))
            let y = engine.map(samples: 1, extent: ZYX(planes.count, 10, 7), channels: 24)
            engine.convolution(
                engine.map(part), first: planes.lowerBound - around.lowerBound, of: 21, weights: weights, bias: bias,
                inputs: 24, into: y)
            let same = y.doubles == Array(whole[planes.lowerBound * plane..<planes.upperBound * plane])
            #expect(same, "\(planes)")
        }
    }

    /// The convolution of a gradient with the mirrored filters, whose inputs and outputs change places.
    private func dataGradient(_ g: NaiveMap, _ weights: [Float], _ c: Case, _ channels: Int) -> [Double] {
        let mirrored = (0..<channels * c.outputs * 27).map { index in
            let (input, output, tap) = (index / (c.outputs * 27), index / 27 % c.outputs, index % 27)
            return Double(weights[(output * c.inputs + input) * 27 + 26 - tap])
        }
        let none = [Double](repeating: 0, count: channels)
        return Naive.convolution(g, mirrored, none, inputs: c.outputs).values
    }

    private func weightsGradient(_ x: NaiveMap, _ g: NaiveMap, _ c: Case) -> [Double] {
        // [27, C_in, C_out], so that the innermost loop runs along memory.
        var byTap = [Double](repeating: 0, count: 27 * c.inputs * c.outputs)
        g.forEachVoxel { n, vz, vy, vx in
            let place = g.index(n, vz, vy, vx, 0)
            for tap in 0..<27 {
                for input in 0..<c.inputs {
                    let value = x.at(n, vz + tap / 9 - 1, vy + tap / 3 % 3 - 1, vx + tap % 3 - 1, input)
                    if value == 0 { continue }
                    let row = (tap * c.inputs + input) * c.outputs
                    for output in 0..<c.outputs { byTap[row + output] += value * g.values[place + output] }
                }
            }
        }
        return (0..<c.outputs * c.inputs * 27).map { index in
            let (output, input, tap) = (index / (c.inputs * 27), index / 27 % c.inputs, index % 27)
            return byTap[(tap * c.inputs + input) * c.outputs + output]
        }
    }

    /// The derivatives that the definition's gradients claim, from finite differences.
    @Test func definitionsGradientsAreDerivatives() {
        var generator = CounterGenerator(seed: 2, purpose: "convolution differences")
        let c = Case(samples: 1, extent: ZYX(2, 3, 3), inputs: 24, outputs: 24)
        let x = NaiveMap.random(1, c.extent, c.inputs, &generator)
        let g = NaiveMap.random(1, c.extent, c.outputs, &generator)
        let weights = (0..<c.outputs * c.inputs * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = [Double](repeating: 0.5, count: c.outputs)
        let dx = dataGradient(g, weights, c, c.inputs)
        let dw = weightsGradient(x, g, c)
        for index in [0, 17, 100, x.values.count - 1] {
            let truth = Naive.derivative(x.values, index) { values in
                let moved = NaiveMap(samples: 1, extent: c.extent, channels: c.inputs, values: values)
                return Naive.dot(Naive.convolution(moved, weights.map(Double.init), bias, inputs: c.inputs), g)
            }
            #expect(abs(dx[index] - truth) < 1e-7)
        }
        for index in [0, 999, weights.count - 1] {
            let truth = Naive.derivative(weights.map(Double.init), index) { values in
                Naive.dot(Naive.convolution(x, values, bias, inputs: c.inputs), g)
            }
            #expect(abs(dw[index] - truth) < 1e-7)
        }
    }

    @Test(arguments: supportedInstructionSets, [8, 16, 24, 64, 72])
    func firstLayer(_ set: InstructionSet, _ channels: Int) {
        var generator = CounterGenerator(seed: 3, purpose: "first layer test")
        let extent = ZYX(3, 5, 11)
        let x = NaiveMap.random(2, extent, 1, &generator)
        let g = NaiveMap.random(2, extent, channels, &generator)
        let weights = (0..<channels * 27).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<channels).map { _ in Float(generator.uniform(-1, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let map = engine.map(x)
        let y = weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer { bias in
                engine.firstConvolution(
                    map, FirstLayer(weights: weights, bias: bias))
            }
        }
        let truth = Naive.convolution(x, weights.map(Double.init), bias.map(Double.init), inputs: 1)
        #expect(relativeError(y.doubles, truth.values) < 1e-6)

        var dw = [Float](repeating: .nan, count: weights.count)
        dw.withUnsafeMutableBufferPointer {
            engine.firstConvolutionWeightsGradient(map, engine.map(g), into: $0)
        }
        let c = Case(samples: 2, extent: extent, inputs: 1, outputs: channels)
        #expect(relativeError(dw.map(Double.init), weightsGradient(x, g, c)) < 1e-6)
    }
}
