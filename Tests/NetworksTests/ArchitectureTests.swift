import Basics
import Compute
import Testing

@testable import Networks

/// The tables and figures that follow from a network's declaration, beside what is known of the published one.
@Suite struct ArchitectureTests {
    private let net = Architecture.noduleNet

    @Test func namesAndShapes() {
        #expect(Architecture(rawValue: "nodule-net") == net)
        #expect(Architecture(rawValue: "unet") == nil)
        #expect(Architecture.standard == net)
        #expect(Set(Architecture.allCases.map(\.name)).count == Architecture.allCases.count)
        #expect((net.stride, net.sideUnit, net.hasCoordinates) == (4, 16, true))
    }

    /// Every parameter belongs to one part of the backward pass.
    @Test(arguments: Architecture.allCases) func backwardOrderIsAPartition(_ architecture: Architecture) {
        let ranges = architecture.backwardOrder.sorted { $0.lowerBound < $1.lowerBound }
        #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == architecture.parameters.count)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    }

    /// Operations of a crop of 96 voxels, in GFLOP, counted by hand from the published layers.
    @Test func operationsAreCounted() {
        let extent = ZYX(repeating: 96)
        #expect(abs(net.flop(extent, training: false) / 142.324e9 - 1) < 1e-5)
        #expect(abs(net.flop(extent, training: true) / 425.528e9 - 1) < 1e-5)
        #expect(net.flop(extent, samples: 3, training: true) == 3 * net.flop(extent, training: true))
    }

    /// The tensors that operations name are all there are.
    @Test(arguments: Architecture.allCases) func operationsUseEveryTensor(_ architecture: Architecture) {
        var names: Set<String> = []
        var known: Set = ["input", "coord"]
        for operation in architecture.operations {
            #expect(operation.inputs.allSatisfy { known.contains($0.name) }, "\(operation.name)")
            #expect(known.insert(operation.output.name).inserted, "\(operation.name)")
            switch operation.kind {
            case .convolution(_, _, let hasBias), .transposedConvolution(let hasBias):
                names.formUnion((hasBias ? ["weight", "bias"] : ["weight"]).map { "\(operation.name).\($0)" })
            case .groupNormalization:
                names.formUnion(["weight", "bias"].map { "\(operation.name).\($0)" })
            case .batchNormalization:
                names.formUnion(["weight", "bias", "running_mean", "running_var"].map { "\(operation.name).\($0)" })
            default: break
            }
        }
        #expect(names == Set((architecture.parameters.entries + architecture.statistics.entries).map(\.name)))
    }

    @Test func aResidualBranchCanBeginWithNothing() throws {
        let ordinary = net.initialState(seed: 1)
        let zero = net.initialState(seed: 1, zeroInitResidual: true)
        for entry in net.parameters.entries {
            let expected: Float? = entry.name.hasSuffix(".bn2.weight") ? 0 : nil
            let values = zero.parameters[entry.range]
            if let expected {
                #expect(values.allSatisfy { $0 == expected }, "\(entry.name)")
            } else {
                #expect(values == ordinary.parameters[entry.range], "\(entry.name)")
            }
        }
    }

    @Test func logitsCanBeginWithAPrior() throws {
        let ordinary = net.initialState(seed: 1)
        let prior = net.initialState(seed: 1, logitBias: -4.5)
        let bias = try #require(net.parameters["output.2.bias"]).range
        let logits = [bias.lowerBound, bias.lowerBound + 5, bias.lowerBound + 10]
        for index in prior.parameters.indices {
            #expect(prior.parameters[index] == (logits.contains(index) ? -4.5 : ordinary.parameters[index]))
            if prior.parameters[index] != ordinary.parameters[index], !logits.contains(index) { break }
        }
    }

    /// A convolution whose output is not normalised learns its bias, and its network runs like any other.
    @Test func aConvolutionWithoutANormLearnsItsBias() {
        let architecture = Architecture("plain", anchors: 1, components: 8) { network in
            let d = network.declarations
            let entry = network.add(EntryBlock("entry", d), after: network.input)
            _ = network.add(PlainConvolution("last", 24, 8, d), after: entry)
        }
        let engine = Engine(pool: ThreadPool(threads: 2))
        defer { engine.pool.stop() }
        let network = Network(architecture, engine: engine)
        let state = architecture.initialState(seed: 4)
        let output = network.forward(
            state, input: Tensor(shape: [1, 1, 8, 8, 8], values: (0..<512).map { Float($0 % 23) / 23 }),
            coord: Tensor(shape: [1, 3, 4, 4, 4]),
            mode: .training(dropout: 0, generator: CounterGenerator(seed: 0, purpose: "none")))
        #expect(output.shape == [1, 4, 4, 4, 1, 8])
        var gradients = [Float](repeating: .nan, count: architecture.parameters.count)
        let gradient = Tensor(shape: output.shape, values: (0..<output.count).map { Float($0 % 8) })
        gradients.withUnsafeMutableBufferPointer {
            network.backward(state, outputGradient: gradient, gradients: $0)
        }
        let areFinite = gradients.allSatisfy { $0.isFinite }
        #expect(areFinite)
        // Σ over 64 cells of the channel's gradient.
        let bias = architecture.parameters["last.bias"]?.range ?? 0..<0
        #expect(Array(gradients[bias]) == (0..<8).map { Float(64 * $0) })
        let normalized = architecture.parameters["entry.3.bias"]?.range ?? 0..<0
        #expect(normalized.count == 24 && gradients[normalized].allSatisfy { $0 == 0 })
    }
}

/// A 3x3x3 convolution alone, with a bias that counts.
private final class PlainConvolution: Block {
    private let layer: Convolution
    private let parameters: Range<Int>
    private var kept: FeatureMap?

    init(_ name: String, _ inputs: Int, _ outputs: Int, _ declarations: Declarations) {
        let start = declarations.parameters.count
        layer = Convolution(name, inputs, outputs, isNormalized: false, declarations)
        parameters = start..<declarations.parameters.count
    }

    var backwardOrder: [Range<Int>] { [parameters] }

    func describe(_ inputs: [Operation.Value], in flow: inout Flow) -> Operation.Value {
        flow.convolution(inputs[0], layer)
    }

    func forward(_ inputs: consuming [FeatureMap], _ pass: Pass) -> FeatureMap {
        kept = inputs[0]
        return layer.forward(inputs[0], pass)
    }

    func backward(_ gradient: consuming FeatureMap, _ inputs: BlockInputs, _ pass: Pass) -> [FeatureMap?] {
        guard let x = kept else { return [nil] }
        kept = nil
        layer.weightsGradient(x, gradient, pass)
        let result = layer.dataGradient(gradient, channels: inputs.trainedChannels[0], pass)
        pass.finished?(parameters)
        return [result]
    }
}
