import Detection
import Evaluation
import FileIO
import Foundation
import Pictures
import Runs
import TensorBoard

/// The records of a run, which rank 0 keeps: the lines of `metrics.jsonl`, and their content as curves and pictures for
/// TensorBoard.
final class RunRecorder {
    private let metrics: MetricsLog
    private let events: EventFile

    /// Opens the files of a run.
    ///
    /// - Parameters:
    ///   - step: Completed steps: lines of an earlier process about later ones are cut off.
    ///   - owesValidation: Whether the validation at `step` will be written again.
    /// - Throws: `FileError`, `InputError`.
    init(_ run: RunDirectory, keepingUpTo step: Int, owesValidation: Bool, configuration: String) throws {
        metrics = try MetricsLog(run.metricsPath, keepingUpTo: step, owesValidation: owesValidation)
        events = try EventFile(
            directory: run.tensorBoardPath, keepingUpTo: step == 0 ? -1 : step, wallTime: Self.now,
            isOwed: { tag in owesValidation && ["validation/", "froc/"].contains { tag.hasPrefix($0) } })
        let lines = configuration.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        if step == 0 { try events.append(markdown: lines, tag: "configuration", step: 0, wallTime: Self.now) }
    }

    private static var now: Double { Date().timeIntervalSince1970 }

    /// Adds a record to the log.
    ///
    /// - Throws: `FileError`.
    func append(_ record: StartRecord) throws { try metrics.append(record) }

    /// Adds a record to the log.
    ///
    /// - Throws: `FileError`.
    func append(_ record: NoticeRecord) throws { try metrics.append(record) }

    /// Adds a record to the log and the curves.
    ///
    /// - Throws: `FileError`.
    func append(_ record: StepRecord) throws {
        try metrics.append(record)
        var values = [
            ("loss/total", record.loss), ("loss/classification", record.classification),
            ("loss/regression", record.regression.reduce(0, +)), ("learning_rate", record.learningRate),
            ("gradient_norm", record.gradientNorm), ("throughput/patches_per_second", record.patchesPerSecond),
            ("seconds/step", record.seconds), ("seconds/data", record.dataSeconds),
            ("seconds/reduce", record.reduceSeconds), ("seconds/work", record.workSeconds),
        ]
        let rates = [
            ("rates/true_positive", record.positivesCorrect, record.positives),
            ("rates/true_negative", record.negativesCorrect, record.negatives),
        ]
        for (tag, correct, all) in rates where all > 0 { values.append((tag, correct / all)) }
        try events.append(values, step: record.step, wallTime: Self.now)
    }

    /// Adds a record to the log and the curves.
    ///
    /// - Throws: `FileError`.
    func append(_ record: RoundRecord) throws {
        try metrics.append(record)
        let values = [
            ("round/mean_norm", record.meanNorm), ("round/site_norm", record.siteNorm),
            ("seconds/round", record.seconds),
        ]
        try events.append(values, step: record.step, wallTime: Self.now)
    }

    /// Adds a record to the log and the curves.
    ///
    /// - Throws: `FileError`.
    func append(_ record: RanksRecord) throws {
        try metrics.append(record)
        let values = [("ranks/median_seconds", record.medianSeconds), ("ranks/slowest_seconds", record.maximumSeconds)]
        try events.append(values, step: record.step, wallTime: Self.now)
    }

    /// Adds a record to the log and the curves.
    ///
    /// - Throws: `FileError`.
    func append(_ record: EpochRecord) throws {
        try metrics.append(record)
        let phase = record.phase == .train ? "epoch" : "validation"
        var values = [
            ("\(phase)/loss", record.loss), ("\(phase)/classification", record.classification),
            ("\(phase)/regression", record.regression.reduce(0, +)),
        ]
        if let rate = record.truePositiveRate { values.append(("\(phase)/true_positive_rate", rate)) }
        if let rate = record.trueNegativeRate { values.append(("\(phase)/true_negative_rate", rate)) }
        try events.append(values, step: record.step, wallTime: Self.now)
        try events.flush()
    }

    /// Adds a record to the log and the curves.
    ///
    /// - Throws: `FileError`.
    func append(_ record: FROCRecord) throws {
        try metrics.append(record)
        let values = zip(FROC.rates, record.sensitivity).map { ("froc/sensitivity_at_\($0)", $1) }
        try events.append(values + [("froc/cpm", record.cpm)], step: record.step, wallTime: Self.now)
        try events.flush()
    }

    /// Adds the pictures of the validation after a step.
    ///
    /// - Throws: `FileError`.
    func append(_ pictures: [Picture], step: Int) throws {
        for (index, picture) in pictures.enumerated() {
            try events.append(picture, tag: "validation/crop-\(index + 1)", step: step, wallTime: Self.now)
        }
    }
}
