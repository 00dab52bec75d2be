import Basics
import Testing

@testable import Compute

/// 1x1x1 and transposed convolutions against their definitions, of any width.
@Suite struct PointwiseTests {
    struct Case: CustomTestStringConvertible {
        let inputs: Int
        let outputs: Int
        var testDescription: String { "\(inputs) to \(outputs)" }
    }

    /// The network's widths, and odd ones.
    static let cases = [
        Case(inputs: 131, outputs: 15), Case(inputs: 24, outputs: 32), Case(inputs: 131, outputs: 128),
        Case(inputs: 64, outputs: 64), Case(inputs: 3, outputs: 1), Case(inputs: 17, outputs: 121),
        Case(inputs: 40, outputs: 56),
    ]

    @Test(arguments: cases, supportedInstructionSets) func pointwise(_ c: Case, _ set: InstructionSet) {
        var generator = CounterGenerator(seed: 3, purpose: "pointwise test", UInt64(c.inputs))
        // More voxels than are summed at once.
        let x = NaiveMap.random(2, ZYX(3, 11, 9), c.inputs, &generator)
        let g = NaiveMap.random(2, x.extent, c.outputs, &generator)
        let weights = (0..<c.outputs * c.inputs).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<c.outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x, extra: 5)
        let y = engine.pointwise(map, weights: weights, bias: bias, inputs: c.inputs, outputs: c.outputs)
        let (w, b) = (weights.map(Double.init), bias.map(Double.init))
        #expect(relativeError(y.doubles, Naive.pointwise(x, w, b, inputs: c.inputs).values) < 1e-6)

        let gradient = engine.map(g, extra: 1)
        let channels = min(c.inputs, 128)
        let dx = engine.pointwiseDataGradient(gradient, weights: weights, inputs: c.inputs, channels: channels)
        var dw = [Float](repeating: .nan, count: weights.count)
        var db = bias
        dw.withUnsafeMutableBufferPointer {
            engine.pointwiseWeightsGradient(map, gradient, inputs: c.inputs, into: $0)
        }
        db.withUnsafeMutableBufferPointer { engine.biasGradient(gradient, into: $0) }
        let voxels = map.voxels
        var (dxTruth, dwTruth, dbTruth) = (
            [Double](repeating: 0, count: voxels * channels), [Double](repeating: 0, count: w.count), b.map { _ in 0.0 }
        )
        for voxel in 0..<voxels {
            for output in 0..<c.outputs {
                let value = g.values[voxel * c.outputs + output]
                dbTruth[output] += value
                for input in 0..<c.inputs {
                    dwTruth[output * c.inputs + input] += value * x.values[voxel * c.inputs + input]
                    if input < channels { dxTruth[voxel * channels + input] += value * w[output * c.inputs + input] }
                }
            }
        }
        #expect(relativeError(dx.doubles, dxTruth) < 1e-6)
        #expect(relativeError(dw.map(Double.init), dwTruth) < 1e-6)
        #expect(relativeError(db.map(Double.init), dbTruth) < 1e-6)
    }

    /// Every element is one sum over the input channels from first to last, then the bias: to the bit, wherever its
    /// voxel stands in a block and whatever the block is.
    @Test(arguments: cases, supportedInstructionSets) func oneOrderForEveryRow(_ c: Case, _ set: InstructionSet) {
        var generator = CounterGenerator(seed: 5, purpose: "pointwise test", UInt64(c.inputs))
        let x = NaiveMap.random(1, ZYX(1, 7, 43), c.inputs, &generator)
        let weights = (0..<c.outputs * c.inputs).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<c.outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 1), instructionSet: set)
        let y = engine.pointwise(
            engine.map(x), weights: weights, bias: bias, inputs: c.inputs, outputs: c.outputs
        ).doubles
        var different = 0
        for voxel in 0..<y.count / c.outputs {
            for output in 0..<c.outputs {
                var sum: Float = 0
                for input in 0..<c.inputs {
                    let (a, b) = (Float(x.values[voxel * c.inputs + input]), weights[output * c.inputs + input])
                    sum = isFused(set) ? sum.addingProduct(a, b) : sum + a * b
                }
                if Double(sum + bias[output]) != y[voxel * c.outputs + output] { different += 1 }
            }
        }
        #expect(different == 0)
    }

    /// Whether products are added without rounding between.
    private func isFused(_ set: InstructionSet) -> Bool {
        #if arch(arm64)
            true
        #else
            set != .baseline
        #endif
    }

    @Test(arguments: [(64, 64), (24, 15)], supportedInstructionSets)
    func transposedConvolution(_ widths: (inputs: Int, outputs: Int), _ set: InstructionSet) {
        let (inputs, outputs) = widths
        var generator = CounterGenerator(seed: 4, purpose: "transposed test")
        let x = NaiveMap.random(2, ZYX(3, 2, 5), inputs, &generator)
        let g = NaiveMap.random(2, x.extent * 2, outputs, &generator)
        let weights = (0..<inputs * outputs * 8).map { _ in Float(generator.uniform(-0.2, 0.2)) }
        let bias = (0..<outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let map = engine.map(x)
        let y = engine.transposedConvolution(map, weights: weights, bias: bias, outputs: outputs)
        let (w, b) = (weights.map(Double.init), bias.map(Double.init))
        #expect(relativeError(y.doubles, Naive.transposed(x, w, b).values) < 1e-6)
        var dw = [Float](repeating: .nan, count: weights.count)
        // The gradient as part of a wider map, as the concatenation hands it down.
        let wide = engine.map(g, extra: 64)
        let dx = dw.withUnsafeMutableBufferPointer {
            engine.transposedConvolutionGradient(map, wide, weights: weights, into: $0)
        }
        for index in [0, 500, x.values.count - 1] {
            let truth = Naive.derivative(x.values, index) { values in
                var moved = x
                moved.values = values
                return Naive.dot(Naive.transposed(moved, w, b), g)
            }
            #expect(abs(dx.doubles[index] - truth) < 1e-4)
        }
        for index in [0, weights.count / 3, weights.count - 1] {
            let truth = Naive.derivative(w, index) { Naive.dot(Naive.transposed(x, $0, b), g) }
            #expect(abs(Double(dw[index]) - truth) < 1e-3)
        }
    }
}
