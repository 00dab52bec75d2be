import Detection
import FileIO
import Learning
import Networks
import Runs

/// The state that a run begins with: new weights, or the content of its newest good checkpoint.
struct StartingPoint {
    /// The network; with local steps the one that all sites share.
    var state: NetworkState
    /// The state of the optimiser that updates it.
    var optimizer: OptimizerState
    /// The running mean of the weights, where one is kept.
    var average: WeightsAverage?
    /// The sites of this rank; without local steps there is one.
    var sites: [Site]
    /// Whether all sites begin with the shared network.
    var isShared = true
    /// Completed steps.
    var step = 0
    var owesValidation = false
    var best: BestResult?
    /// The digest of the checkpoint, which includes the own states of other ranks' sites.
    var digest = Digest()

    /// Reads the newest good checkpoint, or makes new weights where there is none.
    ///
    /// - Throws: `InputError` where `initial_weights` are not as expected, or the run or its checkpoint does not fit.
    static func load(
        _ setting: Trainer.Setting, _ layout: SiteLayout, report: (TrainingEvent) -> Void
    ) throws -> StartingPoint {
        if setting.resume {
            let newest = try setting.run.newestCheckpoint { report(.warning("\($0); going back to the one before")) }
            if let newest { return try load(newest.checkpoint, at: newest.path, setting, layout, report: report) }
        }
        let state = try setting.configuration.initialState()
        let configuration = setting.configuration
        let own = configuration.makeOptimizer().makeState(configuration.network)
        return StartingPoint(
            state: state,
            optimizer: configuration.localSteps == nil ? own : OuterUpdate.makeState(configuration.network),
            average: configuration.ema == nil ? nil : WeightsAverage(state),
            sites: layout.own.map { Site(index: $0, state: state, optimizer: own) })
    }

    private static func load(
        _ checkpoint: Checkpoint, at path: String, _ setting: Trainer.Setting, _ layout: SiteLayout,
        report: (TrainingEvent) -> Void
    ) throws -> StartingPoint {
        let (run, configuration) = (setting.run, setting.configuration)
        guard checkpoint.dataDigest == setting.dataDigest.text else {
            throw InputError(
                setting.dataPath, "is not the data set that \(run.path) was started with",
                remedy: "resume with that one, or start another run")
        }
        if checkpoint.arithmetic != setting.arithmetic {
            report(
                .warning(
                    "the run was started with \(checkpoint.arithmetic), now it is \(setting.arithmetic): "
                        + "from here on its bits are others"))
        }
        let saved = try TrainingConfiguration.parse(checkpoint.configuration, file: run.configurationPath)
        if let key = configuration.firstDifference(from: saved) {
            throw InputError(
                run.path, at: key, "differs from the configuration that the run was started with",
                remedy: "resume with the run's config.yaml, or start another run")
        }
        let expected = (sites: configuration.sites, own: configuration.localSteps == nil ? 0 : configuration.sites)
        guard checkpoint.sites.count == expected.own, checkpoint.epochSteps.count == expected.sites,
            checkpoint.epochTerms.count == expected.sites * LossTerms.vectorCount, checkpoint.step >= 0,
            checkpoint.epochSteps.allSatisfy({ 0...checkpoint.step ~= $0 })
        else { throw InputError(path, "its steps or sites are not those of its configuration") }
        let slots = configuration.makeOptimizer().slots
        let outerSlots = configuration.localSteps == nil ? slots : OuterUpdate.slots
        guard checkpoint.state.architecture == configuration.network, checkpoint.optimizer.names == outerSlots,
            checkpoint.sites.allSatisfy({ $0.optimizer.names == slots }),
            (checkpoint.average == nil) == (configuration.ema == nil)
        else { throw InputError(path, "its network or optimiser is not that of its configuration") }

        var point = StartingPoint(
            state: checkpoint.state, optimizer: checkpoint.optimizer, average: checkpoint.average, sites: [],
            step: checkpoint.step, owesValidation: checkpoint.owesValidation, best: checkpoint.best)
        for index in layout.own {
            let own = checkpoint.sites.isEmpty ? nil : checkpoint.sites[index]
            let site = Site(
                index: index, state: own?.state ?? checkpoint.state,
                optimizer: own?.optimizer ?? checkpoint.optimizer)
            let terms = checkpoint.epochTerms.dropFirst(index * LossTerms.vectorCount).prefix(LossTerms.vectorCount)
            site.epochTerms = LossTerms(vector: Array(terms))
            site.epochSteps = checkpoint.epochSteps[index]
            point.sites.append(site)
        }
        point.isShared = checkpoint.sites.allSatisfy { $0.state == nil }
        point.digest = checkpoint.digest()
        report(.resumed(from: run.path, epoch: checkpoint.epoch, step: checkpoint.step))
        return point
    }
}
