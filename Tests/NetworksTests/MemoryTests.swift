import Basics
import Compute
import Testing

@testable import Networks

@Suite struct MemoryTests {
    /// A plan comes to what a step takes.
    @Test(arguments: [(48, 1, 1), (64, 2, 2)]) func trainingStep(_ side: Int, _ samples: Int, _ threads: Int) {
        let pool = ThreadPool(threads: threads)
        defer { pool.stop() }
        let network = Network(.standard, engine: Engine(pool: pool))
        let state = Architecture.standard.initialState(seed: 1)
        let cells = side / 4
        let output = network.forward(
            state,
            input: Tensor(
                shape: [samples, 1, side, side, side],
                values: [Float](repeating: 0.5, count: samples * side * side * side)),
            coord: Tensor(
                shape: [samples, 3, cells, cells, cells],
                values: [Float](repeating: 0, count: samples * 3 * cells * cells * cells)),
            mode: .training(dropout: 0, generator: CounterGenerator(seed: 1, purpose: "test")))
        var gradients = [Float](repeating: 0, count: Architecture.standard.parameters.count)
        gradients.withUnsafeMutableBufferPointer {
            network.backward(state, outputGradient: output, gradients: $0)
        }
        let bytes = network.engine.plannedBytes
        let plan = MemoryPlan(.standard).training(ZYX(repeating: side), samples: samples, threads: threads)
        #expect(bytes == plan)
    }
}
