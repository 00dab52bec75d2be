import FileIO
import Foundation
import Testing

/// What a run tells of itself while it goes on, or does not.
extension TrainingCommandTests {
    private struct Status: Decodable {
        struct Rank: Decodable {
            var rank: Int
            var pid: Int32
            var state: String
        }
        var state: String
        var step: Int
        var steps: Int?
        var ranks: [Rank]
    }

    private func status(_ run: String) throws -> Status {
        let job = try LunaProcess("status", run, "--json")
        #expect(job.status == 0, "\(job.diagnosis)")
        return try JSONDecoder().decode(Status.self, from: Data(job.output.utf8))
    }

    /// Waits until a rank has done some steps, and returns its process.
    func process(of rank: Int, in run: String, after step: Int) -> Int32? {
        struct Heartbeat: Decodable { var pid: Int32, step: Int }
        let path = "\(run)/ranks/000\(rank).json"
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let heartbeat = (try? FileContent.bytes(path)).flatMap {
                try? JSONDecoder().decode(Heartbeat.self, from: Data($0))
            }
            if let heartbeat, heartbeat.step >= step { return heartbeat.pid }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return nil
    }

    /// Whether a process is gone, or will be in a moment.
    private func isGone(_ pid: Int32) -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            if status?.contains(") Z") ?? true { return true }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return false
    }

    /// A rank that is stopped is named by the others, and the job is ended: also where it is rank 0.
    @Test(.timeLimit(.minutes(4)), arguments: [0, 1]) func stoppedRankIsNamedAndTheJobEnds(_ rank: Int) throws {
        try withRuns { data, directory, config in
            let run = "\(directory)/run"
            var stopped: Int32?
            let job = try MPIRun(
                ranks: 2,
                [
                    "train", "--data", data, "--run", run, "--config", config, "--set", "epochs=5000", "--set",
                    "checkpoint_every_steps=500", "--set", "checkpoint_every_epochs=500", "--set", "threads=1", "--set",
                    "validation_fold=null", "--set", "stall_warning_seconds=2", "--set", "stall_limit_seconds=12",
                    "--timeline", "\(directory)/timeline.json",
                ],
                meanwhile: {
                    stopped = process(of: rank, in: run, after: 2)
                    #expect((try? status(run))?.state == "running")
                    if let stopped { kill(stopped, SIGSTOP) }
                })
            #expect(job.status == 70, "\(job.diagnosis)")
            let lines = job.diagnosis.split(separator: "\n")
            let named = lines.filter { $0.contains("rank \(rank) on") && $0.contains("no sign of life") }
            #expect(named.count { $0.contains("warning: nothing got done for") } == 1, "\(job.diagnosis)")
            #expect(named.count { $0.contains("given up (stall_limit_seconds)") } == 1, "\(job.diagnosis)")
            #expect(isGone(try #require(stopped)))
            let part = try trace("\(directory)/timeline-rank\(1 - rank).json")
            #expect(part.otherData.failure?.hasPrefix("given up: nothing got done") == true)
            #expect(Set(part.traceEvents.map(\.pid)) == [1 - rank])
            // The wait that never ended.
            let open = part.traceEvents.filter { $0.name.hasSuffix(", not over") }
            #expect(open.count == 1 && (open[0].dur ?? 0) > 5e6, "\(open)")
            let after = try LunaProcess("status", run)
            #expect(after.status == 0 && after.output.contains("failed: rank \(1 - rank) on"), "\(after.output)")
            #expect(after.output.contains("given up: nothing got done"), "\(after.output)")
        }
    }

    /// What ended a run is still known afterwards.
    @Test(.timeLimit(.minutes(4))) func failureIsTold() throws {
        try withRuns { data, directory, config in
            let run = "\(directory)/wild"
            let job = try LunaProcess(
                "train", "--data", data, "--run", run, "--config", config, "--set", "learning_rate=1e30")
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(try status(run).state == "failed")
            let text = try LunaProcess("status", run)
            #expect(text.output.contains("failed: rank 0 on") && text.output.contains("lower learning_rate"))
        }
    }

    /// A rank that works longer than the others is named with its host, and logged.
    @Test(.timeLimit(.minutes(4))) func slowRankIsNamed() throws {
        try withRuns { data, directory, config in
            let run = "\(directory)/run"
            let job = try MPIRun(
                ranks: 2, environment: ["LUNA_FAULT": "slow:rank=1:phase=forward:seconds=0.4"],
                [
                    "train", "--data", data, "--run", run, "--config", config, "--set", "replicas=2", "--set",
                    "epochs=4", "--set", "validation_fold=null", "--set", "threads=1",
                ])
            #expect(job.status == 0, "\(job.diagnosis)")
            let warnings = job.diagnosis.split(separator: "\n").filter { $0.contains("holds the others up") }
            #expect(warnings.count == 1 && warnings[0].contains("rank 1 on "), "\(job.diagnosis)")
            struct Line: Decodable {
                var kind: String
                var step, steps, slowest_rank: Int?
                var median_seconds, maximum_seconds: Double?
            }
            let lines = String(decoding: try FileContent.bytes("\(run)/metrics.jsonl"), as: UTF8.self)
                .split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
                .filter { $0.kind == "ranks" }
            let line = try #require(lines.first)
            #expect(lines.count == 1 && line.step == 20 && line.steps == 20 && line.slowest_rank == 1)
            #expect(line.maximum_seconds ?? 0 > 0.4)
            let text = try LunaProcess("status", run)
            #expect(text.output.contains("finished") && text.output.contains("slowest: rank 1 on"), "\(text.output)")
            let status = try status(run)
            #expect(status.state == "finished" && status.step == 24 && status.steps == 24)
            #expect(status.ranks.map(\.rank) == [0, 1])
            let none = try LunaProcess("status", "\(directory)/none")
            #expect(none.status == 65 && none.diagnosis.contains("no such directory"))
            let wrong = try LunaProcess("status", "\(run)/ranks")
            #expect(wrong.status == 65 && wrong.diagnosis.contains("holds no run"))
        }
    }

    struct Trace: Decodable {
        struct Event: Decodable {
            struct Arguments: Decodable { var name: String?, step: Int? }
            var ph, name: String
            var pid, tid: Int
            var ts, dur: Double?
            var args: Arguments?
            var begin: Double { ts ?? .nan }
            var end: Double { begin + (dur ?? .nan) }
        }
        struct Other: Decodable {
            var clock_error_us: [Double]
            var failure: String?
        }
        var traceEvents: [Event]
        var otherData: Other
    }

    func trace(_ path: String) throws -> Trace {
        let trace = try JSONDecoder().decode(Trace.self, from: Data(try FileContent.bytes(path)))
        // Within a thread spans nest.
        let spans = trace.traceEvents.filter { $0.ph == "X" }
        for (_, thread) in Dictionary(grouping: spans, by: { [$0.pid, $0.tid] }) {
            var open: [Trace.Event] = []
            for span in thread.sorted(by: { ($0.begin, $1.end) < ($1.begin, $0.end) }) {
                while let last = open.last, last.end <= span.begin + 0.0005 { open.removeLast() }
                if let last = open.last { #expect(span.end <= last.end + 0.0005, "\(span) leaves \(last)") }
                open.append(span)
            }
        }
        return trace
    }

    /// The timeline of two ranks: every part of every step, layers by name, and reductions at the same time.
    @Test(.timeLimit(.minutes(4))) func timeline() throws {
        try withRuns { data, directory, config in
            let path = "\(directory)/timeline.json"
            let settings = ["--config", config, "--set", "epochs=1", "--set", "threads=1"]
            let job = try MPIRun(
                ranks: 2, ["train", "--data", data, "--run", "\(directory)/run", "--timeline", path] + settings)
            #expect(job.status == 0, "\(job.diagnosis)")
            let trace = try trace(path)
            let processes = trace.traceEvents.filter { $0.name == "process_name" }.map { $0.args?.name ?? "" }
            #expect(processes.count == 2 && processes[1].hasPrefix("rank 1 on "))
            let spans = trace.traceEvents.filter { $0.ph == "X" }
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
            let wrong = try LunaProcess(
                ["train", "--data", data, "--run", "\(directory)/b", "--timeline", "\(directory)/none/a.json"]
                    + settings)
            #expect(wrong.status == 74 && wrong.diagnosis.contains("no directory"), "\(wrong.diagnosis)")
            #expect(!FileContent.isDirectory("\(directory)/b"))
        }
    }

    /// A run that is asked to stop writes its timeline, too.
    @Test(.timeLimit(.minutes(4))) func timelineOfAStoppedRun() throws {
        try withRuns { data, directory, config in
            let (run, path) = ("\(directory)/run", "\(directory)/timeline.json")
            let status = try MPIRun.interrupted(
                ranks: 2, by: SIGUSR1, when: { FileContent.size("\(run)/metrics.jsonl") ?? 0 > 1000 },
                [
                    "train", "--data", data, "--run", run, "--config", config, "--set", "epochs=5000", "--set",
                    "threads=1", "--timeline", path,
                ])
            #expect(status == 75)
            #expect(Set(try trace(path).traceEvents.filter { $0.ph == "X" }.map(\.pid)) == [0, 1])
            let after = try self.status(run)
            #expect(after.state == "stopped" && after.ranks.count == 2)
        }
    }
}
