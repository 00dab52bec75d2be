// A run: its steps, the outer updates of local steps, what follows epochs, and when it stops.

import Basics
import Compute
import Detection
import Exchange
import FileIO
import Learning
import MPI
import Networks
import PatchData
import Runs

/// A run of training on this rank's replicas, together with the other ranks.
public final class Trainer {
    /// The configuration of the run.
    public let configuration: TrainingConfiguration
    let communicator: any Communicator
    let layout: SiteLayout
    /// The ranks of this rank's site; without local steps all ranks.
    let siteRanks: any Communicator
    let whereabouts: Whereabouts
    let alarm: RankMonitor.Alarm
    /// The path of the timeline's file; nil where none is kept.
    let timeline: String?
    var workExchange: WorkExchange
    /// The names of the hosts, by rank.
    var hosts: [String]
    let loader: TrainingLoader
    let validation: ValidationSet
    let evaluation: FoldEvaluation?
    let network: Network
    let learner: Learner
    /// The sum over the replicas of a site.
    let reduction: GradientReduction
    /// This rank's replicas of a site, where they share batch statistics and so run side by side; nil where they run
    /// one after another.
    let team: ReplicaTeam?
    let run: RunDirectory
    /// The run's records, on rank 0 only.
    private(set) var log: RunRecorder?
    /// The writer of checkpoints, on rank 0 only.
    private(set) var writer: CheckpointWriter?
    let report: (TrainingEvent) -> Void
    let dataDigest: Digest
    let arithmetic: String

    /// The sites of this rank.
    let sites: [Site]
    /// The network that sites share, with local steps only.
    private(set) var outer: OuterUpdate?
    /// The running mean of the weights, where one is kept; the same on all ranks.
    var average: WeightsAverage?
    private(set) var step = 0
    /// Whether the validation after `step` is still to come.
    var owesValidation = false
    var best: BestResult?
    /// The messages about this rank's sites that rank 0 has yet to report.
    var notices: [String] = []
    private var plateau = PlateauWatch()

    /// The number of steps between checks that all ranks of a site hold the same.
    static let agreementInterval = 100

    /// The way in which a run ended.
    public enum Outcome: Sendable {
        /// All epochs are done.
        case finished
        /// A request ended the run; there is a checkpoint to resume from.
        case stopped
    }

    /// Prepares a run: reads the checkpoint or makes new weights, and checks that all ranks agree.
    ///
    /// - Throws: `UsageError` where the ranks do not fit the replicas; `InputError`, `FileError`, `MPIError`,
    ///   `DisagreementError`.
    public init(_ setting: Setting) throws {
        configuration = setting.configuration
        run = setting.run
        dataDigest = setting.dataDigest
        arithmetic = setting.arithmetic
        let whereabouts = Whereabouts()
        let communicator = ObservedCommunicator(
            setting.communicator, whereabouts, messageName: MessageTag.name)
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
        let layout = try SiteLayout(configuration, rank: communicator.rank, ranks: communicator.size)
        self.layout = layout
        loader = try TrainingLoader(
            source: setting.source, configuration: configuration.sampling, replicas: layout.ownReplicas,
            threads: setting.loaderThreads, name: setting.dataPath, spans: setting.engine.spans)
        validation = ValidationSet(source: setting.source, configuration: configuration.sampling)
        let evaluates = configuration.evaluateEveryEpochs != nil && !setting.heldOutVolumes.isEmpty
        evaluation = evaluates ? try FoldEvaluation(setting.heldOutVolumes) : nil
        network = Network(configuration.network, engine: setting.engine)
        learner = configuration.makeLearner(network)

        var start = try StartingPoint.load(setting, layout, report: report)
        sites = start.sites
        step = start.step
        owesValidation = start.owesValidation
        best = start.best
        whereabouts.finish(step: step)
        workExchange = WorkExchange(rank: communicator.rank, ranks: communicator.size, step: step)
        try evaluation?.check(Self.detector(configuration, network, start.average?.state ?? start.state))
        if configuration.evaluateEveryEpochs != nil && evaluation == nil {
            report(.warning("fold \(configuration.validationFold ?? 0) has no scans: there will be no evaluation"))
        }
        try communicator.releaseFromRoot()

        try Self.synchronize(&start, configuration, dataDigest, communicator)
        average = start.average
        let ranks = try layout.communicators(communicator)
        siteRanks = ranks.within
        reduction = try GradientReduction(
            mode: configuration.reduction, replicas: layout.replicasPerSite,
            count: configuration.reductionCount, communicator: ranks.within,
            exchange: configuration.gradientExchange, gradients: network.architecture.parameters.count)
        try reduction.connect(configuration.overlap, order: network.architecture.backwardOrder)
        if configuration.reduction == .tree && siteRanks.size > 1 && reduction.overlap != configuration.overlap {
            report(.warning("overlap is off: MPI lets no second thread in (MPI_THREAD_SERIALIZED)"))
        }
        team =
            configuration.synchronizedBatchNorm
            ? ReplicaTeam(configuration, replicas: reduction.replicas.count, first: learner) : nil
        if configuration.localSteps != nil {
            outer = try OuterUpdate(
                configuration, state: start.state, optimizer: start.optimizer, within: ranks.within,
                across: ranks.across)
        }
        try agree()
        if let limit = configuration.localSteps, limit > stepsPerEpoch {
            report(.warning("local_steps: \(limit), but rounds end with epochs, after \(stepsPerEpoch) steps"))
        }
        // Only now is it certain that there will be a run: one that refuses to start leaves no files.
        guard isRoot else { return }
        try run.create()
        try run.prepareHeartbeats()
        log = try RunRecorder(
            run, keepingUpTo: step, owesValidation: owesValidation, configuration: configuration.yaml())
        writer = CheckpointWriter(
            run, keep: configuration.keepCheckpoints, count: network.architecture.parameters.count,
            slots: start.optimizer.slots.count, averages: start.average != nil, spans: setting.engine.spans)
        try AtomicFile.write(configuration.yaml(), to: run.configurationPath)
    }

