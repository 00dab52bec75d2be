// The surroundings of the steps: phases that others can see, the threads that watch, the comparison of the ranks' work.

import Basics
import Compute
import FileIO
import Foundation
import MPI
import Networks
import Runs

extension Trainer {
    /// Trains until the last epoch is done or a stop is requested. The last checkpoint is on the disk when it returns.
    ///
    /// - Throws: `InputError` where a patch is damaged, `DivergenceError`, `DisagreementError`, `FileError`,
    ///   `MPIError`.
    public func train() throws -> Outcome {
        hosts = try communicator.gather(text: communicator.hostName)
        try log?.append(
            StartRecord(
                step: completedSteps, hosts: hosts, threads: network.engine.pool.threads,
                replicas: configuration.replicas, microBatch: configuration.microBatch,
                reducedBytes: configuration.reducedBytes, localSteps: configuration.localSteps,
                sites: configuration.sites, arithmetic: arithmetic))
        let spans = network.engine.spans
        whereabouts.spans = spans
        let alignment = try spans.map { log in try ClockAlignment(communicator) { Int(log.now) } }
        let monitor = RankMonitor(
            RankMonitor.Identity(
                rank: communicator.rank, ranks: communicator.size, host: communicator.hostName,
                firstStep: completedSteps, steps: totalSteps),
            run: run, whereabouts: whereabouts, alarm: alarm(leaving: loneTimeline(since: alignment)))
        do {
            let outcome = try trainSteps()
            let span = begin(.checkpoint)
            try settleCheckpoints(waiting: true)
            // No rank says that it is done before the last checkpoint is on the disk.
            try communicator.barrier()
            span.end()
            if let alignment { try writeTimeline(since: alignment) }
            monitor.finish(outcome == .finished ? .finished : .stopped)
            return outcome
        } catch {
            // A checkpoint under way is good: it is of a step before the fault. Where all ranks have failed alike, they
            // wait for it.
            try? settleCheckpoints(waiting: true)
            let isOfAll = (error as? DivergenceError)?.isOfAllRanks ?? (error is DisagreementError)
            if isOfAll { try? communicator.barrier() }
            if let alignment { leaveTimeline(since: alignment, error, isOfAll: isOfAll) }
            monitor.finish(.failed, failure: "\(error)")
            throw error
        }
    }

    /// Begins a phase, which lasts until the next one; its span in the timeline lasts until its `end`.
    func begin(_ phase: TrainingPhase) -> OpenSpan {
        whereabouts.enter(phase)
        let span = network.engine.begin(phase.rawValue)
        // Between steps the step before counts.
        FaultInjection.current?.pass(
            .training(phase), rank: communicator.rank, step: completedSteps + (phase.isOfAStep ? 1 : 0))
        return span
    }

    /// Runs `body` as a phase.
    func during<Result>(_ phase: TrainingPhase, _ body: () throws -> Result) rethrows -> Result {
        let span = begin(phase)
        defer { span.end() }
        return try body()
    }

    /// Reports which rank worked longest in the last steps, and warns where the others waited for it.
    ///
    /// - Parameter slots: The slots of `WorkExchange`, summed over the ranks.
    func judgeWork(_ slots: some Collection<Int>, epoch: Int) throws {
        let (shares, steps) = workExchange.shares(slots, step: completedSteps)
        guard let log else { return }
        let record = RanksRecord(shares, steps: steps, epoch: epoch, step: completedSteps) { hosts[$0] }
        try log.append(record)
        guard shares.straggler != nil else { return }
        func text(_ seconds: Double) -> String { String(format: seconds < 10 ? "%.2f s" : "%.1f s", seconds) }
        let data =
            record.slowestDataSeconds > 0.1 * record.maximumSeconds
            ? ", \(text(record.slowestDataSeconds)) of it waiting for data" : ""
        let share = Int((100 * (record.maximumSeconds / record.medianSeconds - 1)).rounded())
        report(
            .warning(
                "rank \(record.slowestRank) on \(record.slowestHost) holds the others up: in the last \(steps) steps "
                    + "it worked \(text(record.maximumSeconds)) a step\(data), the median is "
                    + "\(text(record.medianSeconds)) (+\(share) %)"))
    }
}
