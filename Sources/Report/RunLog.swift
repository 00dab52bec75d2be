// What a run's directory says of its training. Anything that cannot be read is passed over: a report on a detector must
// not fail for a log line that was cut off when the machine went down.

import Basics
import FileIO
import Runs

/// The files of a run as `luna train` leaves them: `config.yaml`, `metrics.jsonl` and `checkpoints/`.
public struct RunLog: Hashable, Sendable {
    /// A value after so many steps.
    struct Sample: Hashable, Sendable {
        var step: Int
        var value: Double
    }

    /// The run's directory, as the caller gave it.
    public let directory: String
    /// `config.yaml`; nil where there is none.
    let configuration: String?
    /// One for each step.
    private(set) var loss: [Sample] = []
    private(set) var learningRate: [Sample] = []
    /// One for each epoch that was validated, and whose detector was evaluated on whole scans.
    private(set) var validationLoss: [Sample] = []
    private(set) var cpm: [Sample] = []
    private(set) var epochs = 0
    private(set) var skippedSteps = 0
    /// Lines that are no record.
    private(set) var unreadableLines = 0
    /// The first of the most sensitive evaluations on the held-out scans; nil where there was none.
    private(set) var best: Best?
    /// Names of checkpoints, oldest first.
    let checkpoints: [String]
    /// The name of the checkpoint that `checkpoints/best` points at.
    let bestCheckpoint: String?

    /// An evaluation after an epoch.
    struct Best: Hashable, Sendable {
        var epoch: Int
        var cpm: Double
    }

    /// The fold that was held out, as the configuration has it: a number, or `null`; nil where it does not say.
    var heldOutFold: String? {
        let key = "validation_fold:"
        return configuration?.split(separator: "\n").first { $0.hasPrefix(key) }.map {
            $0.dropFirst(key.count).prefix { $0 != "#" }.filter { $0 != " " }
        }
    }

    /// The run's files: its configuration, log and newest checkpoint, as far as they are there.
    public let files: [String]

    /// Reads a run's directory.
    ///
    /// - Throws: `InputError` where the directory is missing or holds neither log nor configuration; `FileError`.
    public init(directory: String) throws {
        self.directory = directory
        let run = RunDirectory(directory)
        let (log, settings) = (run.metricsPath, run.configurationPath)
        let hasLog = FileContent.size(log) != nil
        let hasSettings = FileContent.size(settings) != nil
        guard hasLog || hasSettings else {
            throw InputError(
                directory, "holds neither metrics.jsonl nor config.yaml", remedy: "name a directory of luna train")
        }
        configuration =
            hasSettings ? String(decoding: try FileContent.bytes(settings, limit: 1 << 20), as: UTF8.self) : nil
        let paths = try run.checkpointPaths()
        checkpoints = paths.map(Path.name(of:))
        // A pointer to what is gone is none; as ever, a report does not fail for it.
        bestCheckpoint = try? RunDirectory.target(ofPointer: "\(directory)/checkpoints/best").map(Path.name(of:))
        files = ([settings, log] + paths.suffix(1)).filter { FileContent.size($0) != nil }
        if hasLog { try MetricsLog.read(log) { add($0) } }
    }

    private mutating func add(_ record: LogRecord?) {
        switch record {
        case .step(let record):
            epochs = max(epochs, record.epoch)
            Self.append(record.step, record.loss, to: &loss)
            Self.append(record.step, record.learningRate, to: &learningRate)
            if record.skipped { skippedSteps += 1 }
        case .epoch(let record):
            epochs = max(epochs, record.epoch)
            if record.phase == .validation { Self.append(record.step, record.loss, to: &validationLoss) }
        case .froc(let record):
            Self.append(record.step, record.cpm, to: &cpm)
            if record.cpm.isFinite, best.map({ record.cpm > $0.cpm }) ?? true {
                best = Best(epoch: record.epoch, cpm: record.cpm)
            }
        case .none: unreadableLines += 1
        default: break
        }
    }

    /// Appends a sample. A run that was resumed repeats some steps: only the later samples led to its result, so they
    /// replace the earlier ones.
    private static func append(_ step: Int, _ value: Double, to samples: inout [Sample]) {
        guard value.isFinite else { return }
        while let last = samples.last, last.step >= step { samples.removeLast() }
        samples.append(Sample(step: step, value: value))
    }
}

extension RunLog {
    /// The samples of neighbouring steps, summarised by their middle and spread.
    struct Summary: Hashable, Sendable {
        var step: Double
        var median: Double
        /// The 10th percentile.
        var lower: Double
        /// The 90th percentile.
        var upper: Double
    }

    /// The samples in at most `count` parts of equally many.
    static func thinned(_ samples: [Sample], to count: Int) -> [Summary] {
        let parts = min(count, samples.count)
        return (0..<parts).map { part in
            let members = samples[samples.count * part / parts..<samples.count * (part + 1) / parts]
            let sorted = members.map(\.value).sorted()
            func quantile(_ q: Double) -> Double { sorted[Int((q * Double(sorted.count - 1)).rounded())] }
            let middle = members.reduce(0.0) { $0 + Double($1.step) } / Double(members.count)
            return Summary(step: middle, median: quantile(0.5), lower: quantile(0.1), upper: quantile(0.9))
        }
    }
}
