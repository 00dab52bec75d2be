import FileIO
import Foundation
import TestSupport
import Testing

/// Jobs that lose a rank, their launcher, a bit or a step: each ends with the documented status within some seconds,
/// leaves no process, and resumed it ends with the bits of a run that nothing happened to.
@Suite(.runsPrograms) struct LostRankTests {
    /// In an order in which each can still come about after those before it.
    private static let kills = [
        "rank=0:step=1:phase=update", "rank=1:step=3:phase=load", "rank=0:step=3:phase=counts",
        "rank=1:step=3:phase=backward", "rank=0:step=4:phase=forward", "rank=0:step=4:phase=agreement",
        "rank=1:step=4:phase=checkpoint", "rank=1:step=5:phase=reduce", "rank=0:step=6:phase=write",
    ]

    /// A run whose ranks are killed at every place of a step, one after the other, at last rank 0 in the midst of
    /// writing a checkpoint.
    @Test func killedRank() throws {
        try withDisturbedRun { run in
            for fault in Self.kills {
                let job = try mpirun(ranks: 2, limit: 60, fault: "kill:\(fault)", run.train() + ["--resume"])
                #expect(job.status == 128 + SIGKILL, "\(fault): \(job.diagnosis)")
                #expect(job.diagnosis.contains("damaged on purpose (kill:\(fault))"))
                try run.expectNobodyLeft()
            }
            // Half a file under another name; the one before is there.
            #expect(run.hasCheckpoint(4))
            #expect(String(decoding: try FileContent.bytes(run.latest), as: UTF8.self) == "step-00000004.h5\n")
            try run.expectResumption()
        }
    }

    /// mpirun killed while a rank sleeps: the ranks notice, and end.
    @Test func killedLauncher() throws {
        try withDisturbedRun { run in
            let job = try mpirun(ranks: 2, fault: "hang:rank=1:step=5:phase=backward", run.train()) { job in
                job.wait { run.hasCheckpoint(4) }
                job.send(SIGKILL)
            }
            #expect(job.status == SIGKILL)
            try run.expectNobodyLeft()
            try run.expectResumption()
        }
    }

    /// One rank asked to end: all end with a checkpoint of the same step, the one that begins next at the latest.
    @Test(arguments: [("term", "load", 3), ("usr1", "forward", 4)])
    func stoppedWithinAStep(_ signal: String, _ phase: String, _ step: Int) throws {
        try withDisturbedRun { run in
            let job = try mpirun(ranks: 2, limit: 60, fault: "\(signal):rank=1:step=3:phase=\(phase)", run.train())
            #expect(job.status == 75, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("stopped as asked after step \(step)"), "\(job.diagnosis)")
            #expect(run.hasCheckpoint(step))
            #expect(!run.hasCheckpoint(step + 1))
            try run.expectNobodyLeft()
            try run.expectResumption()
        }
    }

    /// A bit that changes in one rank's memory gets into no checkpoint. All ranks know of it, and write the timeline.
    @Test(arguments: [0, 1]) func flippedBit(rank: Int) throws {
        try withDisturbedRun { run in
            let path = "\(run.path).json"
            let job = try mpirun(
                ranks: 2, limit: 60, fault: "flip:rank=\(rank):step=3", run.train() + ["--timeline", path])
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("state at step 4 differs between rank 0 and rank 1"), "\(job.diagnosis)")
            #expect(!run.hasCheckpoint(4))
            let trace = try Timeline(path)
            #expect(Set(trace.traceEvents.filter { $0.name == "agreement" }.map(\.pid)) == [0, 1])
            #expect(trace.otherData.failure?.contains("state at step 4 differs") == true)
            try run.expectNobodyLeft()
            try run.expectResumption()
        }
    }

    /// The newest checkpoint damaged on the disk: the one before is taken, and the damaged one named.
    @Test func damagedCheckpoint() throws {
        try withDisturbedRun { run in
            let killed = try mpirun(ranks: 2, limit: 60, fault: "kill:rank=0:step=6:phase=write", run.train())
            #expect(killed.status == 128 + SIGKILL, "\(killed.diagnosis)")
            for isCutOff in [true, false] {
                let copy = run.moved(to: run.path + (isCutOff ? "-cut" : "-flipped"))
                try FileManager.default.copyItem(atPath: run.path, toPath: copy.path)
                let newest = copy.checkpoint(4)
                var bytes = try FileContent.bytes(newest)
                if isCutOff { bytes.removeLast(bytes.count / 2) } else { bytes[bytes.count / 3] ^= 0x20 }
                try AtomicFile.write(bytes, to: newest)
                let said = try copy.expectResumption()
                #expect(said.contains("step-00000004.h5") && said.contains("going back to the one before"), "\(said)")
                #expect(said.contains("after step 2"), "\(said)")
            }
        }
    }

    private struct Step: Decodable {
        var step: Int
        var skipped: Bool?
        var skipped_series: [String]?
    }

    /// Crops that give no finite gradient on one rank: all ranks leave out the step, the log and the warning name the
    /// scan, and the run goes on; whichever rank it was.
    @Test func notANumber() throws {
        var ends: [Data] = []
        for (ranks, fault, culprit) in [(2, "rank=1", "replica 1 (rank 1)"), (1, "rank=0", "replica 0 (rank 0)")] {
            try withDisturbedRun { run in
                let job = try mpirun(ranks: ranks, limit: 60, fault: "nan:\(fault):step=3", run.train())
                #expect(job.status == 0, "\(job.diagnosis)")
                let steps = try run.lines("step", as: Step.self)
                #expect(steps.map(\.skipped) == [false, false, true, false, false, false])
                let series = try #require(steps[2].skipped_series)
                #expect(series.count == 1)
                #expect(job.diagnosis.contains("\(culprit) with crops of \(series[0])"), "\(job.diagnosis)")
                ends.append(try run.bytes(step: 6))
            }
        }
        #expect(ends[0] == ends[1])
        #expect(try ends[0] != UndisturbedRun.short.get().bytes(step: 6))
    }
}
