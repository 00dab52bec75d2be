// Options that say what is trained on what, shared by the commands that train or look at training.

import ArgumentParser
import FileIO
import Runs
import Training

/// `--config` and `--set`: the experiment.
struct ExperimentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The experiment as YAML; keys that it leaves out have the preset's values.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Overrides one key, such as epochs=20 or augment.flip=false; null means none; may be repeated.",
            valueName: "key=value"))
    var overrides: [String] = []

    /// The configuration.
    ///
    /// - Parameters:
    ///   - stored: The file to read where `--config` names none.
    ///   - presets: Overrides that hold where the user sets nothing else, unless `--config` names a file.
    /// - Throws: `InputError`, `FileError`.
    func configuration(
        stored: String? = nil, presets: [String] = []
    ) throws -> TrainingConfiguration {
        try TrainingConfiguration.read(
            config ?? stored, overrides: (config == nil ? presets : []) + overrides)
    }

    /// Adds the experiment's files to what a command reads.
    func plan(_ plan: inout OutputPlan, _ configuration: TrainingConfiguration) {
        plan.read(config, as: "--config")
        plan.read(configuration.initialWeights, as: "initial_weights")
    }
}

/// `--data`, where a command needs a data set.
struct DatasetOption: ParsableArguments {
    static let help = ArgumentHelp("The data set that `luna convert` made.", valueName: "dir")

    @Option(help: DatasetOption.help)
    var data: String
}

/// The options that name a run: what it trains on, where it leaves its files, and the experiment.
struct RunOptions: ParsableArguments {
    @Option(help: DatasetOption.help)
    var data: String?

    @Option(
        name: .customLong("run"), help: ArgumentHelp("The run's directory, new or to be resumed.", valueName: "dir"))
    var path: String?

    @OptionGroup var experiment: ExperimentOptions

    @Option(
        help: ArgumentHelp(
            "Write a timeline of all ranks, for Perfetto or chrome://tracing, when the run ends, is stopped or fails.",
            valueName: "file"))
    var timeline: String?

    /// The run's directory, if one is named.
    var directory: RunDirectory? { path.map { RunDirectory($0) } }

    /// Checks the run's directory and the timeline before anything is made.
    ///
    /// - Throws: `UsageError`, `FileError`.
    func checkOutputs(_ configuration: TrainingConfiguration) throws {
        var plan = OutputPlan()
        plan.read(data, as: "--data")
        experiment.plan(&plan, configuration)
        // Its own files are the run's to replace, and no other output's.
        try plan.write(directory: path, as: "--run", outside: data.map { ($0, "--data") })
        plan.read(path, as: "--run")
        try plan.write(file: timeline, as: "--timeline") { Self.isTimeline($0) }
    }

    /// Whether a file begins as a timeline does.
    private static func isTimeline(_ path: String) -> Bool {
        let beginning = Array(TraceOutput.beginning.utf8)
        return (try? FileContent.prefix(path, count: beginning.count)) == beginning
    }

    /// The configuration that an earlier start has left in the run's directory, if there is one.
    var storedConfiguration: String? {
        directory.flatMap { FileContent.size($0.configurationPath) == nil ? nil : $0.configurationPath }
    }
}
