import Basics
import Testing

@testable import Compute

/// Blocks of tiles, which are chosen by the machine and change no result.
@Suite struct BlockTests {
    /// A convolution has the same bits whatever the cache: with weights that are fetched ahead and blocks of 12 tiles,
    /// or with weights that stay near and larger blocks. The channels fill panels of every width.
    @Test(arguments: supportedInstructionSets, [8, 16, 24, 32, 64, 72, 96, 112, 152])
    func everyCacheGivesTheSameBits(_ set: InstructionSet, _ outputs: Int) {
        var generator = CounterGenerator(seed: 6, purpose: "block test", UInt64(outputs))
        let (extent, inputs) = (ZYX(18, 9, 7), 40)
        let x = NaiveMap.random(3, extent, inputs, &generator)
        let weights = (0..<outputs * inputs * 27).map { _ in Float(generator.uniform(-0.1, 0.1)) }
        let bias = (0..<outputs).map { _ in Float(generator.uniform(-1, 1)) }
        let tiles = Tiles(extent)
        let (small, large) = (1 << 10, 1 << 30)
        #expect(tiles.streamsWeights(inputs: inputs, outputs: outputs, cache: small))
        #expect(!tiles.streamsWeights(inputs: inputs, outputs: outputs, cache: large))
        let results = [(small, 1), (large, 1), (large, 3)].map { cache, threads in
            let engine = Engine(pool: ThreadPool(threads: threads), instructionSet: set, cache: cache)
            let map = engine.map(x)
            let y = engine.convolution(map, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
            let dx = engine.convolutionDataGradient(y, weights: weights, inputs: inputs, channels: inputs)
            return y.doubles + dx.doubles
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    /// Blocks are multiples of 12 tiles, small where the cache is, and as many as the threads can share evenly.
    @Test func blocksFitTheMachine() {
        let tiles = Tiles(ZYX(24, 24, 24))
        func block(_ channels: Int, threads: Int, cache: Int) -> Int {
            tiles.block(inputs: channels, outputs: channels, of: 216, threads: threads, cache: cache)
        }
        #expect(block(128, threads: 2, cache: 64 << 10) == 12)
        #expect(block(128, threads: 2, cache: 2 << 20) == 24)
        #expect(block(96, threads: 2, cache: 2 << 20) == 36)
        #expect(block(96, threads: 18, cache: 2 << 20) == 12)
    }
}
