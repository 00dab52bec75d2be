import Basics
import Compute
import FileIO
import HDF5
import Networks
import TestSupport
import Testing

@testable import Interchange

@Suite struct WeightsInterchangeTests {
    /// Weights of which no two tensors are alike, with the statistics of a batch, so that outputs vary as a trained
    /// network's do.
    static let state = makeState(.standard)

    static func makeState(_ architecture: Architecture) -> NetworkState {
        var state = architecture.initialState(seed: 5)
        var generator = CounterGenerator(seed: 5, purpose: "noise")
        for entry in architecture.parameters.entries where entry.shape.count == 1 {
            for element in entry.range { state.parameters[element] += Float(generator.uniform(-0.3, 0.3)) }
        }
        let network = Network(architecture, engine: Engine(pool: ThreadPool(threads: 1)))
        let (input, coord) = batch([1, 1, 32, 32, 32])
        let draws = CounterGenerator(seed: 5, purpose: "dropout")
        _ = network.forward(state, input: input, coord: coord, mode: .training(dropout: 0, generator: draws))
        state.statistics = network.batchStatistics
        return state
    }

    /// An input [N, 1, D, H, W] and coordinates of noise.
    private static func batch(_ shape: [Int]) -> (input: Tensor, coord: Tensor) {
        var generator = CounterGenerator(seed: 2, purpose: "input")
        func noise(_ shape: [Int], _ bound: Double) -> Tensor {
            let count = shape.reduce(1, *)
            return Tensor(shape: shape, values: (0..<count).map { _ in Float(generator.uniform(-bound, bound)) })
        }
        let input = noise(shape, 1)
        return (input, noise([shape[0], 3] + shape[2...].map { $0 / 4 }, 0.5))
    }

