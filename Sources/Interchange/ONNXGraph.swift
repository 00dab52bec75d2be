// ONNX (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3): the messages that a network of floats needs.

import Protobuf

/// A graph under construction: every operation's result has the operation's name.
struct ONNXGraph {
    /// The operator set, 17; the intermediate representation of its time is version 8.
    static let operatorSet = 17
    private static let representation = 8

    /// An attribute of an operation.
    enum Attribute {
        case integer(Int)
        case integers([Int])
        case float(Float)
    }

    /// An extent of an input or output: a number, or a name for what is known only at run time.
    enum Extent {
        case fixed(Int)
        case named(String)
    }

    private var nodes: [ProtobufMessage] = []
    private var constants: [ProtobufMessage] = []
    private var inputs: [ProtobufMessage] = []
    private var outputs: [ProtobufMessage] = []

    /// Adds an operation.
    ///
    /// - Returns: The name of its result.
    mutating func add(
        _ operation: String, _ name: String, _ inputs: [String], _ attributes: [(String, Attribute)] = []
    ) -> String {
        nodes.append(
            ProtobufMessage {
                for input in inputs { $0.add(1, string: input) }
                $0.add(2, string: name)
                $0.add(3, string: name)
                $0.add(4, string: operation)
                for (key, value) in attributes { $0.add(5, message: Self.attribute(key, value)) }
            })
        return name
    }

    /// Adds a tensor of weights.
    mutating func addConstant(_ name: String, shape: [Int], values: ArraySlice<Float>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * values.count)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
        addConstant(name, type: 1, shape: shape, bytes: bytes)
    }

    /// Adds a vector of 64-bit integers.
    mutating func addConstant(_ name: String, integers: [Int]) {
        let bytes = integers.flatMap { withUnsafeBytes(of: Int64($0).littleEndian, Array.init) }
        addConstant(name, type: 7, shape: [integers.count], bytes: bytes)
    }

    private mutating func addConstant(_ name: String, type: Int, shape: [Int], bytes: [UInt8]) {
        constants.append(
            ProtobufMessage {
                $0.add(1, packed: shape)
                $0.add(2, integer: type)
                $0.add(8, string: name)
                $0.add(9, bytes: bytes)
            })
    }

    mutating func addInput(_ name: String, _ shape: [Extent]) { inputs.append(Self.value(name, shape)) }

    mutating func addOutput(_ name: String, _ shape: [Extent]) { outputs.append(Self.value(name, shape)) }

    /// The bytes of the whole model.
    func model(named name: String, documentation: String, metadata: [String: String]) -> [UInt8] {
        let graph = ProtobufMessage {
            for node in nodes { $0.add(1, message: node) }
            $0.add(2, string: name)
            for constant in constants { $0.add(5, message: constant) }
            for input in inputs { $0.add(11, message: input) }
            for output in outputs { $0.add(12, message: output) }
        }
        let model = ProtobufMessage {
            $0.add(1, integer: Self.representation)
            $0.add(2, string: "luna")
            $0.add(6, string: documentation)
            $0.add(7, message: graph)
            $0.add(8) {
                $0.add(1, string: "")
                $0.add(2, integer: Self.operatorSet)
            }
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                $0.add(14) {
                    $0.add(1, string: key)
                    $0.add(2, string: value)
                }
            }
        }
        return model.bytes
    }

    private static func attribute(_ name: String, _ value: Attribute) -> ProtobufMessage {
        ProtobufMessage {
            $0.add(1, string: name)
            switch value {
            case .float(let number):
                $0.add(2, float: number)
                $0.add(20, integer: 1)
            case .integer(let number):
                $0.add(3, integer: number)
                $0.add(20, integer: 2)
            case .integers(let numbers):
                $0.add(8, packed: numbers)
                $0.add(20, integer: 7)
            }
        }
    }

    /// A tensor of floats that goes in or out.
    private static func value(_ name: String, _ shape: [Extent]) -> ProtobufMessage {
        ProtobufMessage {
            $0.add(1, string: name)
            $0.add(2) {
                $0.add(1) {
                    $0.add(1, integer: 1)
                    $0.add(2) { tensorShape in
                        for extent in shape {
                            tensorShape.add(1) {
                                switch extent {
                                case .fixed(let number): $0.add(1, integer: number)
                                case .named(let name): $0.add(2, string: name)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
