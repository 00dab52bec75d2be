import FileIO
import Foundation
import TestSupport
import Testing

/// How jobs end: what becomes of their timelines, and of jobs whose launcher stands still or whose disk is full.
extension TrainingCommandTests {
    /// Where all ranks fail alike, the timeline has all of them.
    @Test(.timeLimit(.minutes(4)), arguments: [1, 2]) func timelineOfADivergedRun(_ ranks: Int) throws {
        try withRuns { data, directory, config in
            let path = "\(directory)/timeline.json"
            let job = try MPIRun(
                ranks: ranks, limit: 60, "train", "--data", data, "--run", "\(directory)/wild", "--config", config,
                "--set", "learning_rate=1e30", "--set", "threads=1", "--timeline", path)
            #expect(job.status == 70 && job.diagnosis.contains("lower learning_rate"), "\(job.diagnosis)")
            let trace = try trace(path)
            #expect(trace.otherData.failure?.contains("lower learning_rate") == true)
            let updates = trace.traceEvents.filter { $0.name == "update" }
            for rank in 0..<ranks { #expect(updates.count { $0.pid == rank } > 10) }
            #expect(try FileContent.names(inDirectory: directory).allSatisfy { !$0.contains("-rank") })
        }
    }

    /// A rank that fails by itself writes its own part, and waits for nobody: the other may do the same a moment later, or
    /// be ended meanwhile.
    @Test(.timeLimit(.minutes(4))) func timelineOfARankThatFails() throws {
        try withRuns { data, directory, config in
            let copy = "\(directory)/copy"
            try FileManager.default.copyItem(atPath: data, toPath: copy)
            for name in try FileContent.names(inDirectory: "\(copy)/shards") {
                var bytes = try FileContent.bytes("\(copy)/shards/\(name)")
                // Among the patches, which are read when their turn comes.
                for place in stride(from: bytes.count / 3, to: bytes.count * 3 / 4, by: 5000) { bytes[place] ^= 0x10 }
                try AtomicFile.write(bytes, to: "\(copy)/shards/\(name)")
            }
            let job = try MPIRun(
                ranks: 2, limit: 60, "train", "--data", copy, "--run", "\(directory)/run", "--config", config, "--set",
                "threads=1", "--timeline", "\(directory)/timeline.json")
            #expect(job.status == 65, "\(job.diagnosis)")
            let names = try FileContent.names(inDirectory: directory)
            let parts = [0, 1].filter { names.contains("timeline-rank\($0).json") }
            #expect(!parts.isEmpty && !names.contains("timeline.json"))
            for rank in parts {
                let trace = try trace("\(directory)/timeline-rank\(rank).json")
                #expect(trace.otherData.failure?.contains("\(copy)/shards/fold") == true)
                #expect(trace.traceEvents.contains { $0.ph == "X" && $0.name == "load" })
                #expect(Set(trace.traceEvents.map(\.pid)) == [rank])
            }
            #expect(job.diagnosis.contains(".json is the timeline of this rank alone"), "\(job.diagnosis)")
        }
    }

    /// A timeline that cannot be written costs a finished run nothing but a warning: its directory has gone meanwhile, or
    /// has no room.
    @Test(.timeLimit(.minutes(4)), arguments: SmallFileSystem.isPermitted ? [false, true] : [false])
    func timelineWithoutAPlace(isFull: Bool) throws {
        try withRuns { data, directory, config in
            let (run, place) = ("\(directory)/run", "\(directory)/place")
            try FileContent.makeDirectory(place)
            let small = isFull ? try SmallFileSystem(at: place, bytes: 1 << 16) : nil
            let job = try MPIRun(
                ranks: 2, limit: 60,
                [
                    "train", "--data", data, "--run", run, "--config", config, "--set", "threads=1", "--timeline",
                    "\(place)/timeline.json",
                ],
                meanwhile: {
                    while !isFull && FileContent.size("\(run)/config.yaml") == nil {
                        Thread.sleep(forTimeInterval: 0.02)
                    }
                    if !isFull { rmdir(place) }
                })
            #expect(job.status == 0, "\(job.diagnosis)")
            let told = job.diagnosis.split(separator: "\n").filter { $0.contains("there is no timeline") }
            #expect(told.count == 1 && told[0].hasPrefix("warning: \(place)/timeline.json: cannot"), "\(job.diagnosis)")
            #expect(FileContent.size("\(run)/checkpoints/step-00000012.h5") != nil)
            #expect(try LunaProcess("status", run).output.contains("finished"))
            if isFull { #expect(try FileContent.names(inDirectory: place).isEmpty) }
            withExtendedLifetime(small) {}
        }
    }

    /// A launcher that stands still stops no rank: they train to the end, or to the step after which one of them was asked to
    /// stop, and then wait for it.
    @Test(.timeLimit(.minutes(4)), arguments: [false, true]) func stoppedLauncher(ranksAreAskedToEnd: Bool) throws {
        struct Heartbeat: Decodable { var state: String }
        try withRun { run, arguments in
            let job = try MPIRun(
                ranks: 2, environment: ["LUNA_FAULT": "slow:rank=1:phase=forward:seconds=0.5"], arguments,
                meanwhile: {
                    while FileContent.size(Self.checkpoint(run, 2)) == nil { Thread.sleep(forTimeInterval: 0.02) }
                    guard let rank = process(of: 1, in: run, after: 0), let launcher = Self.parent(of: rank) else {
                        Issue.record("the ranks cannot be found")
                        return
                    }
                    kill(launcher, SIGSTOP)
                    defer { kill(launcher, SIGCONT) }
                    if ranksAreAskedToEnd { kill(rank, SIGTERM) }
                    var states: [String] = []
                    for _ in 0..<1200 where states.isEmpty || states.contains("running") {
                        Thread.sleep(forTimeInterval: 0.05)
                        states = [0, 1].map { rank in
                            let bytes = try? FileContent.bytes("\(run)/ranks/000\(rank).json")
                            let heartbeat = bytes.flatMap {
                                try? JSONDecoder().decode(Heartbeat.self, from: Data($0))
                            }
                            return heartbeat?.state ?? "running"
                        }
                    }
                    let end = ranksAreAskedToEnd ? "stopped" : "finished"
                    #expect(states == [end, end])
                    let status = try? String(contentsOfFile: "/proc/\(launcher)/status", encoding: .utf8)
                    #expect(status?.contains("State:\tT") == true)
                })
            #expect(job.status == (ranksAreAskedToEnd ? 75 : 0), "\(job.diagnosis)")
            try expectNobodyLeft(run)
            if ranksAreAskedToEnd {
                try expectResumption(run, arguments)
            } else {
                #expect(try FileContent.bytes(Self.last(run)) == Self.undisturbed.get())
            }
        }
    }

    private static func parent(of process: Int32) -> Int32? {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        return status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            .flatMap { Int32($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) }
    }

    /// A file system without room for the second checkpoint: the job ends before a third, the first is good, and with more
    /// room the run goes on to the same bits.
    @Test(.enabled(if: SmallFileSystem.isPermitted), .timeLimit(.minutes(4))) func fullFileSystem() throws {
        try withRun { run, arguments in
            try FileContent.makeDirectory("\(run)/checkpoints")
            let small = try SmallFileSystem(at: "\(run)/checkpoints", bytes: 70 << 20)
            let job = try MPIRun(ranks: 2, limit: 60, arguments)
            #expect(job.status == 74, "\(job.diagnosis)")
            let line = job.diagnosis.split(separator: "\n").first { $0.hasPrefix("luna: ") }
            #expect(line?.contains("\(Self.checkpoint(run, 4)): cannot") == true, "\(job.diagnosis)")
            #expect(try FileContent.names(inDirectory: "\(run)/checkpoints") == ["latest", "step-00000002.h5"])
            try expectNobodyLeft(run)
            try small.grow(to: 300 << 20)
            let said = try expectResumption(run, arguments)
            #expect(said.contains("after step 2"), "\(said)")
        }
    }
}