    /// The number of steps of an epoch of this run.
    public var stepsPerEpoch: Int { configuration.stepsPerEpoch ?? loader.stepsPerEpoch }
    /// The number of steps of the whole run.
    public var totalSteps: Int { configuration.epochs * stepsPerEpoch }
    /// The number of completed steps, those before a resumption included.
    public var completedSteps: Int { step }
    /// The number of held-out crops.
    public var validationCount: Int { validation.count }
    /// The epoch of the next step, from 1.
    var epoch: Int { step / stepsPerEpoch + 1 }

    /// The network as the last update left it, the same on all ranks: with local steps, the last outer one.
    var state: NetworkState { outer?.state ?? sites[0].state }
    /// The network that is validated, kept as the best, and searched with: the mean of the weights where one is kept.
    var resultingState: NetworkState { average?.state ?? state }
    /// The state of the optimiser that updates it.
    var optimizer: OptimizerState { outer?.optimizer ?? sites[0].optimizer }

    // MARK: - The run

    func trainSteps() throws -> Outcome {
        // The sampler counts epochs of its own, whatever the length of the run's.
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
                try closeEpoch(epoch)
                let isEvaluated = evaluation != nil && configuration.evaluates(epoch: epoch)
                owesValidation = validation.count > 0 || isEvaluated
                let isLast = step == totalSteps
                // A state that may become the best needs a checkpoint that can be marked.
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

    /// Whether the sites share what they have learnt after this step. An epoch's end also ends a round, since what
    /// follows it needs one network. The rounds of an epoch are as equal as possible, so that none is short, and at
    /// most `local_steps` long.
    var isRoundEnd: Bool {
        guard let limit = configuration.localSteps else { return false }
        let length = stepsPerEpoch
        let rounds = (length + limit - 1) / limit
        let stepInEpoch = (step + length - 1) % length + 1
        return stepInEpoch * rounds / length > (stepInEpoch - 1) * rounds / length
    }

    /// Takes one step of all sites, and ends the round if it is its last. Returns whether some rank was asked to stop.
    private func takeStep(epoch: Int) throws -> Bool {
        network.engine.spans?.setStep(step + 1)
        let start = ContinuousClock.now
        try settleCheckpoints(waiting: false)
        let waitedBefore = loader.waitSeconds
        let rate = configuration.learningRate(step: step, stepsPerEpoch: stepsPerEpoch)
        let isOneSite = configuration.sites == 1
        // Among sites the words travel during the step: its end waits only for ranks that have not begun it.
        let pending = isOneSite ? nil : try communicator.startSum(word())
        // In sites of several ranks the exchange of gradients calls MPI often enough.
        let moves = siteRanks.size == 1
        let results = try sites.map { site in
            try takeStep(
                of: site, rate: rate, word: { isOneSite ? word() : [] },
                meanwhile: { if moves { try? pending?.advance() } })
        }
        let beforeSum = ContinuousClock.now
        let words = try pending.map { sum in try during(.counts) { try sum.wait() } } ?? results[0].word
        let sumSeconds = (ContinuousClock.now - beforeSum) / .seconds(1)
        if words.count > 1 { try judgeWork(words[1...], epoch: epoch) }
        step += 1
        whereabouts.finish(step: step)
        let outerSeconds = isRoundEnd ? try endRound(epoch: epoch) : 0
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let reduceSeconds = results.map(\.reduceSeconds).reduce(outerSeconds, +)
        let record = StepRecord(
            epoch: epoch, step: step, learningRate: rate, terms: results[0].terms,
            gradientNorm: results[0].gradientNorm, skippedSeries: results[0].skippedSeries, seconds: seconds,
            dataSeconds: loader.waitSeconds - waitedBefore, reduceSeconds: reduceSeconds,
            workSeconds: results.map(\.countsSeconds).reduce(seconds - reduceSeconds - sumSeconds, -),
            patchesPerSecond: Double(configuration.replicas * configuration.microBatch) / seconds)
        try log?.append(record)
        report(.step(record, ofSteps: totalSteps))
        let isChecked = outer == nil || layout.ranksPerSite > 1
        if isChecked && step % Self.agreementInterval == 0 { try agree() }
        return words[0] > 0
    }

    /// The word of this rank to all others, which it gives at every step: whether it is asked to stop, and now and then
    /// its work.
    private func word() -> [Int] {
        let work = workExchange.isDue(step: step) ? workExchange.slots(whereabouts.takeSeconds()) : []
        return [StopRequest.isMade ? 1 : 0] + work
    }

    /// Has all sites share what they have learnt, and returns how many seconds that took.
    private func endRound(epoch: Int) throws -> Double {
        guard let outer else { return 0 }
        // A flipped bit would be in every site's network afterwards.
        try agree()
        let start = ContinuousClock.now
        let outcome = try during(.outer) { try whereabouts.meeting { try outer.apply(to: sites) } }
        guard outcome.meanNorm.isFinite else {
            throw DivergenceError(
                description: "the outer update after step \(step) is not finite: lower learning_rate or "
                    + "outer_learning_rate, or start from an earlier checkpoint", isOfAllRanks: true)
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try log?.append(
            RoundRecord(
                epoch: epoch, step: step, meanNorm: outcome.meanNorm, siteNorm: outcome.siteNorm, seconds: seconds,
                exchangedBytes: OuterUpdate.exchangedBytes(configuration)))
        try passOnNotices()
        return seconds
    }

    /// Logs an epoch of all sites' steps.
    private func closeEpoch(_ epoch: Int) throws {
        let (terms, steps) = try gatherEpoch()
        let parts = steps.reduce(0, +)
        let sum = terms.reduce(LossTerms(), +)
        let skipped = stepsPerEpoch * steps.count - parts
        report(.epoch(try logEpoch(.train, epoch, sum, parts: parts, skipped: skipped)))
        if parts == 0 {
            let text = "every step of epoch \(epoch) was left out: nothing was learnt, and there is no loss"
            report(.warning(text))
            try log?.append(NoticeRecord(step: step, text: text))
        }
        if let notice = plateau.observe(sum, steps: parts) { report(.warning(notice)) }
        for site in sites {
            site.epochTerms = LossTerms()
            site.epochSteps = 0
        }
    }

    func logEpoch(
        _ phase: EpochRecord.Phase, _ epoch: Int, _ terms: LossTerms, parts: Int, skipped: Int = 0
    ) throws -> EpochRecord {
        let record = EpochRecord(phase, epoch: epoch, step: step, terms: terms, parts: parts, skipped: skipped)
        try log?.append(record)
        return record
    }
}
