// A rank's threads beside the one that trains: one writes heartbeats and reads those of others, one raises the alarm.
// There are two because a file system that does not answer, a common reason for a stall, holds up the first. Neither
// calls MPI.

import Foundation
import Runs
import Synchronization

/// The watch over a rank: it tells others where the rank is, and notices when nothing goes on.
final class RankMonitor: Sendable {
    /// The description of a rank that does not change while it trains.
    struct Identity: Sendable {
        var rank: Int
        var ranks: Int
        var host: String
        var firstStep: Int
        var steps: Int
    }

    /// The reaction to a stall. Its functions are called on a thread of their own.
    struct Alarm: Sendable {
        /// Seconds without progress until a warning; nil: there is none.
        var warning: Double?
        /// Seconds without progress until the process ends; nil: it never does.
        var limit: Double?
        var warn: @Sendable (String) -> Void
        /// Ends the process.
        var end: @Sendable (String) -> Void
    }

    private struct State {
        var heartbeat: Heartbeat
        /// The time without progress of this rank.
        var idle = Stillness()
        /// The view of other ranks, while this one makes no progress.
        var sightings: [Int: Sighting] = [:]
        /// The number of times that the files were written and read.
        var rounds = 0
    }

    /// Seconds without progress after which a rank looks at others; half of the time to the first alarm, if that is
    /// less.
    private static let suspicion = 10.0

    private let run: RunDirectory
    private let whereabouts: Whereabouts
    private let alarm: Alarm
    private let interval: Double
    private let state: Mutex<State>
    private let ending = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the threads.
    init(_ identity: Identity, run: RunDirectory, whereabouts: Whereabouts, alarm: Alarm) {
        self.run = run
        self.whereabouts = whereabouts
        self.alarm = alarm
        interval = Heartbeat.interval(ranks: identity.ranks)
        let now = Date().timeIntervalSince1970
        state = Mutex(
            State(
                heartbeat: Heartbeat(
                    rank: identity.rank, ranks: identity.ranks, host: identity.host, pid: getpid(), phase: .start,
                    phaseBegan: now, step: identity.firstStep, firstStep: identity.firstStep, steps: identity.steps,
                    started: now, time: now, interval: interval, beat: 0, collectives: 0, isWaiting: false, idle: 0)))
        let works: [(String, @Sendable () -> Void)] = [
            ("heartbeat", { self.beatUntilEnd() }), ("watch", { self.watchUntilEnd() }),
        ]
        for (name, work) in works {
            let thread = Thread(block: work)
            thread.name = name
            thread.start()
        }
    }

    /// Ends the threads and leaves a last heartbeat.
    func finish(_ final: Heartbeat.State, failure: String? = nil) {
        mark(final, failure)
        for _ in 0..<2 { ending.signal() }
        // Not forever: the file system may not answer.
        for _ in 0..<2 { _ = ended.wait(timeout: .now() + 5) }
    }

    private func mark(_ final: Heartbeat.State, _ failure: String?) {
        state.withLock {
            $0.heartbeat.state = final
            $0.heartbeat.failure = failure
        }
    }

    private func isEnding(after seconds: Double) -> Bool { ending.wait(timeout: .now() + seconds) == .success }

    // MARK: - Heartbeats

    private func beatUntilEnd() {
        defer { ended.signal() }
        repeat {
            // A run goes on without heartbeats where they cannot be written.
            try? run.write(current(isNext: true))
            observe()
            state.withLock { $0.rounds += 1 }
        } while !isEnding(after: interval)
        try? run.write(current(isNext: true))
    }

    /// The heartbeat of this rank as of now.
    private func current(isNext: Bool) -> Heartbeat {
        let place = whereabouts.place
        let age = (ContinuousClock.now - place.phaseBegan) / .seconds(1)
        return state.withLock {
            $0.heartbeat.time = Date().timeIntervalSince1970
            $0.heartbeat.phase = place.phase
            $0.heartbeat.phaseBegan = $0.heartbeat.time - age
            $0.heartbeat.step = place.step
            $0.heartbeat.collectives = place.entered
            $0.heartbeat.isWaiting = place.isWaiting
            $0.heartbeat.idle = $0.idle.seconds
            if isNext { $0.heartbeat.beat += 1 }
            return $0.heartbeat
        }
    }

    /// Looks at other ranks' files while this one makes no progress: from the lowest up to the first that waits and is
    /// alive, since that rank has to report a stall; only it reads them all.
    ///
    /// A healthy job reads nothing. The price: a process that stands still (SIGSTOP, a dead host) is first looked at
    /// after `suspicion`, and its silence counts from then on, so that the job ends up to so much later than the limit.
    private func observe() {
        guard let first = [alarm.warning, alarm.limit].compactMap(\.self).min() else { return }
        let suspicion = min(Self.suspicion, first / 2)
        let (idle, own, before) = state.withLock { ($0.idle.seconds, $0.heartbeat, $0.sightings) }
        var sightings: [Int: Sighting] = [:]
        if idle >= suspicion {
            for rank in 0..<own.ranks where rank != own.rank {
                var sighting = before[rank] ?? Sighting()
                sighting.heartbeat = run.heartbeat(rank: rank)
                sighting.stillness.look(at: sighting.heartbeat?.beat ?? 0, now: .now, interval: interval)
                sightings[rank] = sighting
                if rank < own.rank && !sighting.isSilent && sighting.heartbeat?.isWaiting == true { break }
            }
        }
        state.withLock { $0.sightings = sightings }
    }

    // MARK: - The alarm

    private func watchUntilEnd() {
        defer { ended.signal() }
        var judge = StallAlarm(warning: alarm.warning, limit: alarm.limit)
        let tick = min(1, min(alarm.warning ?? .infinity, alarm.limit ?? .infinity) / 4)
        var rounds = Stillness()
        while !isEnding(after: tick) {
            let now = ContinuousClock.now
            let progress = whereabouts.place.progress
            state.withLock { $0.idle.look(at: progress, now: now, interval: tick) }
            let heartbeat = current(isNext: false)
            var sightings = state.withLock { $0.sightings }
            rounds.look(at: state.withLock { $0.rounds }, now: now, interval: tick)
            sightings[heartbeat.rank] = Sighting(heartbeat: heartbeat)
            let isBlind = rounds.seconds > 2 * Heartbeat.patience * interval
            if isBlind {
                // The sightings are old: rank 0 says so, whoever else may still see.
                guard heartbeat.rank == 0 else { continue }
                // Until the files failed to answer, others may have been at work.
                var own = heartbeat
                own.idle = min(own.idle, rounds.seconds)
                sightings = [0: Sighting(heartbeat: own)]
            }
            // Without a look at the others, which comes after a while, there is nothing to judge.
            guard isBlind || heartbeat.ranks == 1 || sightings.count > 1 || heartbeat.idle == 0 else { continue }
            let blindness = isBlind ? "; \(run.path)/ranks cannot be read: its file system does not answer" : ""
            switch judge.judge(StallJudgement(sightings: sightings), rank: heartbeat.rank) {
            case .none: break
            case .warn(let text): alarm.warn(text + blindness)
            case .relieve: alarm.warn("it goes on, at step \(heartbeat.step + 1)")
            case .end(let text):
                mark(.failed, "given up: \(text)")
                // The other thread writes the last heartbeat, if it still can, and ends.
                ending.signal()
                _ = ended.wait(timeout: .now() + 2)
                alarm.end(text + blindness)
            }
        }
    }
}
