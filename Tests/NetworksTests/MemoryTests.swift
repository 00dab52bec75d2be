import Basics
import Compute
import Testing

@testable import Networks

@Suite struct MemoryTests {
    struct Case {
        let architecture: Architecture
        let side: Int
        let samples: Int
        let threads: Int
    }

    static let cases = [
        Case(architecture: .noduleNet, side: 48, samples: 1, threads: 1),
        Case(architecture: .noduleNet, side: 64, samples: 2, threads: 2),
        Case(architecture: .cpmNet, side: 32, samples: 2, threads: 2),
        Case(architecture: .noduleNetGN, side: 32, samples: 2, threads: 1),
    ]

    /// A plan comes to what a step takes.
    @Test(arguments: cases) func trainingStep(_ c: Case) {
        let (architecture, side, samples, threads) = (c.architecture, c.side, c.samples, c.threads)
        let pool = ThreadPool(threads: threads)
        defer { pool.stop() }
        let network = Network(architecture, engine: Engine(pool: pool))
        let state = architecture.initialState(seed: 1)
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
        var gradients = [Float](repeating: 0, count: architecture.parameters.count)
        gradients.withUnsafeMutableBufferPointer {
            network.backward(state, outputGradient: output, gradients: $0)
        }
        let bytes = network.engine.plannedBytes
        let plan = MemoryPlan(architecture).training(ZYX(repeating: side), samples: samples, threads: threads)
        #expect(bytes == plan)
    }

    /// A plan comes to what an evaluation takes: more where a map at full resolution must be whole.
    @Test func evaluation() {
        func plan(_ architecture: Architecture, _ side: Int) -> Int {
            MemoryPlan(architecture).evaluation(ZYX(repeating: side))
        }
        let whole = 24 * 96 * 96 * 96 * MemoryLayout<Float>.stride
        #expect(plan(.noduleNetGN, 96) > whole && plan(.noduleNetGN, 96) < plan(.noduleNet, 96) + whole)
        #expect(plan(.cpmNetGN, 96) == plan(.cpmNet, 96))
    }
}
