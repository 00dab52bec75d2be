import Basics
import Compute
import TestSupport
import Testing

@testable import Networks

/// The networks with group normalisation, which differ from the others in that alone.
@Suite struct GroupNormalizationTests {
    static let networks = [Architecture.noduleNetGN, .cpmNetGN]

    @Test(arguments: zip(networks, [Architecture.noduleNet, .cpmNet]))
    func theyHaveTheSameParametersAndNoStatistics(_ net: Architecture, _ other: Architecture) throws {
        #expect(net.parameters == other.parameters && net.backwardOrder == other.backwardOrder)
        #expect(net.statistics.entries.isEmpty && net != other)
        let groups = net.operations.compactMap {
            if case .groupNormalization(let groups) = $0.kind { groups == $0.output.channels / 8 } else { nil }
        }
        let norms = other.operations.count { $0.kind == .batchNormalization }
        #expect(groups == [Bool](repeating: true, count: norms))
        #expect(net.flop(ZYX(repeating: 32), training: true) == other.flop(ZYX(repeating: 32), training: true))
        try withTemporaryDirectory { directory in
            let state = net.initialState(seed: 2)
            try WeightsFile.write(state, to: "\(directory)/weights.h5")
            #expect(try WeightsFile.read("\(directory)/weights.h5") == state)
        }
    }

    private static let shape = [2, 1, 16, 16, 16]

    /// The output of some samples, and the gradients after a training pass.
    private func run(
        _ state: NetworkState, _ samples: Range<Int>, isTraining: Bool, threads: Int
    ) -> (output: [Float], gradients: [Float]) {
        let shape = [samples.count] + Self.shape[1...]
        func part(_ values: [Float]) -> [Float] {
            let size = values.count / Self.shape[0]
            return Array(values[samples.lowerBound * size..<samples.upperBound * size])
        }
        let input = Tensor(shape: shape, values: part(ClosedForm.image(Self.shape, noise: 1)))
        let coord = Tensor(
            shape: [samples.count, 3] + shape[2...].map { $0 / 4 }, values: part(ClosedForm.coordinates(Self.shape)))
        let pool = ThreadPool(threads: threads)
        defer { pool.stop() }
        let network = Network(state.architecture, engine: Engine(pool: pool))
        guard isTraining else {
            return (network.forward(state, input: input, coord: coord, mode: .evaluation).values, [])
        }
        let output = network.forward(
            state, input: input, coord: coord,
            mode: .training(dropout: 0, generator: CounterGenerator(seed: 0, purpose: "none")))
        #expect(network.batchStatistics.isEmpty)
        var gradients = [Float](repeating: .nan, count: state.parameters.count)
        let gradient = Tensor(shape: output.shape, values: ClosedForm.outputGradient(output.count))
        gradients.withUnsafeMutableBufferPointer { network.backward(state, outputGradient: gradient, gradients: $0) }
        return (output.values, gradients)
    }

    /// Training and evaluation, any number of threads, and a sample alone or beside another give the same bits.
    @Test(arguments: networks) func theSameBits(_ net: Architecture) {
        let state = ClosedForm.state(.ordinary, of: net)
        let trained = run(state, 0..<2, isTraining: true, threads: 1)
        let areFinite = (trained.output + trained.gradients).allSatisfy(\.isFinite)
        #expect(areFinite)
        for threads in [2, 3] {
            let again = run(state, 0..<2, isTraining: true, threads: threads)
            let isSame = again == trained
            #expect(isSame, "\(threads) threads")
        }
        #expect(run(state, 0..<2, isTraining: false, threads: 2).output == trained.output)
        let alone = (0..<2).map { run(state, $0..<$0 + 1, isTraining: false, threads: 2).output }
        #expect(alone[0] + alone[1] == trained.output && alone[0] != alone[1])
    }
}
