import FileIO
import Foundation
import TestSupport
import Testing

/// The report that a run gives of itself while it goes on, or does not.
@Suite(.runsPrograms) struct StatusTests {
    /// Whether a process is gone, or will be in a moment.
    private func isGone(_ pid: Int32) -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            if status?.contains(") Z") ?? true { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    /// A rank that is stopped is named by the others, and the job is ended: also where it is rank 0.
    @Test(arguments: [0, 1]) func stoppedRankIsNamedAndTheJobEnds(_ rank: Int) throws {
        try withTinyRuns { runs in
            let run = runs.run()
            var stopped: Int32?
            let arguments =
                run.train(
                    "epochs=5000", "checkpoint_every_steps=500", "checkpoint_every_epochs=500", "threads=1",
                    "validation_fold=null", "stall_warning_seconds=2", "stall_limit_seconds=8")
                + ["--timeline", "\(runs.directory)/timeline.json"]
            let job = try mpirun(ranks: 2, arguments) { job in
                job.wait { run.heartbeat(of: rank)?.step ?? 0 >= 2 }
                stopped = run.heartbeat(of: rank)?.pid
                #expect((try? run.status())?.state == "running")
                if let stopped { kill(stopped, SIGSTOP) }
            }
            #expect(job.status == 70, "\(job.diagnosis)")
            let lines = job.diagnosis.split(separator: "\n")
            let named = lines.filter { $0.contains("rank \(rank) on") && $0.contains("no sign of life") }
            // Where the other rank is itself slow to its wait, that ends a first stall, and the second is named, too.
            #expect(named.contains { $0.contains("warning: nothing got done for") }, "\(job.diagnosis)")
            #expect(named.count { $0.contains("given up (stall_limit_seconds)") } == 1, "\(job.diagnosis)")
            #expect(isGone(try #require(stopped)))
            let part = try Timeline("\(runs.directory)/timeline-rank\(1 - rank).json")
            #expect(part.otherData.failure?.hasPrefix("given up: nothing got done") == true)
            #expect(Set(part.traceEvents.map(\.pid)) == [1 - rank])
            // The wait that never ended.
            let open = part.traceEvents.filter { $0.name.hasSuffix(", not over") }
            #expect(open.count == 1 && (open[0].dur ?? 0) > 5e6, "\(open)")
            let after = try luna("status", run.path)
            #expect(after.status == 0 && after.output.contains("failed: rank \(1 - rank) on"), "\(after.output)")
            #expect(after.output.contains("given up: nothing got done"), "\(after.output)")
        }
    }

    /// A rank that works longer than the others is named with its host, and logged.
    @Test func slowRankIsNamed() throws {
        try withTinyRuns { runs in
            let run = runs.run()
            let job = try mpirun(
                ranks: 2, fault: "slow:rank=1:phase=forward:seconds=1.2",
                run.train("replicas=2", "epochs=4", "steps_per_epoch=6", "validation_fold=null", "threads=1"))
            #expect(job.status == 0, "\(job.diagnosis)")
            let warnings = job.diagnosis.split(separator: "\n").filter { $0.contains("holds the others up") }
            #expect(warnings.count == 1 && warnings[0].contains("rank 1 on "), "\(job.diagnosis)")
            struct Line: Decodable {
                var step, steps, slowest_rank: Int?
                var median_seconds, maximum_seconds: Double?
            }
            let lines = try run.lines("ranks", as: Line.self)
            let line = try #require(lines.first)
            #expect(lines.count == 1 && line.step == 20 && line.steps == 20 && line.slowest_rank == 1)
            #expect(line.maximum_seconds ?? 0 > 1.2)
            let text = try luna("status", run.path)
            #expect(text.output.contains("finished") && text.output.contains("slowest: rank 1 on"), "\(text.output)")
            let status = try run.status()
            #expect(status.state == "finished" && status.step == 24 && status.steps == 24)
            #expect(status.ranks.map(\.rank) == [0, 1])
            let none = try luna("status", "\(runs.directory)/none")
            #expect(none.status == 65 && none.diagnosis.contains("no such directory"))
            let wrong = try luna("status", "\(run.path)/ranks")
            #expect(wrong.status == 65 && wrong.diagnosis.contains("holds no run"))
        }
    }
}
