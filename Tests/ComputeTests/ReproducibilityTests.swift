import Basics
import Testing

@testable import Compute

@Suite struct ReproducibilityTests {
    /// Every reduction has a fixed partition: the number of threads changes no bit. Few channels and many, shallow maps
    /// and deep ones take different ways.
    @Test(arguments: [24, 64, 128], [ZYX(12, 20, 18), ZYX(18, 9, 14)])
    func sameBitsAtEveryThreadCount(_ channels: Int, _ extent: ZYX<Int>) {
        let one = results(channels, extent, threads: 1)
        for threads in [2, 3, 5] {
            let same = results(channels, extent, threads: threads) == one
            #expect(same, "\(threads) threads")
        }
    }

    private func results(_ channels: Int, _ extent: ZYX<Int>, threads: Int) -> [[Double]] {
        var generator = CounterGenerator(seed: 5, purpose: "reproducibility test")
        let engine = Engine(pool: ThreadPool(threads: threads))
        defer { engine.pool.stop() }
        let x = engine.map(NaiveMap.random(1, extent, channels, &generator))
        let g = engine.map(NaiveMap.random(1, extent, channels, &generator))
        let weights = (0..<channels * channels * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = [Float](repeating: 0.1, count: channels)
        let y = engine.convolution(x, weights: weights, bias: bias, inputs: channels, outputs: channels)
        let dx = engine.convolutionDataGradient(g, weights: weights, inputs: channels, channels: channels)
        var dw = [Float](repeating: 0, count: weights.count)
        var pw = [Float](repeating: 0, count: channels * channels)
        dw.withUnsafeMutableBufferPointer {
            engine.convolutionWeightsGradient(x, g, inputs: channels, into: $0)
        }
        pw.withUnsafeMutableBufferPointer {
            engine.pointwiseWeightsGradient(x, g, inputs: channels, into: $0)
        }
        let statistics = engine.statistics(y)
        return [
            y.doubles, dx.doubles, dw.map(Double.init), pw.map(Double.init), statistics.mean.map(Double.init),
            statistics.variance.map(Double.init),
        ]
    }

    /// The first layer and the pooled normalisation have sums of their own.
    @Test func sameBitsOfTheEntryLayers() {
        func gradients(threads: Int) -> [Float] {
            var generator = CounterGenerator(seed: 6, purpose: "reproducibility test")
            let engine = Engine(pool: ThreadPool(threads: threads))
            defer { engine.pool.stop() }
            let extent = ZYX(6, 10, 12)
            let x = engine.map(NaiveMap.random(2, extent, 1, &generator))
            let second = engine.map(NaiveMap.random(2, extent, 24, &generator))
            let g = engine.map(NaiveMap.random(2, extent.map { $0 / 2 }, 24, &generator))
            let parameters = (0..<24 * 29).map { _ in Float(generator.uniform(0.1, 1)) }
            var out = [Float](repeating: 0, count: 24 * 31)
            parameters.withUnsafeBufferPointer { p in
                out.withUnsafeMutableBufferPointer { out in
                    func read(_ range: Range<Int>) -> UnsafeBufferPointer<Float> { .init(rebasing: p[range]) }
                    func write(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Float> { .init(rebasing: out[range]) }
                    let layer = FirstLayer(weights: read(0..<24 * 27), bias: read(24 * 27..<24 * 28))
                    let normalization = NormalizationParameters(scale: read(0..<24), shift: read(24..<48))
                    engine.poolNormalizedGradient(
                        second, gradient: g, normalization, engine.statistics(second), scaleGradient: write(0..<24),
                        shiftGradient: write(24..<48))
                    engine.firstGradient(
                        x, layer, gradient: second, normalization, engine.firstStatistics(x, layer),
                        weightsGradient: write(96..<24 * 31), scaleGradient: write(48..<72),
                        shiftGradient: write(72..<96))
                }
            }
            return out
        }
        let one = gradients(threads: 1)
        #expect(gradients(threads: 2) == one && gradients(threads: 3) == one && one.allSatisfy(\.isFinite))
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
