// The synchronous step: every replica's gradient, summed in the tree's order, one update, the same on all ranks.

import Compute
import Detection
import FileIO
import MPI
import Network
import PatchData

/// Trains the network on this rank's replicas, together with the other ranks.
public final class Trainer {
    public let configuration: TrainingConfiguration
    let communicator: any Communicator
    let whereabouts: Whereabouts
    let alarm: RankMonitor.Alarm
    /// The timeline's file.
    let timeline: String?
    var workExchange: WorkExchange
    /// By rank.
    var hosts: [String]
    private let loader: TrainingLoader
    let validation: ValidationSet
    let evaluation: FoldEvaluation?
    let network: NoduleNetwork
    private let reduction: GradientReduction
    let run: RunDirectory
    /// On rank 0.
    private(set) var log: RunRecorder?
    private var writer: CheckpointWriter?
    let report: (TrainingEvent) -> Void
    private let dataDigest: Digest
    let arithmetic: String

    private(set) var state: NetworkState
    private var momentum: [Float]
    private(set) var step = 0
    /// Whether the validation after `step` is still to come.
    var owesValidation = false
    var best: BestResult?
    private var epochTerms = LossTerms()
    /// The steps that `epochTerms` adds up: those left out are not among them.
    private var epochSteps = 0
    var skippedInARow = 0
    private var plateau = PlateauWatch()

    /// Steps between checks that all ranks hold the same.
    static let agreementInterval = 100

    public enum Outcome: Sendable {
        case finished
        /// Asked to stop; a checkpoint is there to resume from.
        case stopped
    }

    /// Prepares a run: reads the checkpoint or makes new weights, and has all ranks agree.
    ///
    /// - Throws: `UsageError` where the ranks do not fit the replicas; `InputError`, `FileError`, `MPIError`,
    ///   `DisagreementError`.
    public init(_ setting: Setting) throws {
        configuration = setting.configuration
        run = setting.run
        dataDigest = setting.dataDigest
        arithmetic = setting.arithmetic
        let whereabouts = Whereabouts()
        let communicator = ObservedCommunicator(setting.communicator, whereabouts)
        self.whereabouts = whereabouts
        self.communicator = communicator
        alarm = RankMonitor.Alarm(
            warning: configuration.stallWarningSeconds.map(Double.init),
            limit: configuration.stallLimitSeconds.map(Double.init), warn: setting.warnOfStall, end: setting.endStalled)
        timeline = setting.timeline
        hosts = [communicator.hostName]
        if timeline != nil { setting.engine.spans = Self.spanLog(ranks: communicator.size) }
        let isRoot = communicator.rank == 0
        let report: (TrainingEvent) -> Void = isRoot ? setting.report : { _ in }
        self.report = report
        try communicator.waitForRoot()
        try FaultInjection.check()
        if let fault = FaultInjection.current {
            report(.warning("\(FaultInjection.variable) is set: this run is damaged on purpose (\(fault.text))"))
        }
        reduction = try GradientReduction(
            mode: configuration.reduction, replicas: configuration.replicas,
            count: TrainingConfiguration.reductionCount,
            communicator: communicator, exchange: configuration.gradientExchange,
            gradients: NoduleNetwork.parameters.count)
        loader = try TrainingLoader(
            source: setting.source, configuration: configuration.sampling, replicas: reduction.replicas,
            threads: setting.loaderThreads, name: setting.dataPath, spans: setting.engine.spans)
        validation = ValidationSet(source: setting.source, configuration: configuration.sampling)
        let evaluates = configuration.evaluateEveryEpochs != nil && !setting.heldOutVolumes.isEmpty
        evaluation = evaluates ? try FoldEvaluation(setting.heldOutVolumes) : nil
        network = NoduleNetwork(engine: setting.engine)

        let checkpoint =
            setting.resume
            ? try run.newestCheckpoint(damaged: { report(.warning("\($0); going back to the one before")) }) : nil
        if let checkpoint = checkpoint?.checkpoint {
            guard checkpoint.dataDigest == dataDigest.text else {
                throw InputError(
                    setting.dataPath, "is not the data set that \(run.path) was started with",
                    remedy: "resume with that one, or start another run")
            }
            let arithmetic = setting.arithmetic
            if checkpoint.arithmetic != arithmetic {
                report(
                    .warning(
                        "the run was started with \(checkpoint.arithmetic), now it is \(arithmetic): "
                            + "from here on its bits are others"))
            }
            let saved = try TrainingConfiguration.parse(checkpoint.configuration, file: run.configurationPath)
            if let key = configuration.firstDifference(from: saved) {
                throw InputError(
                    run.path, at: key, "differs from the configuration that the run was started with",
                    remedy: "resume with the run's config.yaml, or start another run")
            }
            state = checkpoint.state
            momentum = checkpoint.momentum
            step = checkpoint.step
            owesValidation = checkpoint.owesValidation
            best = checkpoint.best
            epochTerms = LossTerms(vector: checkpoint.epochTerms)
            epochSteps = checkpoint.epochSteps
            report(.resumed(from: run.path, epoch: checkpoint.epoch, step: checkpoint.step))
        } else {
            state = try configuration.initialState()
            momentum = [Float](repeating: 0, count: NoduleNetwork.parameters.count)
        }
        whereabouts.finish(step: step)
        workExchange = WorkExchange(rank: communicator.rank, ranks: communicator.size, step: step)
        try evaluation?.check(detector())
        if configuration.evaluateEveryEpochs != nil && evaluation == nil {
            report(.warning("fold \(configuration.validationFold ?? 0) has no scans: there will be no evaluation"))
        }
        try communicator.releaseFromRoot()
        try synchronizeStart()
        try reduction.connect(configuration.overlap, order: NoduleNetwork.backwardOrder)
        if configuration.reduction == .tree && communicator.size > 1 && reduction.overlap != configuration.overlap {
            report(.warning("overlap is off: MPI lets no second thread in (MPI_THREAD_SERIALIZED)"))
        }
        // Only now is it sure that there will be a run: what refuses to start leaves no trace.
        guard isRoot else { return }
        try run.create()
        try run.prepareHeartbeats()
        log = try RunRecorder(
            run, keepingUpTo: step, owesValidation: owesValidation, configuration: configuration.yaml())
        writer = CheckpointWriter(run, keep: configuration.keepCheckpoints, count: momentum.count)
        try AtomicFile.write(configuration.yaml(), to: run.configurationPath)
    }

