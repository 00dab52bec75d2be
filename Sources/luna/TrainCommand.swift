import ArgumentParser
import Basics
import Compute
import Diagnosis
import FileIO
import Foundation
import Inference
import Logging
import MPI
import PatchData
import Runs
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the detector, alone or under mpirun.",
        discussion: """
            EXAMPLES
              luna train --data luna16-patches --run runs/first
              mpirun -n 8 --map-by slot:PE=8 --bind-to core luna train --data luna16-patches --run runs/fold0 \\
                  --config luna16.yaml --set validation_fold=0
              luna train --data luna16-patches --run runs/first --resume
              luna train --print-config > my.yaml

            The run directory gets config.yaml, metrics.jsonl and checkpoints/, and in ranks/ every rank's heartbeat, \
            which `luna status` reads. SIGTERM, SIGINT or SIGUSR1 ends the run at the next step with a checkpoint and \
            exit status 75; --resume goes on, also with other ranks or threads, to the same bits.
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Go on from the newest good checkpoint; start afresh where there is none.")
    var resume = false

    @Flag(help: "Print the configuration with the meaning of every key, and do nothing.")
    var printConfig = false

    @Flag(help: "Print what launchers ask: the run, its replicas and the rank counts that can share them; do nothing.")
    var printPlan = false

    func validate() throws {
        if printConfig || printPlan { return }
        if options.data == nil { throw ValidationError("Missing expected argument '--data <dir>'") }
        if options.path == nil { throw ValidationError("Missing expected argument '--run <dir>'") }
    }

    /// The configuration: a run that is resumed keeps its own, unless another is named.
    private func configuration() throws -> TrainingConfiguration {
        try options.experiment.configuration(stored: resume ? options.storedConfiguration : nil)
    }

    func run() throws {
        if printConfig || printPlan {
            let configuration = try configuration()
            if printConfig { print(configuration.yaml(explained: true), terminator: "") }
            if printPlan {
                for line in TrainingPlan(configuration: configuration, options: options).lines { print(line) }
            }
            return
        }
        Startup.prepare()
        StopRequest.listen()
        Job.run { communicator in try train(communicator) }
    }

    private func train(_ communicator: any Communicator) throws -> Int32 {
        guard let data = options.data, let directory = options.directory else { return ExitStatus.usage.rawValue }
        let logger = RankLog.logger(rank: communicator.rank, size: communicator.size)
        try communicator.waitForRoot()
        let configuration = try configuration()
        if try directory.holdsRun() && !resume {
            throw UsageError("\(directory.path) already holds a run; add --resume to go on, or name another directory")
        }
        if communicator.rank == 0 { try options.checkOutputs(configuration) }
        let source = try Self.dataset(data, for: configuration)
        try communicator.releaseFromRoot()
        // Nobody may make the directory before all have looked whether it is new.
        try communicator.barrier()
        if communicator.rank == 0 { try directory.removeLeftovers() }
        try communicator.barrier()

        let threads = configuration.threads ?? Startup.defaultThreads
        let engine = Engine(
            pool: ThreadPool(threads: threads), instructionSet: try Arithmetic.agreedInstructionSet(communicator))
        try announce(communicator, configuration, source, engine, logger)
        var progress = TrainingProgress(logger: logger)
        let stall = StallReport(communicator, logger)
        var setting = Trainer.Setting(
            configuration: configuration, communicator: communicator, source: source,
            heldOutVolumes: configuration.validationFold.map { source.volumes(fold: $0) } ?? [], dataPath: data,
            dataDigest: source.digest, engine: engine, arithmetic: "\(engine.instructionSet)",
            loaderThreads: 1, run: directory, resume: resume,
            report: { progress.show($0) })
        setting.timeline = options.timeline
        setting.warnOfStall = { stall.warn($0) }
        setting.endStalled = { stall.end($0) }
        let trainer = try Trainer(setting)
        let sites = configuration.localSteps.map {
            " in \(configuration.sites) \(configuration.sites == 1 ? "site" : "sites") with rounds of at most "
                + "\($0) steps"
        }
        logger.info(
            """
            \(configuration.replicas) replicas of \(configuration.microBatch)\(sites ?? ""), crops of \
            \(configuration.cropSize), \(configuration.epochs) epochs of \(trainer.stepsPerEpoch) steps, \
            \(trainer.validationCount) crops to validate on
            """)
        switch try trainer.train() {
        case .finished: return 0
        case .stopped:
            progress.finish()
            logger.info("stopped as asked after step \(trainer.completedSteps); `--resume` goes on from here")
            return ExitStatus.stoppedResumable.rawValue
        }
    }

    /// Opens a data set to train on.
    ///
    /// - Throws: `InputError` where it is damaged, or its patches are too small.
    static func dataset(_ path: String, for configuration: TrainingConfiguration) throws -> PatchDataset {
        let source = try PatchDataset(directory: path)
        guard source.cropSize >= configuration.cropSize else {
            throw InputError(
                path, "its patches are made for crops of \(source.cropSize), crop_size is \(configuration.cropSize)",
                remedy: "convert again with --crop-size \(configuration.cropSize)")
        }
        return source
    }

    /// Says where the ranks run, and warns of what will make them slow or fail.
    private func announce(
        _ communicator: any Communicator, _ configuration: TrainingConfiguration, _ source: PatchDataset,
        _ engine: Engine, _ logger: Logger
    ) throws {
        let facts = RankFacts.local(
            communicator, threads: engine.pool.threads, version: Luna.configuration.version)
        let survey = Survey(
            ranks: try Survey.gather(facts, communicator),
            plan: RunPlan(
                configuration, ranks: communicator.size, threads: engine.pool.threads, source: source,
                hasTimeline: options.timeline != nil))
        guard communicator.rank == 0 else { return }
        logger.info("\(Startup.describe(engine))")
        for line in RankTable(survey).lines { logger.info("\(line)") }
        for finding in survey.findings where finding.severity > .note {
            logger.warning("\(finding.seen): \(finding.remedy)")
        }
    }
}

/// Shows a run's events: one line rewritten on a terminal, plain lines elsewhere.
private struct TrainingProgress {
    let logger: Logger
    private var line: ProgressLine?
    private var search: ProgressLine?
    private var firstStep = 0

    init(logger: Logger) { self.logger = logger }

    mutating func show(_ event: TrainingEvent) {
        switch event {
        case .resumed(let path, let epoch, let step):
            logger.info("resuming \(path) in epoch \(epoch) after step \(step)")
        case .step(let record, let total):
            if line == nil { firstStep = record.step }  // the line's clock starts after it
            var progress = line ?? ProgressLine("step", total: total, start: firstStep)
            let rate = (record.patchesPerSecond * 10).rounded() / 10
            progress.update(
                record.step, "epoch \(record.epoch), loss \(fixed(record.loss)), \(rate) patches/s")
            line = progress
        case .epoch(let record):
            finish()
            let phase = record.phase == .train ? "epoch \(record.epoch)" : "  validation"
            let positive = record.truePositiveRate.map { ", true positives \(percent($0))" } ?? ""
            let negative = record.trueNegativeRate.map { ", true negatives \(percent($0))" } ?? ""
            let classification = "classification \(fixed(record.classification))\(positive)\(negative)"
            let skipped = record.skipped.map { ", \($0) steps left out" } ?? ""
            guard record.loss.isFinite || record.phase == .validation else {
                logger.info("\(phase): no loss\(skipped)")
                return
            }
            logger.info("\(phase): loss \(fixed(record.loss)), \(classification)\(skipped)")
        case .searching(let progress):
            var line = search ?? ProgressLine("scan", total: progress.total)
            line.update(progress.scans, "\(progress.candidates) candidates", share: progress.share)
            search = line
        case .froc(let record):
            finish()
            search = nil
            let best = record.isBest ? ", the best so far" : ""
            logger.info(
                """
                  FROC of \(record.scans) scans: CPM \(String(format: "%.3f", record.cpm)), \(record.detected) of \
                \(record.nodules) nodules found\(best); \(durationText(record.seconds))
                """)
        case .checkpoint: break
        case .warning(let text):
            finish()
            logger.warning("\(text)")
        }
    }

    /// Ends whatever line has begun, so that a whole one can follow.
    mutating func finish() {
        line?.finish()
        search?.finish()
    }

    private func fixed(_ value: Double) -> String {
        value.isFinite ? String(format: "%.4f", value) : "\(value)"
    }

    private func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }
}
