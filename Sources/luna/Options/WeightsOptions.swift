// Options that name weights and what they were trained with, and those about scans to read.

import ArgumentParser
import Detection
import FileIO

/// A preset is named as in the configuration; ArgumentParser lists the names and refuses others.
extension Preset: ExpressibleByArgument {}

/// `--weights`: where weights come from.
struct WeightsOption: ParsableArguments {
    @Option(help: ArgumentHelp("A checkpoint, a weight file, or a run directory.", valueName: "file"))
    var weights: String

    /// The file to read.
    ///
    /// - Parameter damaged: Told in a line of each newer checkpoint that is not whole.
    /// - Throws: `InputError`, `FileError`.
    func source(damaged: (String) -> Void) throws -> WeightsSource {
        try Self.source(weights, damaged: damaged)
    }

    /// Adds the weights' files to what a command reads.
    func plan(_ plan: inout OutputPlan, _ source: WeightsSource) { Self.plan(&plan, weights, source) }

    fileprivate static func source(_ weights: String, damaged: (String) -> Void) throws -> WeightsSource {
        try WeightsSource(weights) { damaged("warning: \($0); taking the one before") }
    }

    fileprivate static func plan(_ plan: inout OutputPlan, _ weights: String, _ source: WeightsSource) {
        plan.read(source.path, as: "--weights")
        if weights != source.path { plan.read(weights, as: "--weights") }
    }
}

/// `--weights` of a command that takes several networks.
struct WeightsListOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A checkpoint, a weight file, or a run directory; repeated, the findings of all networks are joined.",
            valueName: "file"))
    var weights: [String]

    /// The files to read, in the order given.
    ///
    /// - Parameter damaged: Told in a line of each newer checkpoint that is not whole.
    /// - Throws: `InputError`, `FileError`.
    func sources(damaged: (String) -> Void) throws -> [WeightsSource] {
        try weights.map { try WeightsOption.source($0, damaged: damaged) }
    }

    /// Adds the weights' files to what a command reads.
    func plan(_ plan: inout OutputPlan, _ sources: [WeightsSource]) {
        for (weights, source) in zip(weights, sources) { WeightsOption.plan(&plan, weights, source) }
    }
}

/// `--preset` of weights that may say it themselves.
struct PresetOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The constants that the weights were trained with; by default those that their file names.",
            valueName: "name"))
    var preset: Preset?
}

/// The options of the commands that read scans.
struct ScanOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The CT series to take from a folder of DICOM that holds several.", valueName: "uid"))
    var series: String?

    @Option(
        help: ArgumentHelp(
            "The acquisition to take from a series that holds several at the same places (AcquisitionNumber).",
            valueName: "n"))
    var acquisition: String?

    @Flag(help: "Segment the lungs of the scans that have no mask, also where others have one.")
    var segmentLungs = false
}
