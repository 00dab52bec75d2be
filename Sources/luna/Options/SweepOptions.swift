// The options of a choice of thresholds.

import ArgumentParser
import CT
import Evaluation
import FileIO
import Runs
import Training

/// `--sweep` and `--held-out`: thresholds chosen on scans that a detector was trained on.
struct SweepOptions: ParsableArguments {
    @Flag(help: "Choose --overlap and --minimum-probability of `luna detect` on candidates of training scans.")
    var sweep = false

    @Option(
        help: ArgumentHelp(
            "The fold that the detector was not trained on, for --sweep; by default the one the run held out.",
            valueName: "n"))
    var heldOut: Int?

    func validate() throws {
        guard let heldOut else { return }
        if !sweep { throw ValidationError("--held-out is for --sweep") }
        if !(0..<LUNA16Layout.foldCount ~= heldOut) {
            throw ValidationError("--held-out is 0 to \(LUNA16Layout.foldCount - 1), not \(heldOut)")
        }
    }

    /// The training scans that thresholds are chosen on; nil where none are to be chosen.
    ///
    /// - Parameters:
    ///   - detectors: What `--candidates` names.
    ///   - candidates: The candidates of each.
    ///   - folds: The fold of each series, by `--folds` or `--data`.
    ///   - list: The scans that count, and their file.
    ///   - run: The run's directory.
    /// - Throws: `UsageError` where it is not said which scans the detector was trained on; `InputError` where a scan
    ///   is none of these.
    func training(
        _ detectors: [DetectorFiles], _ candidates: [[Candidate]], folds: [String: Int],
        list: (series: [String], file: String)?, run: String?
    ) throws -> TrainingScans? {
        guard sweep else { return nil }
        if detectors.count > 1 { throw UsageError("--sweep is for one detector: join its files by commas") }
        if folds.isEmpty { throw UsageError("--sweep needs the scans' folds: add --data or --folds") }
        return try TrainingScans(
            of: candidates[0].map(\.seriesUID), detectors[0].paths.joined(separator: ", "), list: list, folds: folds,
            heldOut: try heldOutFold(of: run))
    }

    /// The fold that the detector was not trained on; nil where it was trained on all of them.
    private func heldOutFold(of run: String?) throws -> Int? {
        guard let run else {
            if let heldOut { return heldOut }
            throw UsageError(
                "--sweep needs to know which fold the detector was not trained on: add --run, or --held-out")
        }
        let path = RunDirectory(run).configurationPath
        guard FileContent.size(path) != nil else {
            throw InputError(run, "holds no config.yaml, which names the held-out fold", remedy: "name another run")
        }
        let own = try TrainingConfiguration.read(path).validationFold
        if let heldOut, heldOut != own {
            throw UsageError(
                "--held-out is \(heldOut), but the run \(run) "
                    + (own.map { "held out fold \($0)" } ?? "held out no fold"))
        }
        return own
    }
}
