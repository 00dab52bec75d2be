import FileIO
import Foundation
import Networks
import Protobuf
import TestSupport
import Testing

@testable import Interchange

@Suite struct ONNXTests {
    /// A message's fields by number.
    private struct Message {
        let fields: [(number: Int, value: ProtobufReader.Value)]

        init(_ bytes: ArraySlice<UInt8>) throws { fields = try #require(ProtobufReader.fields(bytes)) }

        func messages(_ field: Int) throws -> [Message] { try bytes(field).map(Message.init) }

        func bytes(_ field: Int) -> [ArraySlice<UInt8>] {
            fields.compactMap { if case (field, .bytes(let bytes)) = $0 { bytes } else { nil } }
        }

        func texts(_ field: Int) -> [String] { bytes(field).map { String(decoding: $0, as: UTF8.self) } }

        func integers(_ field: Int) -> [UInt64] {
            fields.compactMap { if case (field, .varint(let value)) = $0 { value } else { nil } }
        }
    }

    private static let origin = WeightsOrigin(preset: "dsb2017", anchors: [10, 30, 60])

    @Test func theGraphIsWhole() throws {
        let state = WeightsInterchangeTests.state
        let model = try Message(ONNXNetwork.model(state, origin: Self.origin)[...])
        #expect(model.integers(1) == [8])
        #expect(try model.messages(8).map { $0.integers(2) } == [[17]])
        let graph = try #require(try model.messages(7).first)
        let nodes = try graph.messages(1)

        // Every value is there before it is used, and is made once.
        let constants = try graph.messages(5)
        var known = Set(constants.flatMap { $0.texts(8) } + ["input", "coord"])
        for node in nodes {
            for input in node.texts(1) { #expect(known.contains(input), "\(input)") }
            for output in node.texts(2) { #expect(known.insert(output).inserted, "\(output)") }
        }
        #expect(known.contains("output"))
        let counts = Dictionary(grouping: nodes.flatMap { $0.texts(4) }) { $0 }.mapValues(\.count)
        // 16 blocks, of which 4 have a shortcut with weights; 4 single convolutions.
        #expect(
            counts == [
                "Conv": 40, "BatchNormalization": 40, "Relu": 37, "MaxPool": 4, "ConvTranspose": 2, "Concat": 2,
                "Add": 16, "Transpose": 1, "Reshape": 1,
            ])

        // All weights, none twice, under PyTorch's names.
        let net = Architecture.standard
        let tables = [(net.parameters, state.parameters), (net.statistics, state.statistics)]
        for (table, values) in tables {
            for entry in table.entries {
                let found = constants.filter { $0.texts(8) == [entry.name] }
                #expect(found.count == 1, "\(entry.name)")
                let bytes = values[entry.range].flatMap {
                    withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
                }
                #expect(found.first?.bytes(9).first.map(Array.init) == bytes, "\(entry.name)")
            }
        }
        let count = Architecture.standard.parameters.entries.count + Architecture.standard.statistics.entries.count
        #expect(constants.count == count + 1)
    }

    /// Strides are said, superfluous biases are not there, and coordinates are no input.
    @Test func theCenterPointNetwork() throws {
        let net = Architecture.cpmNet
        let state = net.initialState(seed: 1)
        let model = try Message(ONNXNetwork.model(state, origin: WeightsOrigin())[...])
        let graph = try #require(try model.messages(7).first)
        let nodes = try graph.messages(1)
        #expect(try graph.messages(11).map { $0.texts(1) } == [["input"]])
        let constants = Set(try graph.messages(5).flatMap { $0.texts(8) })
        #expect(
            constants == Set((net.parameters.entries + net.statistics.entries).map(\.name)).union(["view"]))
        // One attribute more than without strides.
        let entry = nodes.filter { ["in_conv.conv", "in_dw.conv"].contains($0.texts(2)[0]) }
        #expect(entry.map { $0.bytes(5).count } == [2, 3])
        #expect(entry.map { $0.texts(1).count } == [2, 2])
        let counts = Dictionary(grouping: nodes.flatMap { $0.texts(4) }) { $0 }.mapValues(\.count)
        #expect(counts["ConvTranspose"] == 2 && counts["Concat"] == 3 && counts["MaxPool"] == nil)
        let output = try model.messages(14).first { $0.texts(1) == ["output"] }
        #expect(output?.texts(2)[0].hasPrefix("logit, oz") == true)
    }

