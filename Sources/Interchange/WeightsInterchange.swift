import FileIO
import Networks

/// The facts that a file for other programs tells beside the weights, so that its users can apply them.
public struct WeightsOrigin: Hashable, Sendable {
    /// The preset's name, `luna16` or `dsb2017`, where it is known.
    public var preset: String?
    /// The anchors' edge lengths in mm; empty where they are not known.
    public var anchors: [Double]
    /// The LUNA16 subset that was held out, where it is known.
    public var validationFold: Int?

    /// Creates the facts that are known.
    public init(preset: String? = nil, anchors: [Double] = [], validationFold: Int? = nil) {
        self.preset = preset
        self.anchors = anchors
        self.validationFold = validationFold
    }

    /// The facts as pairs of texts, which safetensors and ONNX carry.
    var metadata: [String: String] {
        var metadata = ["producer": "luna"]
        if let preset { metadata["preset"] = preset }
        if !anchors.isEmpty { metadata["anchors_mm"] = anchors.map(Self.text).joined(separator: " ") }
        if let validationFold { metadata["validation_fold"] = String(validationFold) }
        return metadata
    }

    /// Reads the facts that a file of luna's tells of itself; other files tell none. Faults in them are for the caller
    /// to find.
    public init(metadata: [String: String]) {
        let anchors = metadata["anchors_mm"]?.split(separator: " ").compactMap { Double($0) } ?? []
        self.init(
            preset: metadata["preset"], anchors: anchors,
            validationFold: metadata["validation_fold"].flatMap { Int($0) })
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}

extension Safetensors {
    /// Writes the network's weights under the names and with the shapes of PyTorch's `state_dict`.
    ///
    /// - Throws: `FileError`.
    public static func write(_ state: NetworkState, origin: WeightsOrigin, to path: String) throws {
        let tensors =
            state.architecture.parameters.entries.map { ($0.name, $0.shape, Array(state.parameters[$0.range])) }
            + state.architecture.statistics.entries.map { ($0.name, $0.shape, Array(state.statistics[$0.range])) }
        // Loaders know PyTorch's layout by "pt".
        let own = ["format": "pt", WeightsFile.architectureAttribute: state.architecture.name]
        let metadata = origin.metadata.merging(own) { first, _ in first }
        try write(tensors, metadata: metadata, to: path)
    }

    /// The weights of the network that the metadata name, or, where they name none, of the one whose tensors are
    /// nearest to these.
    ///
    /// PyTorch's counters (`num_batches_tracked`) are ignored, and so is the `module.` that all names begin with when a
    /// network was saved inside `DataParallel`.
    ///
    /// - Throws: `InputError` naming the tensor that is missing, superfluous, of another shape or type, not finite or a
    ///   negative variance, or the network that luna does not have.
    public func networkState() throws -> NetworkState {
        let wrapper = "module."
        let isWrapped = !tensors.isEmpty && tensors.allSatisfy { $0.name.hasPrefix(wrapper) }
        var found: [String: Tensor] = [:]
        for tensor in tensors where !tensor.name.hasSuffix("num_batches_tracked") {
            found[isWrapped ? String(tensor.name.dropFirst(wrapper.count)) : tensor.name] = tensor
        }
        let architecture =
            try metadata[WeightsFile.architectureAttribute].map { try Architecture.find($0, in: file) }
            ?? .fitting(found.keys)
        let parameters = try take(architecture.parameters, from: &found)
        let statistics = try take(architecture.statistics, from: &found)
        if let strange = found.values.min(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            throw InputError(file, at: strange.name, "is no tensor of the network \(architecture.name)")
        }
        return NetworkState(architecture: architecture, parameters: parameters, statistics: statistics)
    }

    private func take(_ table: ParameterTable, from found: inout [String: Tensor]) throws -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(table.count)
        for entry in table.entries {
            guard let tensor = found.removeValue(forKey: entry.name) else {
                throw InputError(
                    file, at: entry.name, "is missing",
                    remedy: "expected the state_dict of a network in scripts/reference")
            }
            guard tensor.shape == entry.shape else {
                throw InputError(file, at: tensor.name, "shape \(tensor.shape.prefix(8)), expected \(entry.shape)")
            }
            let tensorValues = try floats(tensor)
            if let fault = WeightsFile.fault(of: tensorValues, named: entry.name) {
                throw InputError(file, at: tensor.name, fault)
            }
            values += tensorValues
        }
        return values
    }
}

extension Architecture {
    /// The network whose tensors have the most of some names and the fewest others, among equals the first. Networks
    /// that differ in their normalisation alone are told by their running statistics.
    fileprivate static func fitting(_ names: some Sequence<String>) -> Architecture {
        let names = Set(names)
        func fit(_ network: Architecture) -> Int {
            let own = network.parameters.entries + network.statistics.entries
            return own.reduce(0) { $0 + (names.contains($1.name) ? 1 : -1) }
        }
        return allCases.max { fit($0) < fit($1) } ?? .standard
    }
}
