import Basics
import Compute
import Networks
import Testing

@testable import Learning

@Suite struct WeightsAverageTests {
    private static let architecture = Architecture.standard

    private static func state(_ seed: UInt64) -> NetworkState { architecture.initialState(seed: seed) }

    /// Follows some states on a number of threads.
    private static func mean(of seeds: ClosedRange<UInt64>, decay: Double, threads: Int) -> WeightsAverage {
        let engine = Engine(pool: ThreadPool(threads: threads), instructionSet: .best)
        defer { engine.pool.stop() }
        var average = WeightsAverage(state(0))
        for seed in seeds { average.follow(state(seed), decay: decay, engine: engine) }
        return average
    }

    /// The recurrence in double precision, one number after the other: d = min(decay, (1 + t)/(10 + t)).
    @Test func isTheRecurrence() {
        let average = Self.mean(of: 1...4, decay: 0.3, threads: 2)
        #expect(average.updates == 4)
        let states = (UInt64(0)...4).map { Self.state($0).parameters }
        for index in stride(from: 0, to: Self.architecture.parameters.count, by: 9973) {
            var truth = Double(states[0][index])
            for (state, decay) in zip(states.dropFirst(), [0.1, 2.0 / 11, 0.25, 0.3]) {
                truth = decay * truth + (1 - decay) * Double(state[index])
            }
            #expect(abs(Double(average.state.parameters[index]) - truth) < 1e-6)
        }
    }

    @Test func sameBitsForAnyThreadCount() {
        #expect(
            Self.mean(of: 1...3, decay: 0.99, threads: 1).state == Self.mean(of: 1...3, decay: 0.99, threads: 3).state)
    }
}
