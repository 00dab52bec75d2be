// Replicas that share the statistics of batch normalisation: a layer needs the sums of all before any can go on, so
// that a rank's replicas run side by side.

import Basics
import Compute
import Detection
import Exchange
import Learning
import MPI
import Networks
import PatchData
import Runs

/// This rank's replicas of a site, each with a network and a vector of its own.
///
/// They share the rank's threads. The gradients are those of the whole step's batch: those of a replica's parameters
/// are its part of them, which the reduction adds up as ever.
final class ReplicaTeam {
    let learners: [Learner]
    let vectors: [VectorStorage]
    let lockstep: Lockstep

    /// - Parameter first: The trainer's learner, which is the team where there is one replica only.
    init(_ configuration: TrainingConfiguration, replicas: Int, first: Learner) {
        let engine = first.network.engine
        let lockstep = Lockstep(replicas: replicas)
        let threads = max(1, engine.pool.threads / replicas)
        learners = (0..<replicas).map { place in
            var learner = first
            if replicas > 1 {
                let own = Engine(pool: ThreadPool(threads: threads), instructionSet: engine.instructionSet)
                // One thread is the one that trains, and a timeline follows it alone.
                if place == 0 { own.spans = engine.spans }
                learner = configuration.makeLearner(Network(configuration.network, engine: own))
            }
            learner.network.engine.sumOverReplicas = { lockstep.sum($0, of: place) }
            return learner
        }
        vectors = (0..<replicas).map { _ in VectorStorage(first.layout.count) }
        self.lockstep = lockstep
    }
}

extension Trainer {
    /// Writes the vectors of a team's replicas, together with the other ranks of the site.
    ///
    /// - Parameter meanwhile: A function to call now and then, on the thread that trains.
    /// - Returns: Seconds of waiting for other ranks.
    /// - Throws: `MPIError`.
    func writeReplicas(
        of team: ReplicaTeam, _ replicas: [Int], _ batches: [MicroBatch], _ normalizers: LossCounts,
        state: NetworkState, meanwhile: @escaping () -> Void
    ) throws -> Double {
        var waiting = 0.0
        let gather: Lockstep.Gathering = { [self] bytes in
            let start = ContinuousClock.now
            // The pass goes on afterwards.
            let phase = whereabouts.place.phase
            defer {
                whereabouts.enter(phase)
                waiting += (ContinuousClock.now - start) / .seconds(1)
            }
            return try during(.statistics) { try siteRanks.gather(bytes) }
        }
        try team.lockstep.run(gather: siteRanks.size > 1 ? gather : nil) { [self] place in
            let isObserved = place == 0
            writeReplica(
                replicas[place], batches[place], normalizers, state: state, by: team.learners[place],
                isObserved: isObserved, into: team.vectors[place].buffer
            ) { _ in if isObserved { meanwhile() } }
        }
        return waiting
    }
}
