import Basics
import Testing

@testable import Compute

/// Convolutions of stride 2 against their definition, of any width.
@Suite struct StridedConvolutionTests {
    struct Case: CustomTestStringConvertible {
        let side: Int
        let inputs: Int
        let outputs: Int
        let extent: ZYX<Int>
        var testDescription: String { "\(side)x\(side)x\(side) \(inputs) to \(outputs) of \(extent)" }
    }

    /// A network's widths, odd ones, rows of a single output.
    static let cases = [
        Case(side: 3, inputs: 32, outputs: 64, extent: ZYX(4, 6, 14)),
        Case(side: 2, inputs: 96, outputs: 128, extent: ZYX(4, 2, 12)),
        Case(side: 3, inputs: 5, outputs: 11, extent: ZYX(2, 4, 2)),
        Case(side: 2, inputs: 3, outputs: 1, extent: ZYX(2, 2, 2)),
    ]

    private struct Inputs {
        let x: NaiveMap
        let g: NaiveMap
        let weights: [Float]

        init(_ c: Case) {
            var generator = CounterGenerator(seed: 7, purpose: "strided test", UInt64(c.inputs))
            x = NaiveMap.random(2, c.extent, c.inputs, &generator)
            g = NaiveMap.random(2, c.extent.map { $0 / 2 }, c.outputs, &generator)
            weights = (0..<c.outputs * c.inputs * c.side * c.side * c.side).map { _ in
                Float(generator.uniform(-1, 1))
            }
        }
    }

    private func run(
        _ c: Case, _ inputs: Inputs, threads: Int, _ set: InstructionSet
    ) -> (y: [Double], dx: [Double], dw: [Float]) {
        let engine = Engine(pool: ThreadPool(threads: threads), instructionSet: set)
        defer { engine.pool.stop() }
        let (x, g) = (engine.map(inputs.x), engine.map(inputs.g, extra: 3))
        var dw = [Float](repeating: .nan, count: inputs.weights.count)
        return inputs.weights.withUnsafeBufferPointer { weights in
            let filters = StridedFilters(weights, side: c.side, inputs: c.inputs, outputs: c.outputs)
            let y = engine.stridedConvolution(x, filters).doubles
            let dx = engine.stridedConvolutionDataGradient(g, filters).doubles
            dw.withUnsafeMutableBufferPointer {
                engine.stridedConvolutionWeightsGradient(x, g, filters, into: $0)
            }
            return (y, dx, dw)
        }
    }

    @Test(arguments: cases, supportedInstructionSets) func valuesAndGradients(_ c: Case, _ set: InstructionSet) {
        let inputs = Inputs(c)
        let w = inputs.weights.map(Double.init)
        let result = run(c, inputs, threads: 2, set)
        let truth = Naive.strided(inputs.x, w, outputs: c.outputs, side: c.side)
        #expect(relativeError(result.y, truth.values) < 1e-6)
        let gradients = Naive.stridedGradients(inputs.x, w, inputs.g, side: c.side)
        #expect(relativeError(result.dx, gradients.x) < 1e-6)
        #expect(relativeError(result.dw.map(Double.init), gradients.weights) < 1e-6)
        // The naive gradients themselves against differences.
        for index in [0, inputs.x.values.count / 2, inputs.x.values.count - 1] {
            let slope = Naive.derivative(inputs.x.values, index) { values in
                let moved = NaiveMap(samples: 2, extent: c.extent, channels: c.inputs, values: values)
                return Naive.dot(Naive.strided(moved, w, outputs: c.outputs, side: c.side), inputs.g)
            }
            #expect(abs(gradients.x[index] - slope) < 1e-6)
        }
        for index in [0, w.count / 3, w.count - 1] {
            let slope = Naive.derivative(w, index) {
                Naive.dot(Naive.strided(inputs.x, $0, outputs: c.outputs, side: c.side), inputs.g)
            }
            #expect(abs(gradients.weights[index] - slope) < 1e-6)
        }
    }

