import Basics
import Compute
import TestSupport
import Testing

@testable import Networks

/// The network `cpm-net` beside what is known of it, and PyTorch in float64; see scripts/fixtures/cpm_network.py.
@Suite struct CenterPointTests {
    private let net = Architecture.cpmNet

    struct Fixture: Decodable {
        let names: [String]
        let shape: [Int]
        let profile: ClosedForm.Profile
        let noise: Int
        let output: Parity.Answer
        let evaluation: Parity.Answer
        let gradients: [String: Parity.Gradient]
        let statistics: [String: [Double]]
    }

    @Test func itIsThePublishedNetwork() throws {
        #expect(net.parameters.count == 16_524_999)
        #expect((net.stride, net.sideUnit, net.hasCoordinates) == (4, 16, false))
        #expect((net.anchors, net.components, net.statisticsMomentum) == (1, 7, 0.05))
        #expect(net.parameters["in_dw.conv.weight"]?.shape == [64, 32, 3, 3, 3])
        #expect(net.parameters["block1_dw.conv.weight"]?.shape == [96, 64, 2, 2, 2])
        #expect(net.parameters["block33_up.conv.weight"]?.shape == [160, 128, 2, 2, 2])
        #expect(net.parameters["block22.conv.0.res.conv.weight"]?.shape == [96, 192, 1, 1, 1])
        let head = net.parameters.entries.filter { $0.name.hasPrefix("head.") }
        #expect(head.reduce(0) { $0 + $1.range.count } == 2_259_367)
        // 287.9 GFLOP at 96 voxels; the gradient of the crop is not wanted.
        let forward = net.flop(ZYX(repeating: 96), training: false)
        #expect(abs(forward / 287.9e9 - 1) < 1e-3)
        #expect(abs(net.flop(ZYX(repeating: 96), training: true) - 3 * forward + 54 * 32 * 96 * 96 * 96) < 1)
    }

    @Test func itBeginsAsItsAuthorsDid() throws {
        let state = net.initialState(seed: 3)
        func values(_ name: String) throws -> ArraySlice<Float> {
            state.parameters[try #require(net.parameters[name]).range]
        }
        for name in ["cls", "shape", "offset"] {
            #expect(try values("head.\(name)_output.weight").allSatisfy { $0 == 0 })
        }
        #expect(try values("head.cls_output.bias").map { abs($0 + 4.59512) < 1e-5 } == [true])
        #expect(try Array(values("head.shape_output.bias")) == [0.5, 0.5, 0.5])
        #expect(try Array(values("head.offset_output.bias")) == [0.05, 0.05, 0.05])
        for (name, fanIn) in [("block2.conv.1.conv2.conv.weight", 27 * 96.0), ("block33_up.conv.weight", 8 * 128)] {
            let weights = try values(name).map(Double.init)
            let mean = weights.reduce(0, +) / Double(weights.count)
            let variance = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(weights.count)
            #expect(abs(mean) < 0.01 * (2 / fanIn).squareRoot())
            #expect(abs(variance * fanIn / 2 - 1) < 0.02, "\(name)")
        }
        let prior = net.initialState(seed: 3, logitBias: -2)
        let changed = prior.parameters.indices.filter { prior.parameters[$0] != state.parameters[$0] }
        #expect(changed == Array(try #require(net.parameters["head.cls_output.bias"]).range))
    }

    @Test(arguments: [Architecture.cpmNet, .cpmNetGN]) func parityWithPyTorch(_ net: Architecture) throws {
        let file = net == .cpmNet ? "cpm-parity.json" : "cpm-gn-parity.json"
        let fixture = try Repository.fixture(file, as: Fixture.self)
        #expect(net.parameters.entries.map(\.name) == fixture.names.filter { !$0.contains("running_") })
        #expect(net.statistics.entries.map(\.name) == fixture.names.filter { $0.contains("running_") })
        let shape = fixture.shape
        let input = Tensor(shape: shape, values: ClosedForm.image(shape, noise: fixture.noise))
        let coord = Tensor(shape: [shape[0], 3] + shape[2...].map { $0 / 4 })
        var state = ClosedForm.state(fixture.profile, of: net)
        let pool = ThreadPool(threads: 2)
        defer { pool.stop() }
        let network = Network(net, engine: Engine(pool: pool))
        let output = network.forward(
            state, input: input, coord: coord,
            mode: .training(dropout: 0, generator: CounterGenerator(seed: 0, purpose: "none")))
        Parity.compare("output", output, fixture.output)
        var gradients = [Float](repeating: .nan, count: net.parameters.count)
        let gradient = Tensor(shape: output.shape, values: ClosedForm.outputGradient(output.count))
        gradients.withUnsafeMutableBufferPointer {
            network.backward(state, outputGradient: gradient, gradients: $0)
        }
        Parity.check(gradients, fixture.gradients, of: net)
        for index in state.statistics.indices {
            state.statistics[index] += 0.05 * (network.batchStatistics[index] - state.statistics[index])
        }
        Parity.check(statistics: state, fixture.statistics)
        let evaluated = network.forward(state, input: input, coord: coord, mode: .evaluation)
        Parity.compare("evaluation", evaluated, fixture.evaluation)
    }

    /// Gradients are reported in the order that was promised, when they are final, and have the same bits for every
    /// number of threads.
    @Test func sameBitsForEveryNumberOfThreads() {
        let state = net.initialState(seed: 1)
        let input = Tensor(shape: [1, 1, 16, 16, 32], values: (0..<8192).map { Float($0 % 31) / 31 })
        func run(threads: Int) -> [Float] {
            let pool = ThreadPool(threads: threads)
            defer { pool.stop() }
            let network = Network(net, engine: Engine(pool: pool))
            let output = network.forward(
                state, input: input, coord: Tensor(shape: [1, 3, 4, 4, 8]),
                mode: .training(dropout: 0.2, generator: CounterGenerator(seed: 1, purpose: "dropout")))
            let gradient = Tensor(shape: output.shape, values: ClosedForm.outputGradient(output.count))
            var gradients = [Float](repeating: .nan, count: net.parameters.count)
            var early = gradients
            var order: [Range<Int>] = []
            gradients.withUnsafeMutableBufferPointer { buffer in
                let gradients = buffer
                network.backward(state, outputGradient: gradient, gradients: gradients) { range in
                    for index in range { early[index] = gradients[index] }
                    order.append(range)
                }
            }
            #expect(order == net.backwardOrder)
            let areFinal = early == gradients && gradients.allSatisfy(\.isFinite)
            #expect(areFinal)
            return output.values + gradients
        }
        let areEqual = run(threads: 1) == run(threads: 3)
        #expect(areEqual)
    }
}