    /// Steps of an epoch of this run.
    public var stepsPerEpoch: Int { configuration.stepsPerEpoch ?? loader.stepsPerEpoch }
    /// Steps of the whole run.
    public var totalSteps: Int { configuration.epochs * stepsPerEpoch }
    public var completedSteps: Int { step }
    /// The replicas of this rank.
    var replicas: Range<Int> { reduction.replicas }
    public var validationCount: Int { validation.count }
    private var epoch: Int { step / stepsPerEpoch + 1 }

    // MARK: - The run

    func trainSteps() throws -> Outcome {
        // The sampler's epochs go on through ours, whatever their length.
        let (epochsDone, stepInEpoch) = step.quotientAndRemainder(dividingBy: loader.stepsPerEpoch)
        loader.start(epoch: epochsDone + 1, step: stepInEpoch)
        if owesValidation {
            if try !validate(epoch: step / stepsPerEpoch) { return .stopped }
            if step == totalSteps { try save() }
        }
        while step < totalSteps {
            let epoch = epoch
            let shouldStop = try takeStep(epoch: epoch)
            if step % stepsPerEpoch == 0 {
                report(.epoch(try logEpoch(.train, epoch, epochTerms, parts: epochSteps)))
                if let notice = plateau.observe(epochTerms, steps: epochSteps) { report(.warning(notice)) }
                epochTerms = LossTerms()
                epochSteps = 0
                let isEvaluated = evaluation != nil && configuration.evaluates(epoch: epoch)
                owesValidation = validation.count > 0 || isEvaluated
                let isLast = step == totalSteps
                // What may become the best must be there to be marked.
                if isLast || isEvaluated || epoch % configuration.checkpointEveryEpochs == 0 || shouldStop
                    || isIntervalStep
                {
                    try save()
                }
                if shouldStop { return isLast && !owesValidation ? .finished : .stopped }
                if try !validate(epoch: epoch) { return .stopped }
                // Nobody resumes a finished run to validate it again.
                if isLast { try save() }
            } else if shouldStop || isIntervalStep {
                try save()
                if shouldStop { return .stopped }
            }
        }
        return .finished
    }

