import Testing

@testable import Compute

@Suite struct ReproducibilityTests {
    /// Every reduction has a fixed partition: the number of threads changes no bit.
    @Test(arguments: [2, 3, 5]) func sameBitsAtEveryThreadCount(_ threads: Int) {
        #expect(results(threads: threads) == results(threads: 1))
    }

    private func results(threads: Int) -> [[Double]] {
        var generator = CounterGenerator(seed: 5, purpose: "reproducibility test")
        let extent = ZYX(12, 20, 18)
        let engine = Engine(pool: ThreadPool(threads: threads))
        defer { engine.pool.stop() }
        let x = engine.map(NaiveMap.random(1, extent, 64, &generator))
        let g = engine.map(NaiveMap.random(1, extent, 64, &generator))
        let weights = (0..<64 * 64 * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = [Float](repeating: 0.1, count: 64)
        let y = engine.convolution(x, weights: weights, bias: bias, inputs: 64, outputs: 64)
        let dx = engine.convolutionDataGradient(g, weights: weights, inputs: 64, channels: 64)
        var dw = [Float](repeating: 0, count: weights.count)
        var pw = [Float](repeating: 0, count: 64 * 64)
        dw.withUnsafeMutableBufferPointer {
            engine.convolutionWeightsGradient(x, g, inputs: 64, into: $0.baseAddress!)
        }
        pw.withUnsafeMutableBufferPointer {
            engine.pointwiseWeightsGradient(x, g, inputs: 64, into: $0.baseAddress!)
        }
        let statistics = engine.statistics(y)
        return [
            y.doubles, dx.doubles, dw.map(Double.init), pw.map(Double.init), statistics.mean.map(Double.init),
            statistics.variance.map(Double.init),
        ]
    }

    @Test func steadyStateTakesNoMemory() {
        let engine = Engine(pool: ThreadPool(threads: 1))
        var peaks: [Int] = []
        for _ in 0..<3 {
            let a = engine.map(samples: 1, extent: ZYX(8, 8, 8), channels: 32)
            _ = engine.maxPool(a)
            peaks.append(engine.workspace.peakBytes)
        }
        #expect(peaks[1] == peaks[0] && peaks[2] == peaks[0])
        #expect(engine.workspace.bytesInUse == 0)
    }
}
