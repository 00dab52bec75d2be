import Basics
import Compute
import FileIO
import HDF5
import TestSupport
import Testing

@testable import Networks

@Suite struct NetworkTests {
    @Test func parametersAreThoseOfTheRecipe() {
        #expect(Architecture.standard.parameters.count == 5_383_623)
        let table = Architecture.standard.parameters
        #expect(table["preBlock.0.weight"]?.shape == [24, 1, 3, 3, 3])
        #expect(table["forw1.0.shortcut.0.weight"]?.shape == [32, 24, 1, 1, 1])
        #expect(table["back2.0.conv1.weight"]?.shape == [128, 131, 3, 3, 3])
        #expect(table["path1.0.weight"]?.shape == [64, 64, 2, 2, 2])
        #expect(table["output.2.bias"]?.shape == [15])
        #expect(Architecture.standard.statistics["forw4.2.bn2.running_var"]?.shape == [64])
        for (a, b) in zip(table.entries, table.entries.dropFirst()) {
            #expect(a.range.upperBound == b.range.lowerBound)
        }
    }

    @Test func initialisationIsPyTorchs() throws {
        let state = Architecture.standard.initialState(seed: 3)
        #expect(state == Architecture.standard.initialState(seed: 3))
        #expect(state != Architecture.standard.initialState(seed: 4))
        let weight = try #require(Architecture.standard.parameters["forw2.1.conv1.weight"])
        let bound = 1 / Float(64 * 27).squareRoot()
        let values = state.parameters[weight.range]
        #expect(values.allSatisfy { abs($0) <= bound })
        #expect(values.contains { $0 > 0.99 * bound } && values.contains { $0 < -0.99 * bound })
        let bias = try #require(Architecture.standard.parameters["forw2.1.conv1.bias"])
        #expect(state.parameters[bias.range].allSatisfy { abs($0) <= bound && $0 != 0 })
        let scale = try #require(Architecture.standard.parameters["forw2.1.bn1.weight"])
        #expect(state.parameters[scale.range].allSatisfy { $0 == 1 })
        let shift = try #require(Architecture.standard.parameters["path2.1.bias"])
        #expect(state.parameters[shift.range].allSatisfy { $0 == 0 })
    }

    /// Dropout zeroes whole channels: with all dropped, the output is what the last layers make of zeros.
    @Test func dropoutTakesWholeChannels() throws {
        let pool = ThreadPool(threads: 1)
        let network = Network(.standard, engine: Engine(pool: pool))
        let state = Architecture.standard.initialState(seed: 1)
        let input = Tensor(shape: [1, 1, 16, 16, 16], values: (0..<4096).map { Float($0 % 31) / 31 })
        let coord = Tensor(shape: [1, 3, 4, 4, 4])
        func run(_ dropout: Double, _ seed: UInt64) -> Tensor {
            network.forward(
                state, input: input, coord: coord,
                mode: .training(dropout: dropout, generator: CounterGenerator(seed: seed, purpose: "dropout")))
        }
        #expect(run(0.2, 1) == run(0.2, 1))
        #expect(run(0.2, 1) != run(0.2, 2))
        let empty = run(0.999_999, 1).values
        #expect(stride(from: 0, to: empty.count, by: 15).allSatisfy { empty[$0] == empty[0] })
    }

    /// The gradients that the backward pass reports as finished are final, in the order that was promised, and all
    /// there are.
    @Test func backwardReportsWhatIsFinished() {
        let network = Network(.standard, engine: Engine(pool: ThreadPool(threads: 2)))
        let state = Architecture.standard.initialState(seed: 1)
        let input = Tensor(shape: [1, 1, 16, 16, 16], values: (0..<4096).map { Float($0 % 31) / 31 })
        let output = network.forward(
            state, input: input, coord: Tensor(shape: [1, 3, 4, 4, 4]),
            mode: .training(dropout: 0.2, generator: CounterGenerator(seed: 1, purpose: "dropout")))
        let count = Architecture.standard.parameters.count
        var gradients = [Float](repeating: .nan, count: count)
        var early = gradients
        var order: [Range<Int>] = []
        gradients.withUnsafeMutableBufferPointer { buffer in
            let gradients = buffer
            network.backward(state, outputGradient: output, gradients: gradients) { range in
                for index in range { early[index] = gradients[index] }
                order.append(range)
            }
        }
        #expect(order == Architecture.standard.backwardOrder)
        #expect(order.count == 20 && order.reduce(0) { $0 + $1.count } == count)
        #expect(early == gradients && gradients.allSatisfy(\.isFinite))
    }

    @Test func weightFilesRoundTripAndNameWhatIsWrong() throws {
        try withTemporaryDirectory { directory in
            let state = Architecture.standard.initialState(seed: 2)
            let path = "\(directory)/weights.h5"
            try WeightsFile.write(state, to: path)
            #expect(try WeightsFile.read(path) == state)

            let partial = "\(directory)/partial.h5"
            try HDF5File.write(to: partial) { file in
                try file.write(
                    "/model/preBlock.0.weight", shape: [24, 1, 3, 3, 3], values: [Float](repeating: 0, count: 648))
            }
            let missing = #expect(throws: InputError.self) { try WeightsFile.read(partial) }
            #expect(missing?.description.contains("preBlock.0.bias") == true)

            var broken = state
            broken.parameters[5] = .nan
            try WeightsFile.write(broken, to: path)
            let nan = #expect(throws: InputError.self) { try WeightsFile.read(path) }
            #expect(nan?.description.contains("/model/preBlock.0.weight") == true)

            try HDF5File.write(to: partial) { file in
                try file.write("/model/strange", shape: [1], values: [Float(1)])
            }
            let strange = #expect(throws: InputError.self) { try WeightsFile.read(partial) }
            #expect(strange?.description.contains("/model/strange") == true)
        }
    }
}