    private var isIntervalStep: Bool {
        configuration.checkpointEverySteps.map { step % $0 == 0 } ?? false
    }

    /// One step. Returns whether some rank was asked to stop.
    private func takeStep(epoch: Int) throws -> Bool {
        network.engine.spans?.setStep(step + 1)
        let start = ContinuousClock.now
        try settleCheckpoints(waiting: false)
        let waitedBefore = loader.waitSeconds
        var batches = try during(.load) { try reduction.replicas.map { _ in try loader.next() } }
        if isSpoilt(.nan) { batches[0].input.values[0] = .nan }
        let counts = batches.map { DetectionLoss.counts(labels: $0.labels, mining: true) }.reduce(LossCounts(), +)
        var sums = [counts.positives, counts.negatives, StopRequest.isMade ? 1 : 0]
        let sharesWork = workExchange.isDue(step: step)
        if sharesWork { sums += workExchange.slots(whereabouts.takeSeconds()) }
        let beforeCounts = ContinuousClock.now
        try during(.counts) { try communicator.sum(&sums) }
        let countsSeconds = (ContinuousClock.now - beforeCounts) / .seconds(1)
        if sharesWork { try judgeWork(sums[3...], epoch: epoch) }
        let normalizers = LossCounts(positives: sums[0], negatives: sums[1])

        for (replica, batch) in zip(reduction.replicas, batches) {
            reduction.add(reporting: { addReplica(replica, batch, normalizers, into: $0, finished: $1) })
        }
        let beforeReduction = ContinuousClock.now
        let sum = try during(.reduce) { try whereabouts.meeting { try reduction.finish() } }
        let reduceSeconds = (ContinuousClock.now - beforeReduction) / .seconds(1)
        let updating = begin(.update)
        let rate = configuration.learningRate(step: step, stepsPerEpoch: stepsPerEpoch)
        let norm = gradientNorm(sum)
        if norm.isFinite { update(sum, rate: rate) }
        if isSpoilt(.flip) { flipBit() }
        updating.end()
        let tail = NoduleNetwork.parameters.count + NoduleNetwork.statistics.count
        let terms = LossTerms(vector: sum[tail...].map(Double.init))
        if norm.isFinite {
            epochTerms = epochTerms + terms
            epochSteps += 1
        }
        let skippedSeries = try countSkipped(norm, batches: batches, normalizers: normalizers)
        step += 1
        whereabouts.finish(step: step)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let record = StepRecord(
            epoch: epoch, step: step, learningRate: rate, terms: terms, gradientNorm: norm, skipped: !norm.isFinite,
            skippedSeries: skippedSeries, seconds: seconds, dataSeconds: loader.waitSeconds - waitedBefore,
            reduceSeconds: reduceSeconds, workSeconds: seconds - countsSeconds - reduceSeconds,
            patchesPerSecond: Double(configuration.replicas * configuration.microBatch) / seconds)
        try log?.append(record)
        report(.step(record, ofSteps: totalSteps))
        if step % Self.agreementInterval == 0 { try agree() }
        return sums[2] > 0
    }

    /// Writes a replica's vector: gradients, batch statistics, loss terms.
    func addReplica(
        _ replica: Int, _ batch: MicroBatch, _ normalizers: LossCounts, into vector: UnsafeMutableBufferPointer<Float>,
        finished: @escaping (Range<Int>) -> Void = { _ in }
    ) {
        let generator = CounterGenerator(
            seed: UInt64(bitPattern: Int64(configuration.seed)), purpose: "dropout", UInt64(step), UInt64(replica))
        let forward = begin(.forward)
        let output = network.forward(
            state, input: batch.input, coord: batch.coord,
            mode: .training(dropout: configuration.dropout, generator: generator))
        let (terms, gradient) = DetectionLoss.evaluate(
            output: output, labels: batch.labels, mining: true, normalizers: normalizers,
            regressionWeight: configuration.regressionWeight)
        forward.end()
        let count = NoduleNetwork.parameters.count
        for (index, value) in network.batchStatistics.enumerated() { vector[count + index] = value }
        let tail = count + NoduleNetwork.statistics.count
        for (index, value) in terms.vector.enumerated() { vector[tail + index] = Float(value) }
        finished(count..<vector.count)
        let backward = begin(.backward)
        network.backward(
            state, outputGradient: gradient, gradients: UnsafeMutableBufferPointer(rebasing: vector[0..<count]),
            finished: finished)
        backward.end()
    }