    /// The result has the same bits for any number of threads, and whether planes are computed together or not.
    @Test(arguments: cases) func sameBits(_ c: Case) {
        let inputs = Inputs(c)
        let one = run(c, inputs, threads: 1, .best)
        let three = run(c, inputs, threads: 3, .best)
        #expect(one == three)

        let engine = Engine(pool: ThreadPool(threads: 1))
        let x = engine.map(inputs.x).sample(1)
        let y = engine.map(samples: 1, extent: c.extent.map { $0 / 2 }, channels: c.outputs)
        let plane = c.extent.y * c.extent.x
        inputs.weights.withUnsafeBufferPointer { weights in
            let filters = StridedFilters(weights, side: c.side, inputs: c.inputs, outputs: c.outputs)
            for z in 0..<y.extent.z {
                let first = max(0, 2 * z - filters.padding)
                let part = engine.map(
                    samples: 1, extent: ZYX(2 * z + 2 - first, c.extent.y, c.extent.x), channels: c.inputs)
                part.pointer.update(
                    from: x.pointer + first * plane * c.inputs, count: part.voxels * c.inputs)
                engine.stridedConvolution(part, first: first, filters, into: y, planes: z..<z + 1)
            }
        }
        #expect(y.doubles == Array(one.y.suffix(y.voxels * c.outputs)))
    }
}

/// 3x3x3 convolutions whose outputs do not fill vectors.
@Suite struct NarrowOutputsTests {
    @Test(arguments: [1, 3, 12], supportedInstructionSets)
    func valuesAndGradients(_ outputs: Int, _ set: InstructionSet) {
        var generator = CounterGenerator(seed: 8, purpose: "narrow test", UInt64(outputs))
        let inputs = 16
        let x = NaiveMap.random(2, ZYX(4, 5, 7), inputs, &generator)
        let g = NaiveMap.random(2, x.extent, outputs, &generator)
        let weights = (0..<outputs * inputs * 27).map { _ in Float(generator.uniform(-1, 1)) }
        let bias = (0..<outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let (w, b) = (weights.map(Double.init), bias.map(Double.init))
        let engine = Engine(pool: ThreadPool(threads: 2), instructionSet: set)
        defer { engine.pool.stop() }
        let (map, gradient) = (engine.map(x), engine.map(g, extra: 4))
        let y = weights.withUnsafeBufferPointer { weights in
            bias.withUnsafeBufferPointer {
                engine.convolution(map, weights: weights, bias: $0, inputs: inputs, outputs: outputs)
            }
        }
        #expect(y.channels == outputs)
        #expect(relativeError(y.doubles, Naive.convolution(x, w, b, inputs: inputs).values) < 1e-5)
        // The gradient of the input is a convolution with the filters turned around.
        var turned = w
        for output in 0..<outputs {
            for input in 0..<inputs {
                for tap in 0..<27 {
                    turned[(input * outputs + output) * 27 + 26 - tap] = w[(output * inputs + input) * 27 + tap]
                }
            }
        }
        let dx = engine.convolutionDataGradient(gradient, weights: weights, inputs: inputs, channels: inputs)
        let zeros = [Double](repeating: 0, count: inputs)
        #expect(relativeError(dx.doubles, Naive.convolution(g, turned, zeros, inputs: outputs).values) < 1e-5)
        var dw = [Float](repeating: .nan, count: weights.count)
        dw.withUnsafeMutableBufferPointer {
            engine.convolutionWeightsGradient(map, gradient, inputs: inputs, into: $0)
        }
        for index in [0, w.count / 3, w.count - 1] {
            let slope = Naive.derivative(w, index) { Naive.dot(Naive.convolution(x, $0, b, inputs: inputs), g) }
            #expect(abs(Double(dw[index]) - slope) < 1e-3)
        }
        let written = dw.allSatisfy(\.isFinite)
        #expect(written)
    }
}
