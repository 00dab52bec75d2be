// The timeline of a run: how much of it is kept, and who writes it when the run ends, whichever way.

import Basics
import Compute
import Foundation
import MPI
import Networks
import Runs

extension Trainer {
    /// Spans that a job keeps at most, and a rank.
    private static let mostSpans = (job: 1 << 24, rank: 1 << 19)
    /// Seconds that a rank which ends a stalled job gives the file system.
    private static let patience = 5.0

    private static func spanLimit(ranks: Int) -> Int { max(1000, min(mostSpans.rank, mostSpans.job / ranks)) }

    static func spanLog(ranks: Int) -> SpanLog { SpanLog(limit: spanLimit(ranks: ranks)) }

    /// Bytes that keeping and writing a timeline takes of a rank at most.
    public static func timelineBytes(ranks: Int) -> Int { TraceFile.bytes(limit: spanLimit(ranks: ranks)) }

    /// Has rank 0 write the timeline of all ranks, which all call it; where it cannot, it says so.
    ///
    /// - Parameter failure: What ended the run, where it was an error.
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

    /// Writes what there is of the timeline after an error, which stays the one that counts.
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

    /// What this rank can write by itself, where a timeline is kept.
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
            // The file system may be what does not answer.
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