    /// The Euclidean norm of the gradient; not finite where any gradient or statistic is not.
    private func gradientNorm(_ sum: UnsafeMutableBufferPointer<Float>) -> Double {
        var total = 0.0
        for index in 0..<NoduleNetwork.parameters.count { total += Double(sum[index]) * Double(sum[index]) }
        for index in NoduleNetwork.parameters.count..<sum.count where !sum[index].isFinite { return .nan }
        return total.squareRoot()
    }

    private func update(_ sum: UnsafeMutableBufferPointer<Float>, rate: Double) {
        guard let gradients = sum.baseAddress else { return }
        network.engine.descend(
            parameters: &state.parameters, momentum: &momentum, gradients: gradients, learningRate: Float(rate),
            momentumFactor: Float(configuration.momentum), weightDecay: Float(configuration.weightDecay))
        let share = 1 / Float(configuration.replicas)
        let kept = NoduleNetwork.statisticsMomentum
        for index in state.statistics.indices {
            let mean = sum[NoduleNetwork.parameters.count + index] * share
            state.statistics[index] = (1 - kept) * state.statistics[index] + kept * mean
        }
    }

    func logEpoch(_ phase: EpochRecord.Phase, _ epoch: Int, _ terms: LossTerms, parts: Int) throws
        -> EpochRecord
    {
        let record = EpochRecord(phase, epoch: epoch, step: step, terms: terms, parts: parts)
        try log?.append(record)
        return record
    }

    // MARK: - Agreement and checkpoints

    /// Gives every rank rank 0's state, and checks that they were to train the same.
    private func synchronizeStart() throws {
        var digest = Digest()
        digest.add(configuration.yaml())
        digest.add(Int(truncatingIfNeeded: dataDigest.value))
        digest.add(step)
        try Agreement.check(digest, of: "the configuration, the data set or the checkpoint", communicator)
        func broadcast(_ values: inout [Float]) throws {
            try values.withUnsafeMutableBytes { try communicator.broadcast($0, from: 0) }
        }
        try broadcast(&state.parameters)
        try broadcast(&state.statistics)
        try broadcast(&momentum)
        try agree()
    }

    private func agree() throws {
        guard communicator.size > 1 else { return }
        let span = begin(.agreement)
        defer { span.end() }
        var digest = Digest()
        for values in [state.parameters, state.statistics, momentum] { digest.addStrands(values) }
        try Agreement.check(
            digest, of: "the network's state at step \(step)", communicator, remedy: Agreement.badMemory)
    }

    /// Has a checkpoint written, once all ranks agree on what is in it; training goes on meanwhile.
    func save() throws {
        try agree()
        let span = begin(.checkpoint)
        defer { span.end() }
        guard let writer else { return }
        try settleCheckpoints(waiting: true)
        try writer.submit(
            Checkpoint(
                epoch: epoch, step: step, seed: configuration.seed, configuration: configuration.yaml(), state: state,
                momentum: momentum, owesValidation: owesValidation, epochTerms: epochTerms.vector,
                epochSteps: epochSteps, best: best, dataDigest: dataDigest.text, arithmetic: arithmetic))
    }

    /// Tells of the checkpoints that have become durable.
    ///
    /// - Parameter waiting: Whether to wait for the one that is being written.
    /// - Throws: `FileError` where one could not be written.
    func settleCheckpoints(waiting: Bool) throws {
        for path in try writer?.finished(waiting: waiting) ?? [] { report(.checkpoint(path: path)) }
    }

    // MARK: - Faults that tests ask for

    private func isSpoilt(_ kind: FaultInjection.Kind) -> Bool {
        FaultInjection.current?.spoils(kind, rank: communicator.rank, step: step + 1) ?? false
    }

    private func flipBit() {
        let index = state.parameters.count / 2
        state.parameters[index] = Float(bitPattern: state.parameters[index].bitPattern ^ 1 << 20)
    }
}