    /// Group normalisation is written as the operations that make it, each of whose values is there before it is used.
    @Test func aNetworkWithGroupNormalization() throws {
        let net = Architecture.noduleNetGN
        let model = try Message(ONNXNetwork.model(net.initialState(seed: 1), origin: Self.origin)[...])
        let graph = try #require(try model.messages(7).first)
        let nodes = try graph.messages(1)
        let constants = try graph.messages(5)
        var known = Set(constants.flatMap { $0.texts(8) } + ["input", "coord"])
        #expect(known.isSuperset(of: net.parameters.entries.map(\.name)))
        for node in nodes {
            for input in node.texts(1) { #expect(known.contains(input), "\(input)") }
            for output in node.texts(2) { #expect(known.insert(output).inserted, "\(output)") }
        }
        let counts = Dictionary(grouping: nodes.flatMap { $0.texts(4) }) { $0 }.mapValues(\.count)
        // 40 normalisations; 16 blocks; the reshape of the output.
        #expect(counts["InstanceNormalization"] == 40 && counts["Shape"] == 40 && counts["Mul"] == 40)
        #expect(counts["Reshape"] == 2 * 40 + 1 && counts["Add"] == 40 + 16 && counts["BatchNormalization"] == nil)
        // 128 channels in 16 groups; their scales spread over the voxels.
        let groups = constants.first { $0.texts(8) == ["back2.0.bn1.groups"] }?.bytes(9).first
        #expect(groups.map { $0.filter { $0 != 0 } } == [16] + [UInt8](repeating: 255, count: 8))
        let scale = constants.first { $0.texts(8) == ["back2.0.bn1.weight"] }
        #expect(scale?.bytes(1).first.map { Array($0.suffix(3)) } == [1, 1, 1])
    }

    @Test func itSaysHowItIsUsed() throws {
        let model = try Message(ONNXNetwork.model(WeightsInterchangeTests.state, origin: Self.origin)[...])
        let pairs = try model.messages(14).map { ($0.texts(1)[0], $0.texts(2)[0]) }
        let metadata = Dictionary(uniqueKeysWithValues: pairs)
        #expect(metadata["anchors_mm"] == "10 30 60")
        #expect(metadata["preset"] == "dsb2017")
        #expect(metadata["input"]?.contains("(u - 128) / 128") == true)
    }

    /// Two shapes: one would not show that extents are free.
    @Test(
        .enabled(if: ReferencePython.has("onnx", "onnxruntime", "h5py")),
        arguments: [Architecture.standard, .noduleNetGN])
    func onnxRuntimeGivesTheSameAnswer(_ architecture: Architecture) throws {
        try withTemporaryDirectory { directory in
            let state = WeightsInterchangeTests.makeState(architecture)
            try ONNXNetwork.write(state, origin: Self.origin, to: "\(directory)/a.onnx")
            let answers = ["\(directory)/1.h5", "\(directory)/2.h5"]
            try WeightsInterchangeTests.writeAnswers(state, shape: [2, 1, 32, 48, 16], to: answers[0])
            try WeightsInterchangeTests.writeAnswers(state, shape: [1, 1, 16, 32, 64], to: answers[1])
            let text = try ReferencePython.run("reference/onnx_check.py", "\(directory)/a.onnx", answers[0], answers[1])
            let lines = text.split(separator: "\n")
            let difference = try #require(Double(lines.first ?? ""))
            #expect(difference < 1e-4)
            #expect(lines.last?.contains("\"anchors_mm\": \"10 30 60\"") == true)
            print("luna to ONNX Runtime: outputs differ by \(difference) at most")
        }
    }
}
