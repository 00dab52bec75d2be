// The synchronous step of a site: every replica's gradient, summed in the tree's order, one update, the same on all of
// its ranks.

import Basics
import Compute
import Detection
import Exchange
import Learning
import MPI
import Networks
import PatchData
import Runs

extension Trainer {
    /// The outcome of a site's step.
    struct StepResult {
        var terms: LossTerms
        /// The Euclidean norm of the gradient; not finite where the step was left out.
        var gradientNorm: Double
        /// The series whose crops gave the step no finite gradient.
        var skippedSeries: [String]
        /// The sum of the words of all ranks of the site.
        var word: [Int]
        /// Seconds of waiting for the counts that scale the loss, and for batch statistics where replicas share them.
        var countsSeconds: Double
        /// Seconds of waiting for the gradients' sum.
        var reduceSeconds: Double
    }

    /// This rank's replicas of a site, in the whole job.
    func replicas(of site: Site) -> [Int] { reduction.replicas.map { site.index * layout.replicasPerSite + $0 } }

    /// A step of one site, with its next batches.
    ///
    /// - Parameters:
    ///   - word: Returns the rank's word; it is called once the crops are there.
    ///   - meanwhile: A function to call now and then during the step.
    func takeStep(
        of site: Site, rate: Double, word: () -> [Int], meanwhile: @escaping () -> Void
    ) throws -> StepResult {
        let replicas = replicas(of: site)
        var batches = try during(.load) { try replicas.map { _ in try loader.next() } }
        if isSpoilt(.nan), site === sites[0] { batches[0].input.values[0] = .nan }
        let counts = batches.map { learner.recipe.counts(labels: $0.labels, mode: .training) }.reduce(LossCounts(), +)
        var sums = [counts.positives, counts.negatives] + word()
        let beforeCounts = ContinuousClock.now
        try during(.counts) { try siteRanks.sum(&sums) }
        var countsSeconds = (ContinuousClock.now - beforeCounts) / .seconds(1)
        let normalizers = LossCounts(positives: sums[0], negatives: sums[1])

        if let team {
            countsSeconds += try writeReplicas(
                of: team, replicas, batches, normalizers, state: site.state, meanwhile: meanwhile)
            for vector in team.vectors { reduction.add { _ = $0.update(fromContentsOf: vector.buffer) } }
        } else {
            for (replica, batch) in zip(replicas, batches) {
                reduction.add(reporting: { vector, finished in
                    writeReplica(replica, batch, normalizers, state: site.state, into: vector) { range in
                        finished(range)
                        meanwhile()
                    }
                })
            }
        }
        let beforeReduction = ContinuousClock.now
        let sum = try during(.reduce) { try whereabouts.meeting { try reduction.finish() } }
        let reduceSeconds = (ContinuousClock.now - beforeReduction) / .seconds(1)
        let updating = begin(.update)
        let norm = learner.gradientNorm(sum)
        if norm.isFinite {
            learner.update(
                &site.state, &site.optimizer, sum: sum, gradientNorm: norm, replicas: layout.replicasPerSite,
                learningRate: rate)
            if let decay = configuration.ema {
                average?.follow(site.state, decay: decay, engine: network.engine)
            }
        }
        if isSpoilt(.flip), site === sites[0] { flipBit(of: site) }
        updating.end()
        let terms = learner.terms(sum)
        if norm.isFinite {
            site.epochTerms = site.epochTerms + terms
            site.epochSteps += 1
        }
        return StepResult(
            terms: terms, gradientNorm: norm,
            skippedSeries: try countSkipped(site, norm, batches: batches, normalizers: normalizers),
            word: Array(sums[2...]), countsSeconds: countsSeconds, reduceSeconds: reduceSeconds)
    }

    /// Writes the vector of a replica: gradients, batch statistics, loss terms.
    ///
    /// - Parameters:
    ///   - learner: The learner that computes it; nil for the trainer's own.
    ///   - isObserved: Whether its parts are phases of this rank: not in a thread beside the one that trains.
    func writeReplica(
        _ replica: Int, _ batch: MicroBatch, _ normalizers: LossCounts, state: NetworkState,
        by learner: Learner? = nil, isObserved: Bool = true, into vector: UnsafeMutableBufferPointer<Float>,
        finished: @escaping (Range<Int>) -> Void = { _ in }
    ) {
        let generator = CounterGenerator(
            seed: UInt64(bitPattern: Int64(configuration.seed)), purpose: "dropout", UInt64(completedSteps),
            UInt64(replica))
        var span: OpenSpan?
        (learner ?? self.learner).writeReplica(
            TrainingBatch(input: batch.input, coord: batch.coord, labels: batch.labels), state: state,
            normalizers: normalizers, generator: generator, into: vector, finished: finished
        ) { part in
            guard isObserved else { return }
            switch part {
            case .forward: span = begin(.forward)
            case .loss: break
            case .backward:
                span?.end()
                span = begin(.backward)
            }
        }
        span?.end()
    }

    // MARK: - Faults that tests ask for

    private func isSpoilt(_ kind: FaultInjection.Kind) -> Bool {
        FaultInjection.current?.spoils(kind, rank: communicator.rank, step: completedSteps + 1) ?? false
    }

    private func flipBit(of site: Site) {
        let index = site.state.parameters.count / 2
        let bits = site.state.parameters[index].bitPattern
        site.state.parameters[index] = Float(bitPattern: bits ^ 1 << 20)
    }
}
