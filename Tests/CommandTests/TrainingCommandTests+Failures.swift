import FileIO
import Foundation
import TestSupport
import Testing

/// Jobs that lose a rank, their launcher, a bit or a step: each ends with the documented status within some seconds, leaves
/// no process, and resumed it ends with the bits of a run that nothing happened to.
extension TrainingCommandTests {
    private static let short = """
        crop_size: 32
        replicas: 2
        epochs: 1
        steps_per_epoch: 6
        validation_fold: 1
        checkpoint_every_steps: 2
        keep_checkpoints: 20
        output_prior: 0.01
        learning_rate: 0.005
        threads: 1
        """

    /// The last checkpoint of an undisturbed run of one process, byte by byte.
    static let undisturbed: Result<[UInt8], any Error> = Result {
        let data = try dataset.get()
        return try withTemporaryDirectory { directory in
            try AtomicFile.write(short, to: "\(directory)/short.yaml")
            let run = try LunaProcess(
                "train", "--data", data, "--run", "\(directory)/run", "--config", "\(directory)/short.yaml")
            guard run.status == 0 else { throw InputError(directory, run.diagnosis) }
            return try FileContent.bytes(last("\(directory)/run"))
        }
    }

    static func last(_ run: String) -> String { checkpoint(run, 6) }

    static func checkpoint(_ run: String, _ step: Int) -> String { "\(run)/checkpoints/step-0000000\(step).h5" }

    /// A new run's directory and the arguments that start it.
    func withRun(_ body: (_ run: String, _ arguments: [String]) throws -> Void) throws {
        let data = try Self.dataset.get()
        _ = try Self.undisturbed.get()
        try withTemporaryDirectory { directory in
            try AtomicFile.write(Self.short, to: "\(directory)/short.yaml")
            let run = "\(directory)/run"
            try body(run, ["train", "--data", data, "--run", run, "--config", "\(directory)/short.yaml"])
        }
    }

    /// Resumes on one rank to the end, and compares.
    ///
    /// - Returns: What the job said.
    @discardableResult
    func expectResumption(_ run: String, _ arguments: [String]) throws -> String {
        #expect(FileContent.size(Self.last(run)) == nil, "at its end before it was disturbed")
        let resumed = try LunaProcess(arguments + ["--resume"])
        #expect(resumed.status == 0, "\(resumed.diagnosis)")
        #expect(try FileContent.bytes(Self.last(run)) == Self.undisturbed.get())
        #expect(try FileContent.names(inDirectory: "\(run)/checkpoints").allSatisfy { !$0.contains(".tmp-") })
        return resumed.diagnosis
    }

    /// That within ten seconds no process is left whose command names the run.
    func expectNobodyLeft(_ run: String) throws {
        var left: [String] = []
        for _ in 0..<100 {
            left = try FileContent.names(inDirectory: "/proc").filter { name in
                guard Int(name) != nil,
                    let command = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)
                else { return false }
                return command.contains(run)
            }
            if left.isEmpty { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
        Issue.record("processes \(left) are left")
    }

    /// In an order in which each can still come about after those before it.
    private static let kills = [
        "rank=0:step=1:phase=update", "rank=1:step=3:phase=load", "rank=0:step=3:phase=counts",
        "rank=1:step=3:phase=backward", "rank=0:step=4:phase=forward", "rank=0:step=4:phase=agreement",
        "rank=1:step=4:phase=checkpoint", "rank=1:step=5:phase=reduce", "rank=0:step=6:phase=write",
    ]

    /// A run whose ranks are killed at every place of a step, one after the other, at last rank 0 in the midst of writing a
    /// checkpoint.
    @Test(.timeLimit(.minutes(4))) func killedRank() throws {
        try withRun { run, arguments in
            for fault in Self.kills {
                let job = try MPIRun(
                    ranks: 2, limit: 60, environment: ["LUNA_FAULT": "kill:\(fault)"], arguments + ["--resume"])
                #expect(job.status == 128 + SIGKILL, "\(fault): \(job.diagnosis)")
                #expect(job.diagnosis.contains("damaged on purpose (kill:\(fault))"))
                try expectNobodyLeft(run)
            }
            // Half a file under another name; the one before is there.
            #expect(FileContent.size(Self.checkpoint(run, 4)) != nil)
            let latest = try FileContent.bytes("\(run)/checkpoints/latest")
            #expect(String(decoding: latest, as: UTF8.self) == "step-00000004.h5\n")
            try expectResumption(run, arguments)
        }
    }

    /// mpirun killed while a rank sleeps: the ranks notice, and end.
    @Test(.timeLimit(.minutes(4))) func killedLauncher() throws {
        try withRun { run, arguments in
            let status = try MPIRun.interrupted(
                ranks: 2, by: SIGKILL, sparingRanks: true,
                environment: ["LUNA_FAULT": "hang:rank=1:step=5:phase=backward"],
                when: { FileContent.size(Self.checkpoint(run, 4)) != nil }, arguments)
            #expect(status == SIGKILL)
            try expectNobodyLeft(run)
            try expectResumption(run, arguments)
        }
    }

    /// One rank asked to end: all end with a checkpoint of the same step, the one that begins next at the latest.
    @Test(.timeLimit(.minutes(4)), arguments: [("term", "load", 3), ("usr1", "forward", 4)])
    func stoppedWithinAStep(_ signal: String, _ phase: String, _ step: Int) throws {
        try withRun { run, arguments in
            let job = try MPIRun(
                ranks: 2, limit: 60, environment: ["LUNA_FAULT": "\(signal):rank=1:step=3:phase=\(phase)"], arguments)
            #expect(job.status == 75, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("stopped as asked after step \(step)"), "\(job.diagnosis)")
            #expect(FileContent.size(Self.checkpoint(run, step)) != nil)
            #expect(FileContent.size(Self.checkpoint(run, step + 1)) == nil)
            try expectNobodyLeft(run)
            try expectResumption(run, arguments)
        }
    }

    /// A bit that changes in one rank's memory gets into no checkpoint. All ranks know of it, and write the timeline.
    @Test(.timeLimit(.minutes(4)), arguments: [0, 1]) func flippedBit(rank: Int) throws {
        try withRun { run, arguments in
            let job = try MPIRun(
                ranks: 2, limit: 60, environment: ["LUNA_FAULT": "flip:rank=\(rank):step=3"],
                arguments + ["--timeline", "\(run).json"])
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("state at step 4 differs between rank 0 and rank 1"), "\(job.diagnosis)")
            #expect(FileContent.size(Self.checkpoint(run, 4)) == nil)
            let trace = try trace("\(run).json")
            #expect(Set(trace.traceEvents.filter { $0.name == "agreement" }.map(\.pid)) == [0, 1])
            #expect(trace.otherData.failure?.contains("state at step 4 differs") == true)
            try expectNobodyLeft(run)
            try expectResumption(run, arguments)
        }
    }

