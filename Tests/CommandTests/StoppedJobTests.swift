import FileIO
import Foundation
import TestSupport
import Testing

/// The fate of jobs whose launcher stands still or whose disk is full.
@Suite(.runsPrograms) struct StoppedJobTests {
    /// A launcher that stands still stops no rank: they train to the end, or to the step after which one of them was
    /// asked to stop, and then wait for it.
    @Test(arguments: [false, true]) func stoppedLauncher(ranksAreAskedToEnd: Bool) throws {
        try withDisturbedRun { run in
            let job = try mpirun(ranks: 2, fault: "slow:rank=1:phase=forward:seconds=0.5", run.train()) { job in
                job.wait { run.hasCheckpoint(2) }
                guard let rank = run.heartbeat(of: 1)?.pid, let launcher = Self.parent(of: rank) else {
                    Issue.record("the ranks cannot be found")
                    return
                }
                kill(launcher, SIGSTOP)
                defer { kill(launcher, SIGCONT) }
                if ranksAreAskedToEnd { kill(rank, SIGTERM) }
                let end = ranksAreAskedToEnd ? "stopped" : "finished"
                let deadline = ContinuousClock.now + .seconds(60)
                var states: [String?] = []
                repeat {
                    Thread.sleep(forTimeInterval: 0.02)
                    states = [0, 1].map { run.heartbeat(of: $0)?.state }
                } while states.contains { $0 == nil || $0 == "running" } && ContinuousClock.now < deadline
                #expect(states == [end, end])
                let status = try? String(contentsOfFile: "/proc/\(launcher)/status", encoding: .utf8)
                #expect(status?.contains("State:\tT") == true)
            }
            #expect(job.status == (ranksAreAskedToEnd ? 75 : 0), "\(job.diagnosis)")
            try run.expectNobodyLeft()
            if ranksAreAskedToEnd {
                try run.expectResumption()
            } else {
                let truth = try UndisturbedRun.short.get()
                #expect(try run.bytes(step: 6) == truth.bytes(step: 6))
            }
        }
    }

    private static func parent(of process: Int32) -> Int32? {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        return status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            .flatMap { Int32($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) }
    }

    /// A file system without room for the second checkpoint: the job ends before a third, the first is good, and with
    /// more room the run goes on to the same bits.
    @Test(.enabled(if: SmallFileSystem.isPermitted)) func fullFileSystem() throws {
        try withDisturbedRun { run in
            try FileContent.makeDirectory(run.checkpoints)
            let small = try SmallFileSystem(at: run.checkpoints, bytes: 70 << 20)
            let job = try mpirun(ranks: 2, limit: 60, run.train())
            #expect(job.status == 74, "\(job.diagnosis)")
            let line = job.diagnosis.split(separator: "\n").first { $0.hasPrefix("luna: ") }
            #expect(line?.contains("\(run.checkpoint(4)): cannot") == true, "\(job.diagnosis)")
            #expect(try FileContent.names(inDirectory: run.checkpoints) == ["latest", "step-00000002.h5"])
            try run.expectNobodyLeft()
            try small.grow(to: 300 << 20)
            let said = try run.expectResumption()
            #expect(said.contains("after step 2"), "\(said)")
        }
    }

    /// A checkpoint that does not fit: the system's reason, nothing half-written, and the run can go on.
    @Test func fullDisk() throws {
        try withTinyRuns { runs in
            let run = runs.run("full")
            let full = try luna(run.train("epochs=1"), fileLimit: 40_000)
            #expect(full.status == 74, "\(full.diagnosis)")
            #expect(full.diagnosis.contains("\(run.checkpoint(2)): cannot"), "\(full.diagnosis)")
            #expect(try FileContent.names(inDirectory: run.checkpoints).isEmpty)
            let resumed = try luna(run.resume())
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(run.hasCheckpoint(3))
        }
    }
}
