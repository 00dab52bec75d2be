import FileIO
import Testing

/// What goes wrong in a run that started well.
extension TrainingCommandTests {
    /// A checkpoint that does not fit: the system's reason, nothing half-written, and the run can go on.
    @Test(.timeLimit(.minutes(4))) func fullDisk() throws {
        try withRuns { data, directory, config in
            let run = "\(directory)/full"
            let full = try LunaProcess(
                fileLimit: 40_000, "train", "--data", data, "--run", run, "--config", config, "--set", "epochs=1")
            #expect(full.status == 74, "\(full.diagnosis)")
            #expect(full.diagnosis.contains("\(run)/checkpoints/step-00000002.h5: cannot"), "\(full.diagnosis)")
            #expect(try FileContent.names(inDirectory: "\(run)/checkpoints").isEmpty)
            let resumed = try LunaProcess("train", "--data", data, "--run", run, "--resume")
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(FileContent.size("\(run)/checkpoints/step-00000006.h5") != nil)
        }
    }

    /// Steps without a finite gradient change nothing, on all ranks alike, and end the run when they do not end.
    @Test(.timeLimit(.minutes(4))) func divergence() throws {
        try withRuns { data, directory, config in
            let job = try MPIRun(
                ranks: 2, "train", "--data", data, "--run", "\(directory)/wild", "--config", config, "--set",
                "learning_rate=1e30", "--set", "threads=1")
            #expect(job.status == 70 && job.diagnosis.contains("lower learning_rate"), "\(job.diagnosis)")
            let lines = String(decoding: try FileContent.bytes("\(directory)/wild/metrics.jsonl"), as: UTF8.self)
                .split(separator: "\n").filter { $0.contains("\"kind\":\"step\"") }
            #expect(lines.first?.contains("\"skipped\":false") == true)
            #expect(lines.dropFirst().allSatisfy { $0.contains("\"skipped\":true") } && lines.count > 5)
        }
    }

    /// A fault that every rank would find is told once, by rank 0.
    @Test(
        .timeLimit(.minutes(4)),
        arguments: [
            ("crop_sise=32", 65, "crop_size"), ("replicas=6", 64, "4 or 8"),
        ]) func oneLineForAllRanks(_ override: String, _ status: Int32, _ text: String) throws
    {
        try withRuns { data, directory, config in
            let job = try MPIRun(
                ranks: 4, limit: 60, "train", "--data", data, "--run", "\(directory)/run", "--config", config, "--set",
                override)
            let lines = job.diagnosis.split(separator: "\n").filter { $0.hasPrefix("luna: ") }
            #expect(job.status == status && lines.count == 1 && lines[0].contains(text), "\(job.diagnosis)")
            #expect(!FileContent.isDirectory("\(directory)/run"))
        }
    }
}
