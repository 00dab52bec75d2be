import Basics
import Compute
import TestSupport
import Testing

@testable import Learning
@testable import Networks

/// Twenty steps of each optimiser beside PyTorch's; the fixture is made by scripts/fixtures/optimizers.py.
@Suite struct OptimizerTests {
    private struct Case: Decodable {
        let parameters: [Float]
        let slots: [[Float]]
    }

    private static let counts = [37, 5]
    private static let architecture = Architecture("two tensors", anchors: 1, components: 1) { network in
        for (index, count) in counts.enumerated() {
            _ = network.declarations.parameter("\(index)", [count], .constant(0))
        }
    }

    private static func run(
        _ optimizer: any Optimizer, threads: Int = 1, set: InstructionSet = .best
    ) -> (parameters: [Float], state: OptimizerState) {
        let engine = Engine(pool: ThreadPool(threads: threads), instructionSet: set)
        defer { engine.pool.stop() }
        let count = architecture.parameters.count
        var parameters = (0..<count).map { Float(($0 * 31) % 17 - 8) / 16 }
        var state = optimizer.makeState(architecture)
        for step in 0..<20 {
            let gradients = (0..<count).map { index in
                Float(((index + 1) * 7919 + step * 104_729) % 1009 - 504) / 256 + parameters[index] / 8
            }
            gradients.withUnsafeBufferPointer {
                optimizer.update(
                    &parameters, &state, gradients: $0, tensors: architecture.parameters,
                    learningRate: 0.05 * (1 - Double(step) / 40), engine: engine)
            }
        }
        return (parameters, state)
    }

    private static func optimizer(_ name: OptimizerName) -> any Optimizer {
        var constants = OptimizerConstants()
        constants.weightDecay = 0.01
        return name.optimizer(constants)
    }

    @Test(arguments: OptimizerName.allCases) func isPyTorchs(_ name: OptimizerName) throws {
        let cases = try Repository.fixture("optimizers.json", as: [String: Case].self)
        let truth = try #require(cases[name.rawValue])
        let optimizer = Self.optimizer(name)
        let (parameters, state) = Self.run(optimizer)
        #expect(state.names == optimizer.slots && state.updates == 20)
        func near(_ ours: [Float], _ theirs: [Float], _ what: String) {
            #expect(ours.count == theirs.count)
            for (a, b) in zip(ours, theirs) { #expect(abs(a - b) <= 2e-6 * max(1, abs(b)), "\(what)") }
        }
        near(parameters, truth.parameters, "parameters")
        #expect(state.slots.count == truth.slots.count)
        for (index, slot) in truth.slots.enumerated() { near(state.slots[index], slot, state.names[index]) }
        // Not by accident: the steps move the parameters further than what is allowed as rounding.
        #expect(
            zip(parameters, Self.run(Self.optimizer(name == .sgd ? .nesterov : .sgd)).parameters)
                .contains { abs($0 - $1) > 1e-3 })
    }

    /// One and the same on any number of threads.
    @Test(arguments: OptimizerName.allCases) func threadsChangeNothing(_ name: OptimizerName) {
        let one = Self.run(Self.optimizer(name))
        let three = Self.run(Self.optimizer(name), threads: 3)
        #expect(one.parameters == three.parameters && one.state == three.state)
    }
}
