// The inputs of a run, recorded so that another framework can train on the same.

import Basics
import FileIO
import HDF5
import Networks
import PatchData

/// The crops of some steps of a run, with its initial weights and learning rates, as one HDF5 file.
///
/// With K steps, R replicas of N crops, and d = D/4 and so on:
/// `/input` uint8 [K, R, N, 1, D, H, W], the grey levels u of which the network is given (u − 128)/128;
/// `/coord` float32 [K, R, N, 3, d, h, w]; `/labels` float32 [K, R, N, d, h, w, anchors, components]; `/learning_rate`
/// float64 [K]; `/model/<name>` the run's initial weights. Root attributes: `momentum`, `weight_decay`, `dropout`,
/// `regression_weight`, `first_step` (from 1), `config` (YAML).
public enum BatchRecording {
    /// The value of the file's `format` attribute.
    public static let format = "luna batches"
    /// The version of the file's layout.
    public static let version: Int64 = 1

    /// Writes the file step by step, with no more than one step's crops in memory.
    ///
    /// - Parameters:
    ///   - first: The first step, from 0.
    ///   - count: The number of steps; nil for all to the run's end.
    ///   - name: The data set's name, for messages.
    ///   - report: Receives the number of steps that are written, and of all.
    /// - Throws: `UsageError` where the run has fewer steps; `InputError` where a patch is damaged; `FileError`.
    public static func write(
        first: Int, count: Int?, of configuration: TrainingConfiguration, source: some PatchSource, name: String,
        to path: String, report: (Int, Int) -> Void = { _, _ in }
    ) throws {
        let loader = try TrainingLoader(
            source: source, configuration: configuration.sampling, replicas: 0..<configuration.replicas, threads: 1,
            name: name)
        let stepsPerEpoch = configuration.stepsPerEpoch ?? loader.stepsPerEpoch
        let total = configuration.epochs * stepsPerEpoch
        let count = count ?? max(1, total - first)
        guard first + count <= total else {
            throw UsageError("steps \(first + 1) to \(first + count) of a run that has \(total): ask for fewer")
        }
        try HDF5File.write(to: path) { file in
            try file.setAttribute("format", to: format)
            try file.setAttribute("version", to: version)
            try file.setAttribute("config", to: configuration.yaml())
            try file.setAttribute("first_step", to: Int64(first + 1))
            for (key, value) in [
                ("momentum", configuration.momentum), ("weight_decay", configuration.weightDecay),
                ("dropout", configuration.dropout), ("regression_weight", configuration.regressionWeight),
            ] {
                try file.setAttribute(key, to: value)
            }
            try WeightsFile.writeModel(try configuration.initialState(), to: file)
            let rates = (first..<first + count).map {
                configuration.learningRate(step: $0, stepsPerEpoch: stepsPerEpoch)
            }
            try file.write("/learning_rate", shape: [rates.count], values: rates)

            let datasets = try Datasets.create(in: file, steps: count, configuration)
            let (epochsDone, stepInEpoch) = first.quotientAndRemainder(dividingBy: loader.stepsPerEpoch)
            loader.start(epoch: epochsDone + 1, step: stepInEpoch)
            for row in 0..<count {
                try datasets.write(try (0..<configuration.replicas).map { _ in try loader.next() }, row: row)
                report(row + 1, count)
            }
        }
    }
}

/// The datasets of the crops, a step in each row and chunk.
private struct Datasets: ~Copyable {
    let input: HDF5Dataset
    let coord: HDF5Dataset
    let labels: HDF5Dataset

    static func create(
        in file: borrowing HDF5File, steps: Int, _ configuration: TrainingConfiguration
    ) throws -> Datasets {
        let (side, cells) = (configuration.cropSize, configuration.cropSize / configuration.network.stride)
        let step = [configuration.replicas, configuration.microBatch]
        let image = step + [1, side, side, side]
        let ramps = step + [3, cells, cells, cells]
        let answers = step + [cells, cells, cells, configuration.network.anchors, configuration.network.components]
        return Datasets(
            input: try file.createDataset(
                "/input", as: UInt8.self, shape: [steps] + image, chunk: [1] + image, compression: .deflate(1)),
            coord: try file.createDataset(
                "/coord", as: Float.self, shape: [steps] + ramps, chunk: [1] + ramps, compression: .deflate(1)),
            labels: try file.createDataset(
                "/labels", as: Float.self, shape: [steps] + answers, chunk: [1] + answers, compression: .deflate(1)))
    }

    func write(_ batches: [MicroBatch], row: Int) throws {
        let rows = row..<row + 1
        try input.write(rows: rows, values: batches.flatMap { $0.input.values.map { UInt8($0 * 128 + 128) } })
        try coord.write(rows: rows, values: batches.flatMap(\.coord.values))
        try labels.write(rows: rows, values: batches.flatMap(\.labels.values))
    }
}
