import ArgumentParser
import Basics
import Compute
import Diagnosis
import Exchange
import FileIO
import Foundation
import MPI
import PatchData
import Runs
import Training

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check hosts, ranks, data and network before a long job.",
        discussion: """
            EXAMPLES
              luna doctor
              luna doctor --data luna16-patches --run runs/fold0
              mpirun -n 8 --hostfile hostfiles/cluster --map-by slot:PE=8 --bind-to core luna doctor \\
                  --data luna16-patches --run runs/fold0 --config luna16.yaml
              mpirun -n 2 luna doctor --set crop_size=64 --json | tail -1 > doctor.json

            Start it as the job will be started. It shows where the ranks run, measures a training step on made data, \
            matrix products, reading, the reduction and the clocks on all ranks at once, and says what to change. The \
            run's directory gets nothing but a small file that is removed again, and no timeline is written. Without \
            --config the configuration is the run's, or luna's defaults.

            EXIT STATUS
              0 without a problem (there may be warnings), 65 with one.
            """)

    @OptionGroup var options: RunOptions

    @OptionGroup var computing: ThreadsOption

    @OptionGroup var output: JSONLineOption

    func run() throws {
        Startup.prepare()
        Job.run { communicator in try examine(communicator) }
    }

    private struct Result: Encodable {
        let luna: String
        let plan: RunPlan?
        let place: RunPlace?
        let ranks: [RankFacts]
        /// The time in s that the run's steps will take, by what was measured.
        let estimatedSeconds: Double?
        let findings: [Finding]
        let problems, warnings, notes: Int
    }

    private func examine(_ communicator: any Communicator) throws -> Int32 {
        let survey = try survey(communicator)
        guard communicator.rank == 0 else { return 0 }
        let findings = survey.findings
        func count(_ severity: Finding.Severity) -> Int { findings.count { $0.severity == severity } }
        for line in survey.lines { print(line) }
        for finding in findings {
            print("\n\(finding.severity): \(finding.seen)\n  change: \(finding.remedy)")
        }
        print("\n\(Finding.summary(findings))")
        if output.json {
            let result = Result(
                luna: Luna.configuration.version, plan: survey.plan, place: survey.place, ranks: survey.ranks,
                estimatedSeconds: survey.estimatedSeconds, findings: findings,
                problems: count(.problem), warnings: count(.warning), notes: count(.note))
            print(String(decoding: try JSON.encode(result), as: UTF8.self))
        }
        // mpirun ends the job at the first status that is not 0: the text must be out by then.
        fflush(nil)
        return count(.problem) > 0 ? ExitStatus.badInput.rawValue : 0
    }

    /// Finds out and measures everything; only rank 0's survey is whole.
    private func survey(_ communicator: any Communicator) throws -> Survey {
        // Faults that all ranks would find are told once.
        try communicator.waitForRoot()
        let configuration = try options.experiment.configuration(stored: options.storedConfiguration)
        if communicator.rank == 0 { try options.checkOutputs(configuration) }
        if let weights = configuration.initialWeights, FileContent.size(weights) == nil {
            throw InputError(weights, "no such file", remedy: "name the file of initial_weights, or null for none")
        }
        let source = try options.data.map { try TrainCommand.dataset($0, for: configuration) }
        var steps: Int?
        if let source, let data = options.data {
            // Refuses a data set with nothing to train on, or not enough for a step.
            let loader = try TrainingLoader(
                source: source, configuration: configuration.sampling, replicas: 0..<1, threads: 1, name: data)
            steps = configuration.epochs * (configuration.stepsPerEpoch ?? loader.stepsPerEpoch)
        }
        try communicator.releaseFromRoot()

        let pool = ThreadPool(threads: computing.threads ?? configuration.threads ?? Startup.defaultThreads)
        var facts = RankFacts.local(communicator, threads: pool.threads, version: Luna.configuration.version)
        facts.measures.dataDigest = source?.digest.text
        var survey = Survey(ranks: try Survey.gather(facts, communicator))
        var plan = RunPlan(
            configuration, ranks: communicator.size, threads: pool.threads, source: source,
            hasTimeline: options.timeline != nil
        )
        plan.steps = steps
        do {
            try GradientReduction.check(
                configuration.reduction, replicas: configuration.replicas, ranks: communicator.size)
        } catch { plan.refusal = error.description }
        survey.plan = plan

        // No step is tried where some rank has no room for one: the same answer on all ranks.
        var lacks = [survey.memoryFindings.contains { $0.severity == .problem } ? 1.0 : 0]
        try communicator.maximum(&lacks)
        if lacks[0] == 0 { try measureStep(configuration, pool, communicator, &facts.measures) }
        try communicator.barrier()
        facts.measures.productSpeed = OpenBLAS.productSpeed(pool: pool)
        pool.stop()
        if let source { try read(source, communicator, &facts.measures) }
        if communicator.size > 1 {
            let mode = plan.refusal == nil ? configuration.reduction : .allreduce
            let reduction = try ReductionMeasurement(
                configuration.network,
                mode: mode, replicas: communicator.size, steps: 5, communicator: communicator)
            facts.measures.reductionSeconds = reduction.seconds
            survey.plan?.reduction = mode.rawValue
            facts.measures.clock = try communicator.clockOffset()
        }
        survey.ranks = try Survey.gather(facts, communicator)
        if let bytes = survey.ranks.compactMap(\.measures.stepBytes).max() {
            survey.plan?.memory =
                bytes + configuration.memoryBesideStep(ranks: communicator.size)
                + configuration.memoryOfOtherReplicas(ranks: communicator.size, threads: pool.threads)
                + RunPlan.memoryBesideTraining(
                    configuration, ranks: communicator.size, hasTimeline: options.timeline != nil)
            survey.plan?.memoryIsMeasured = true
        }
        // Only rank 0 writes there, in a run as well.
        if communicator.rank == 0, let directory = options.directory { survey.place = RunPlace(trying: directory.path) }
        return survey
    }

    /// Measures one step of one replica, after one that is not counted, on made data, on all ranks at once.
    private func measureStep(
        _ configuration: TrainingConfiguration, _ pool: ThreadPool, _ communicator: any Communicator,
        _ measures: inout RankMeasures
    ) throws {
        let subject = BenchSubject(
            configuration, size: configuration.cropSize, batch: configuration.microBatch, pool: pool)
        try communicator.barrier()
        let measured = StepMeasurement(consume subject, steps: 1)
        measures.stepSeconds = measured.median(\.whole)
        measures.stepBytes = Measurement.peakResidentBytes
    }

    private func read(
        _ source: PatchDataset, _ communicator: any Communicator, _ measures: inout RankMeasures
    ) throws {
        let shards = source.manifest.folds.flatMap(\.shards).map { "\(source.directory)/\($0.path)" }
        measures.dataFileSystem = FileSystem.kind(source.directory)
        measures.dataLocks = shards.first.flatMap { FileLocks(of: $0) }
        try communicator.barrier()
        measures.reading = try ReadMeasurement(files: shards, rank: communicator.rank, of: communicator.size)
    }
}
