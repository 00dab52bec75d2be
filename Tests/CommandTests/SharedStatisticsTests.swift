import Foundation
import TestSupport
import Testing

/// Training with `synchronized_batch_norm`, whose replicas share the statistics of a step's batch.
@Suite(.runsPrograms) struct SharedStatisticsTests {
    private struct Step: Decodable {
        var skipped: Bool?
        var skipped_series: [String]?
    }

    private func withSharing(_ body: (_ run: TinyRun, _ alone: TinyRun) throws -> Void) throws {
        let alone = try UndisturbedRun.shared.get()
        try withTinyRuns(UndisturbedRun.sharedSettings) { try body($0.run(), alone) }
    }

    /// The last checkpoint has the same numbers as that of one rank, also after a stop and a resumption on other ranks
    /// and threads; and others than without the key.
    @Test func sameBitsOnAnyRanksAndAfterAStop() throws {
        try withSharing { run, alone in
            let truth = try alone.content(step: 3)
            let stopped = try mpirun(ranks: 4, fault: "term:rank=1:step=1:phase=backward", run.train())
            #expect(stopped.status == 75, "\(stopped.diagnosis)")
            #expect(run.hasCheckpoint(2) && !run.hasCheckpoint(3))
            let changed = try luna(run.resume("synchronized_batch_norm=false"))
            #expect(changed.status == 65 && changed.diagnosis.contains("synchronized_batch_norm"))
            // Two threads for each replica.
            let resumed = try mpirun(ranks: 2, run.resume("threads=4"))
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(try run.content(step: 3) == truth)
            let own = try UndisturbedRun.oneEpoch("float32").content(step: 3)
            #expect(own != truth)
        }
    }

    /// Replicas share with those of their site: both sites on one rank, or two ranks for each.
    @Test func sitesShareByThemselves() throws {
        try withTinyRuns(UndisturbedRun.sharedSettings) { runs in
            var ends: [Data] = []
            for ranks in [1, 4] {
                let run = runs.run("ranks\(ranks)")
                let job = try mpirun(ranks: ranks, run.train("sites=2", "local_steps=2", "steps_per_epoch=2"))
                #expect(job.status == 0, "\(job.diagnosis)")
                ends.append(try run.bytes(step: 2))
            }
            #expect(ends[0] == ends[1])
        }
    }

    /// A crop that is not a number spoils all replicas: the log names them all, and the run goes on.
    @Test func notANumberInOneReplica() throws {
        try withSharing { run, _ in
            let job = try mpirun(ranks: 2, fault: "nan:rank=1:step=2", run.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            let steps = try run.lines("step", as: Step.self)
            #expect(steps.map(\.skipped) == [false, true, false])
            #expect(steps[1].skipped_series?.count == 4)
            for replica in 0..<4 {
                #expect(job.diagnosis.contains("replica \(replica) (rank \(replica / 2)) with crops of"))
            }
            #expect(job.diagnosis.contains("they share batch statistics"), "\(job.diagnosis)")
        }
    }

    /// A rank that waits for the others' sums is seen to wait, and the one that hangs is named.
    @Test func aRankThatHangsIsNamed() throws {
        try withSharing { run, _ in
            let job = try mpirun(
                ranks: 2, limit: 120, fault: "hang:rank=1:step=2:phase=backward",
                run.train("stall_warning_seconds=1", "stall_limit_seconds=4"))
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("rank 1 on") && job.diagnosis.contains("1 of 2 ranks wait"))
            #expect(job.diagnosis.contains("backward"), "\(job.diagnosis)")
        }
    }
}