    @Test func weightsComeBackAsTheyWent() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.safetensors"
            let origin = WeightsOrigin(preset: "luna16", anchors: [5, 10, 20], validationFold: 3)
            try Safetensors.write(Self.state, origin: origin, to: path)
            let file = try Safetensors(contentsOf: path)
            #expect(try file.networkState() == Self.state)
            #expect(
                file.metadata == [
                    "format": "pt", "producer": "luna", "preset": "luna16", "anchors_mm": "5 10 20",
                    "validation_fold": "3", "architecture": "nodule-net",
                ])
            #expect(WeightsOrigin(metadata: file.metadata) == origin)
            let net = Architecture.standard
            let names = (net.parameters.entries + net.statistics.entries).map(\.name)
            #expect(file.tensors.map(\.name) == names)
        }
    }

    /// The network's tensors with one thing changed.
    private func changed(
        _ change: (inout [(name: String, shape: [Int], values: [Float])]) -> Void
    ) throws -> NetworkState {
        let state = Self.state
        var tensors: [(name: String, shape: [Int], values: [Float])] = []
        for (table, values) in [
            (Architecture.standard.parameters, state.parameters), (Architecture.standard.statistics, state.statistics),
        ] {
            tensors += table.entries.map { (name: $0.name, shape: $0.shape, values: Array(values[$0.range])) }
        }
        change(&tensors)
        return try withTemporaryDirectory { directory in
            try Safetensors.write(tensors, metadata: [:], to: "\(directory)/a.safetensors")
            return try Safetensors(contentsOf: "\(directory)/a.safetensors").networkState()
        }
    }

    @Test func countersAndWrappersArePassedOver() throws {
        let found = try changed { tensors in
            tensors.append(("preBlock.1.num_batches_tracked", [], [7]))
            for index in tensors.indices { tensors[index].name = "module." + tensors[index].name }
            tensors.reverse()
        }
        #expect(found == Self.state)
    }

    @Test func whatIsWrongIsNamed() {
        func expect(
            _ place: String, _ problem: String,
            _ change: (inout [(name: String, shape: [Int], values: [Float])]) -> Void
        ) {
            let error = #expect(throws: InputError.self) { try changed(change) }
            #expect(error?.place == place && error?.problem.contains(problem) == true, "\(error as Any)")
        }
        expect("preBlock.0.bias", "is missing") { $0.remove(at: 1) }
        expect("strange", "is no tensor") { $0.append(("strange", [1], [0])) }
        expect("preBlock.0.weight", "shape [24, 3, 1, 3, 3], expected [24, 1, 3, 3, 3]") {
            $0[0] = ("preBlock.0.weight", [24, 3, 1, 3, 3], [Float](repeating: 0, count: 648))
        }
        expect("preBlock.0.weight", "shape [648]") { $0[0].shape = [648] }
        expect("preBlock.0.weight", "not finite") { $0[0].values[3] = .infinity }
        expect("preBlock.1.running_var", "negative variance") { tensors in
            for index in tensors.indices where tensors[index].name == "preBlock.1.running_var" {
                tensors[index].values[2] = -1e-9
            }
        }
        // A prefix that is not common to all is none.
        expect("preBlock.0.weight", "is missing") { $0[0].name = "module.preBlock.0.weight" }
    }

    // MARK: - Against PyTorch

    /// Writes an input, coordinates and luna's answer in evaluation mode.
    static func writeAnswers(_ state: NetworkState, shape: [Int], to path: String) throws {
        let (input, coord) = batch(shape)
        let output = Network(state.architecture, engine: Engine(pool: ThreadPool(threads: 1)))
            .forward(state, input: input, coord: coord, mode: .evaluation)
        // Nothing could be told from outputs that hardly vary.
        try #require(spread(output.values) > 0.05)
        try HDF5File.write(to: path) { file in
            try file.write("/input", shape: input.shape, values: input.values)
            try file.write("/coord", shape: coord.shape, values: coord.values)
            try file.write("/output", shape: output.shape, values: output.values)
        }
    }

    /// A file that names no network is of the one whose tensors it holds.
    @Test(arguments: [Architecture.cpmNet, .noduleNetGN])
    func aNetworkIsKnownByItsTensors(_ architecture: Architecture) throws {
        try withTemporaryDirectory { directory in
            let state = architecture.initialState(seed: 2)
            let (named, nameless) = ("\(directory)/named.safetensors", "\(directory)/nameless.safetensors")
            try Safetensors.write(state, origin: WeightsOrigin(), to: named)
            #expect(try Safetensors(contentsOf: named).networkState() == state)
            let table = state.architecture.parameters.entries.map {
                ("module.\($0.name)", $0.shape, Array(state.parameters[$0.range]))
            }
            let statistics = state.architecture.statistics.entries.map {
                ("module.\($0.name)", $0.shape, Array(state.statistics[$0.range]))
            }
            try Safetensors.write(table + statistics, metadata: [:], to: nameless)
            #expect(try Safetensors(contentsOf: nameless).networkState() == state)
        }
    }

    /// The standard deviation over cells of the component that varies least.
    private static func spread(_ output: [Float]) -> Double {
        let components = Architecture.standard.anchors * Architecture.standard.components
        return (0..<components).map { component in
            let values = stride(from: component, to: output.count, by: components).map { Double(output[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        }.min() ?? 0
    }

    @Test(
        .enabled(if: ReferencePython.has("torch", "safetensors", "h5py")),
        arguments: [Architecture.standard, .noduleNetGN])
    func pyTorchGivesTheSameAnswerWithAnExport(_ architecture: Architecture) throws {
        try withTemporaryDirectory { directory in
            let state = Self.makeState(architecture)
            try Safetensors.write(state, origin: WeightsOrigin(), to: "\(directory)/a.safetensors")
            try Self.writeAnswers(state, shape: [2, 1, 32, 48, 16], to: "\(directory)/answers.h5")
            let text = try ReferencePython.run(
                "reference/weights.py", "compare", "\(directory)/a.safetensors", "\(directory)/answers.h5")
            let difference = try #require(Double(text.split(separator: "\n").first ?? ""))
            #expect(difference < 1e-4)
            print("luna to PyTorch: outputs differ by \(difference) at most")
        }
    }

    /// A checkpoint of today, and one as Python 2 wrote it, with long strings and such that are no UTF-8.
    @Test(.enabled(if: ReferencePython.has("torch", "safetensors", "h5py")), arguments: ["make", "make-old"])
    func aCheckpointOfPyTorchGivesTheSameAnswerHere(_ way: String) throws {
        try withTemporaryDirectory { directory in
            let (pickled, path) = ("\(directory)/a.ckpt", "\(directory)/a.safetensors")
            _ = try ReferencePython.run("reference/weights.py", way, pickled, "\(directory)/answers.h5")
            _ = try ReferencePython.run("convert_checkpoint.py", pickled, path)
            let state = try Safetensors(contentsOf: path).networkState()
            let answers = try HDF5File(reading: "\(directory)/answers.h5")
            let (input, coord) = (
                try answers.read("/input", as: Float.self), try answers.read("/coord", as: Float.self)
            )
            let expected = try answers.read("/output", as: Float.self)
            let output = Network(.standard, engine: Engine(pool: ThreadPool(threads: 1))).forward(
                state, input: Tensor(shape: input.shape, values: input.values),
                coord: Tensor(shape: coord.shape, values: coord.values), mode: .evaluation)
            #expect(output.shape == expected.shape)
            #expect(Self.spread(output.values) > 0.05)
            let difference = zip(output.values, expected.values).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference < 1e-4)
            print("PyTorch to luna: outputs differ by \(difference) at most")
        }
    }
}
