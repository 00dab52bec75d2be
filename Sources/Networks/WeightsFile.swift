// Weights in HDF5: one float32 dataset `/model/<name>` per parameter and running statistic, with PyTorch's names and
// shapes. A checkpoint holds the same group and more.

import FileIO
import HDF5

/// The files that hold a network's weights.
public enum WeightsFile {
    /// The attribute `format` by which a weight file is known.
    public static let format = "luna weights"
    /// The attribute `version`, which this program writes.
    public static let version: Int64 = 1

    /// The group of a checkpoint that holds the running mean of the weights, where training keeps one.
    public static let averageGroup = "/average"

    /// The root attribute that names the network whose weights a file holds; without it, it is the standard one.
    public static let architectureAttribute = "architecture"

    /// Reads a network's state from a weight file or a checkpoint: the mean of the weights where there is one, since
    /// that is what a training that keeps one is validated with.
    ///
    /// - Throws: `InputError` naming the tensor that is missing, superfluous, of another shape, not finite or a
    ///   negative variance, and where the file is damaged or of an unknown network.
    public static func read(_ path: String) throws -> NetworkState {
        if path.lowercased().hasSuffix(".safetensors") {
            throw InputError(path, "is no weight file of luna", remedy: "make one of it with luna weights import")
        }
        let file = try HDF5File(reading: path)
        let group = file.isGroup(averageGroup) ? averageGroup : "/model"
        return try readModel(try architecture(of: file), group: group, from: file)
    }

    /// The network whose weights a file holds; the standard one where the file names none.
    ///
    /// - Throws: `InputError` where it is none of ours.
    public static func architecture(of file: borrowing HDF5File) throws -> Architecture {
        guard file.hasAttribute(architectureAttribute) else { return .standard }
        return try Architecture.find(try file.attribute(architectureAttribute, as: String.self), in: file.path)
    }

    /// Reads a network's group.
    ///
    /// - Throws: `InputError` naming the tensor that is missing, superfluous, of another shape, not finite or a
    ///   negative variance.
    public static func readModel(
        _ architecture: Architecture, group: String = "/model", from file: borrowing HDF5File
    ) throws -> NetworkState {
        guard file.isGroup(group) else {
            throw InputError(
                file.path, at: group, "is missing", remedy: "expected a weight file or checkpoint of luna")
        }
        let known = Set((architecture.parameters.entries + architecture.statistics.entries).map(\.name))
        // PyTorch's own counters are neither needed nor written.
        let strange = try file.names(in: group).first {
            !known.contains($0) && !$0.hasSuffix("num_batches_tracked")
        }
        if let strange {
            throw InputError(file.path, at: "\(group)/\(strange)", "is no tensor of the network \(architecture.name)")
        }
        return NetworkState(
            architecture: architecture,
            parameters: try readTable(architecture.parameters, group: group, from: file),
            statistics: try readTable(architecture.statistics, group: group, from: file))
    }

    /// Reads one flat array from the datasets of a group.
    ///
    /// - Throws: `InputError` naming the tensor.
    public static func readTable(
        _ table: ParameterTable, group: String, from file: borrowing HDF5File
    ) throws -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(table.count)
        for entry in table.entries {
            let name = "\(group)/\(entry.name)"
            let tensor = try file.read(name, shape: entry.shape, as: Float.self)
            if let fault = fault(of: tensor, named: entry.name) { throw InputError(file.path, at: name, fault) }
            values += tensor
        }
        return values
    }

    /// The reason why a tensor's values are impossible, or nil.
    public static func fault(of values: [Float], named name: String) -> String? {
        if !values.allSatisfy(\.isFinite) { return "holds a value that is not finite" }
        if name.hasSuffix(".running_var"), values.contains(where: { $0 < 0 }) { return "holds a negative variance" }
        return nil
    }

    /// Writes a network's group.
    ///
    /// - Throws: `FileError`.
    public static func writeModel(
        _ state: NetworkState, group: String = "/model", to file: borrowing HDF5File
    ) throws {
        try writeTable(state.architecture.parameters, state.parameters, group: group, to: file)
        try writeTable(state.architecture.statistics, state.statistics, group: group, to: file)
    }

    /// Writes one flat array as the datasets of a group, each with a checksum.
    ///
    /// - Throws: `FileError`.
    public static func writeTable(
        _ table: ParameterTable, _ values: [Float], group: String, to file: borrowing HDF5File
    ) throws {
        for entry in table.entries {
            try file.write("\(group)/\(entry.name)", shape: entry.shape, values: Array(values[entry.range]))
        }
    }

    /// Writes a weight file, in one piece or not at all.
    ///
    /// - Parameters:
    ///   - state: The weights and running statistics.
    ///   - configuration: The experiment that the weights come from, as YAML and as far as it is known; a checkpoint
    ///     has it in the same place.
    ///   - path: The file, which is replaced if it exists.
    /// - Throws: `FileError`.
    public static func write(_ state: NetworkState, configuration: String? = nil, to path: String) throws {
        try HDF5File.write(to: path) { file in
            try file.setAttribute("format", to: format)
            try file.setAttribute("version", to: version)
            try file.setAttribute(architectureAttribute, to: state.architecture.name)
            if let configuration { try file.setAttribute("config", to: configuration) }
            try writeModel(state, to: file)
        }
    }
}

extension Architecture {
    /// The network that a file names.
    ///
    /// - Throws: `InputError` where there is none of that name.
    public static func find(_ name: String, in file: String) throws -> Architecture {
        if let architecture = Architecture(rawValue: name) { return architecture }
        throw InputError(
            file, at: "architecture", "\(name) is no network of this luna",
            remedy: "it has \(allCases.map(\.name).joined(separator: ", ")); use the luna that wrote the file")
    }
}