    /// The newest checkpoint damaged on the disk: the one before is taken, and the damaged one named.
    @Test(.timeLimit(.minutes(4))) func damagedCheckpoint() throws {
        try withRun { run, arguments in
            let killed = try MPIRun(
                ranks: 2, limit: 60, environment: ["LUNA_FAULT": "kill:rank=0:step=6:phase=write"], arguments)
            #expect(killed.status == 128 + SIGKILL, "\(killed.diagnosis)")
            for (isCutOff, copy) in [(true, "\(run)-cut"), (false, "\(run)-flipped")] {
                try FileManager.default.copyItem(atPath: run, toPath: copy)
                let newest = Self.checkpoint(copy, 4)
                var bytes = try FileContent.bytes(newest)
                if isCutOff { bytes.removeLast(bytes.count / 2) } else { bytes[bytes.count / 3] ^= 0x20 }
                try AtomicFile.write(bytes, to: newest)
                let said = try expectResumption(copy, arguments.map { $0 == run ? copy : $0 })
                #expect(said.contains("step-00000004.h5") && said.contains("going back to the one before"), "\(said)")
                #expect(said.contains("after step 2"), "\(said)")
            }
        }
    }

    private struct Step: Decodable {
        var kind: String
        var step: Int
        var skipped: Bool?
        var skipped_series: [String]?
    }

    /// Crops that give no finite gradient on one rank: all ranks leave out the step, the log and the warning name the scan,
    /// and the run goes on; whichever rank it was.
    @Test(.timeLimit(.minutes(4))) func notANumber() throws {
        var ends: [[UInt8]] = []
        for (ranks, fault, culprit) in [(2, "rank=1", "replica 1 (rank 1)"), (1, "rank=0", "replica 0 (rank 0)")] {
            try withRun { run, arguments in
                let job = try MPIRun(
                    ranks: ranks, limit: 60, environment: ["LUNA_FAULT": "nan:\(fault):step=3"], arguments)
                #expect(job.status == 0, "\(job.diagnosis)")
                let lines = String(decoding: try FileContent.bytes("\(run)/metrics.jsonl"), as: UTF8.self)
                let steps = try lines.split(separator: "\n").map {
                    try JSONDecoder().decode(Step.self, from: Data($0.utf8))
                }.filter { $0.kind == "step" }
                #expect(steps.map(\.skipped) == [false, false, true, false, false, false])
                let series = try #require(steps[2].skipped_series)
                #expect(series.count == 1)
                #expect(job.diagnosis.contains("\(culprit) with crops of \(series[0])"), "\(job.diagnosis)")
                ends.append(try FileContent.bytes(Self.last(run)))
            }
        }
        #expect(ends[0] == ends[1])
        #expect(try ends[0] != Self.undisturbed.get())
    }

    /// A fault that cannot be understood is told before anything is made.
    @Test(.timeLimit(.minutes(4))) func unknownFault() throws {
        try withRun { run, arguments in
            let job = try MPIRun(ranks: 2, limit: 60, environment: ["LUNA_FAULT": "burn:rank=0:step=1"], arguments)
            #expect(job.status == 64 && job.diagnosis.contains("expected KIND:rank=R:step=S"), "\(job.diagnosis)")
            #expect(!FileContent.isDirectory(run))
        }
    }
}
