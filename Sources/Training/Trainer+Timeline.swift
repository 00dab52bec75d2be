// The timeline of a run: how much of it is kept, and who writes it, however the run ends.

import Basics
import Compute
import Foundation
import MPI
import Networks
import Runs

extension Trainer {
    /// The most spans that a job keeps, and the most that a rank keeps.
    private static let mostSpans = (job: 1 << 24, rank: 1 << 19)
    /// Seconds that a rank gives the file system when it ends a stalled job.
    private static let patience = 5.0

    private static func spanLimit(ranks: Int) -> Int { max(1000, min(mostSpans.rank, mostSpans.job / ranks)) }

    static func spanLog(ranks: Int) -> SpanLog { SpanLog(limit: spanLimit(ranks: ranks)) }

    /// The most memory that a rank takes to keep and write a timeline, in bytes.
    public static func timelineBytes(ranks: Int) -> Int { TraceFile.bytes(limit: spanLimit(ranks: ranks)) }

    /// Has rank 0 write the timeline of all ranks, and report where it cannot. Collective.
    ///
    /// - Parameter failure: The error that ended the run, if one did.
    /// - Throws: `MPIError`.
    func writeTimeline(since begin: ClockAlignment, failure: (any Error)? = nil) throws {
        guard let log = network.engine.spans, let timeline else { return }
        _ = self.begin(.timeline)
        let outcome = try TraceFile.write(
            log, begin, failure: failure.map { "\($0)" }, to: timeline, communicator)
        if let refusal = outcome.refusal {
            report(.warning("\(refusal): there is no timeline"))
        } else if outcome.omitted > 0 {
            report(
                .warning(
                    "\(timeline) ends early: a rank keeps \(log.limit) spans, \(outcome.omitted) more are left out"))
        }
    }

    /// Writes as much of the timeline as possible after an error; that error remains the one to be reported.
    ///
    /// - Parameter isOfAll: Whether all ranks have failed alike. Otherwise the others may wait for this one somewhere
    ///   else: it writes its own part.
    func leaveTimeline(since begin: ClockAlignment, _ error: any Error, isOfAll: Bool) {
        if isOfAll && communicator.size > 1 {
            do { try writeTimeline(since: begin, failure: error) } catch {
                report(.warning("\(error): there is no timeline"))
            }
            return
        }
        guard let part = loneTimeline(since: begin) else { return }
        _ = self.begin(.timeline)
        guard let text = part.write(failure: "\(error)") else { return }
        if communicator.rank == 0 { report(.warning(text)) } else { alarm.warn(text) }
    }

    /// The timeline that this rank can write by itself, where one is kept.
    func loneTimeline(since begin: ClockAlignment?) -> LoneTimeline? {
        guard let log = network.engine.spans, let timeline, let begin else { return nil }
        return LoneTimeline(
            log: log, begin: begin, path: timeline, rank: communicator.rank, ranks: communicator.size,
            host: communicator.hostName)
    }

    /// The alarm, which leaves this rank's part of the timeline where it ends the job.
    func alarm(leaving part: LoneTimeline?) -> RankMonitor.Alarm {
        var alarm = self.alarm
        guard let part else { return alarm }
        alarm.end = { [warn = alarm.warn, end = alarm.end, whereabouts] text in
            // Perhaps it is the file system that does not answer.
            let isDone = DispatchSemaphore(value: 0)
            Thread {
                part.write(failure: "given up: \(text)", hangingAt: whereabouts.place).map(warn)
                isDone.signal()
            }.start()
            _ = isDone.wait(timeout: .now() + Trainer.patience)
            end(text)
        }
        return alarm
    }
}
