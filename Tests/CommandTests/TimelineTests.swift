import FileIO
import Foundation
import TestSupport
import Testing

/// The timeline of jobs that end well, are stopped, or fail.
@Suite(.runsPrograms) struct TimelineTests {
    /// The timeline of two ranks: every part of every step, layers by name, and reductions at the same time.
    @Test func timeline() throws {
        try withTinyRuns(["epochs": "1", "steps_per_epoch": "6", "threads": "1"]) { runs in
            let path = "\(runs.directory)/timeline.json"
            let job = try mpirun(ranks: 2, runs.run().train() + ["--timeline", path])
            #expect(job.status == 0, "\(job.diagnosis)")
            let trace = try Timeline(path)
            let processes = trace.traceEvents.filter { $0.name == "process_name" }.map { $0.args?.name ?? "" }
            #expect(processes.count == 2 && processes[1].hasPrefix("rank 1 on "))
            let spans = trace.spans
            let tolerance = (trace.otherData.clock_error_us.max() ?? 0) + 0.001
            for step in 1...6 {
                for rank in 0...1 {
                    let names = spans.filter { $0.pid == rank && $0.tid == 0 && $0.args?.step == step }.map(\.name)
                    #expect(names.count { $0 == "forward" } == 2 && names.count { $0 == "backward" } == 2)
                    for name in [
                        "load", "counts", "reduce", "update", "preBlock", "forw1.0", "forw1.0.conv1",
                        "forw1.0.shortcut.0",
                        "back2.2.bn2", "back2.2 gradient", "forw4.1.conv2 weights gradient",
                        "forw4.1.conv2 data gradient", "path1.0", "output", "preBlock.0 gradient",
                    ] { #expect(names.contains(name), "rank \(rank), step \(step): \(name)") }
                }
                let reductions = spans.filter { $0.name == "reduce" && $0.args?.step == step }
                #expect(reductions.count == 2)
                let (begin, end) = (reductions.map(\.begin).max() ?? 0, reductions.map(\.end).min() ?? 0)
                #expect(begin <= end + tolerance, "step \(step)")
            }
            for (rank, name) in [
                (0, "checkpoint"), (0, "validation"), (1, "validation"), (1, "micro-batch"), (0, "bucket 1 collected"),
                (1, "bucket 2 shared"),
            ] {
                #expect(spans.contains { $0.pid == rank && $0.name == name }, "\(name)")
            }
            let writes = spans.filter { $0.name == "write checkpoint" }
            #expect(writes.map(\.pid) == [0, 0, 0, 0] && writes.compactMap { $0.args?.step } == [2, 4, 6, 6])
            #expect(Set(writes.map(\.tid)).count == 1)
            let other = runs.run("b")
            let wrong = try luna(other.train() + ["--timeline", "\(runs.directory)/none/a.json"])
            #expect(wrong.status == 74 && wrong.diagnosis.contains("no directory"), "\(wrong.diagnosis)")
            #expect(!FileContent.isDirectory(other.path))
        }
    }

    /// A run that is asked to stop writes its timeline, too.
    @Test func timelineOfAStoppedRun() throws {
        try withTinyRuns { runs in
            let (run, path) = (runs.run(), "\(runs.directory)/timeline.json")
            let job = try mpirun(ranks: 2, run.train("epochs=5000", "threads=1") + ["--timeline", path]) { job in
                job.wait { FileContent.size(run.metrics) ?? 0 > 1000 }
                job.send(SIGUSR1)
            }
            #expect(job.status == 75, "\(job.diagnosis)")
            #expect(Set(try Timeline(path).spans.map(\.pid)) == [0, 1])
            let after = try run.status()
            #expect(after.state == "stopped" && after.ranks.count == 2)
        }
    }

    /// Where all ranks fail alike, the timeline has all of them, and the failure is still known afterwards. Steps
    /// without a finite gradient change nothing, on all ranks alike, and end the run when they do not end.
    @Test(arguments: [1, 2]) func divergedRun(_ ranks: Int) throws {
        try withTinyRuns(["replicas": "2", "epochs": "1", "steps_per_epoch": "20"]) { runs in
            let (run, path) = (runs.run("wild"), "\(runs.directory)/timeline.json")
            let job = try mpirun(
                ranks: ranks, limit: 60, run.train("learning_rate=1e30", "threads=1") + ["--timeline", path])
            #expect(job.status == 70 && job.diagnosis.contains("lower learning_rate"), "\(job.diagnosis)")
            let lines = try run.lines("step")
            #expect(lines.first?.contains("\"skipped\":false") == true)
            #expect(lines.dropFirst().allSatisfy { $0.contains("\"skipped\":true") } && lines.count > 5)

            let trace = try Timeline(path)
            #expect(trace.otherData.failure?.contains("lower learning_rate") == true)
            let updates = trace.traceEvents.filter { $0.name == "update" }
            for rank in 0..<ranks { #expect(updates.count { $0.pid == rank } > 10) }
            #expect(try FileContent.names(inDirectory: runs.directory).allSatisfy { !$0.contains("-rank") })

            #expect(try run.status().state == "failed")
            let text = try luna("status", run.path)
            #expect(
                text.output.contains("failed: rank \(ranks == 1 ? "0 on " : "")")
                    && text.output.contains("lower learning_rate"))
        }
    }

    /// A rank that fails by itself writes its own part, and waits for nobody: the other may do the same a moment later,
    /// or be ended meanwhile.
    @Test func timelineOfARankThatFails() throws {
        try withTinyRuns { runs in
            var run = runs.run()
            run.data = "\(runs.directory)/copy"
            // Among the patches, which are read when their turn comes.
            try runs.tiny.copyPatches(to: run.data, damagedUpTo: 0.75)
            let job = try mpirun(
                ranks: 2, limit: 60, run.train("threads=1") + ["--timeline", "\(runs.directory)/timeline.json"])
            #expect(job.status == 65, "\(job.diagnosis)")
            let names = try FileContent.names(inDirectory: runs.directory)
            let parts = [0, 1].filter { names.contains("timeline-rank\($0).json") }
            #expect(!parts.isEmpty && !names.contains("timeline.json"))
            for rank in parts {
                let trace = try Timeline("\(runs.directory)/timeline-rank\(rank).json")
                #expect(trace.otherData.failure?.contains("\(run.data)/shards/fold") == true)
                #expect(trace.spans.contains { $0.name == "load" })
                #expect(Set(trace.traceEvents.map(\.pid)) == [rank])
            }
            #expect(job.diagnosis.contains(".json is the timeline of this rank alone"), "\(job.diagnosis)")
        }
    }

    /// A timeline that cannot be written costs a finished run nothing but a warning: its directory has gone meanwhile,
    /// or has no room.
    @Test(arguments: SmallFileSystem.isPermitted ? [false, true] : [false])
    func timelineWithoutAPlace(isFull: Bool) throws {
        try withTinyRuns(["replicas": "2", "epochs": "1"]) { runs in
            let (run, place) = (runs.run(), "\(runs.directory)/place")
            try FileContent.makeDirectory(place)
            let small = isFull ? try SmallFileSystem(at: place, bytes: 1 << 16) : nil
            let arguments = run.train("threads=1") + ["--timeline", "\(place)/timeline.json"]
            let job = try mpirun(ranks: 2, limit: 60, arguments) { job in
                guard !isFull else { return }
                job.wait { FileContent.size("\(run.path)/config.yaml") != nil }
                rmdir(place)
            }
            #expect(job.status == 0, "\(job.diagnosis)")
            let told = job.diagnosis.split(separator: "\n").filter { $0.contains("there is no timeline") }
            #expect(told.count == 1 && told[0].hasPrefix("warning: \(place)/timeline.json: cannot"), "\(job.diagnosis)")
            #expect(run.hasCheckpoint(3))
            #expect(try luna("status", run.path).output.contains("finished"))
            if isFull { #expect(try FileContent.names(inDirectory: place).isEmpty) }
            withExtendedLifetime(small) {}
        }
    }
}
