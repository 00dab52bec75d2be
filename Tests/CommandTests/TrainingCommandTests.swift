import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

/// Training as users start it, on crops so small that a step takes a tenth of a second.
@Suite(.serialized) struct TrainingCommandTests {
    /// A converted phantom data set, made once.
    static let dataset: Result<String, any Error> = Result {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("luna-test-data-\(ProcessInfo.processInfo.processIdentifier)").path
        let phantoms = try LunaProcess("phantom", "--output", "\(directory)/phantoms", "--scans", "4", "--size", "64")
        let converted = try LunaProcess(
            "convert", "--input", "\(directory)/phantoms", "--output", "\(directory)/dataset", "--crop-size", "32",
            "--jitter", "4", "--background-patches", "1")
        guard phantoms.status == 0, converted.status == 0 else {
            throw InputError(directory, phantoms.diagnosis + converted.diagnosis)
        }
        return "\(directory)/dataset"
    }

    private static let configuration = """
        crop_size: 32
        replicas: 4
        epochs: 2
        steps_per_epoch: 6
        validation_fold: 1
        checkpoint_every_steps: 2
        keep_checkpoints: 20
        output_prior: 0.01
        learning_rate: 0.005
        """

    func content(_ run: String, step: Int) throws -> [String: [Float]] { try Self.content(run, step: step) }

    /// Every dataset of a checkpoint, by name.
    static func content(_ run: String, step: Int) throws -> [String: [Float]] {
        let file = try HDF5File(reading: "\(run)/checkpoints/step-000000\(step < 10 ? "0" : "")\(step).h5")
        var content: [String: [Float]] = [:]
        for name in try file.datasetPaths() { content[name] = try file.read(name, as: Float.self).values }
        return content
    }

    func withRuns(_ body: (_ data: String, _ directory: String, _ config: String) throws -> Void) throws {
        let data = try Self.dataset.get()
        try withTemporaryDirectory { directory in
            let config = "\(directory)/config.yaml"
            try AtomicFile.write(Self.configuration, to: config)
            try body(data, directory, config)
        }
    }

    @Test(.timeLimit(.minutes(5))) func sameBitsAtEveryRankAndThreadCount() throws {
        try withRuns { data, directory, config in
            let alone = try LunaProcess(
                "train", "--data", data, "--run", "\(directory)/alone", "--config", config, "--set", "threads=2")
            #expect(alone.status == 0, "\(alone.diagnosis)")
            let truth = try content("\(directory)/alone", step: 12)
            #expect(truth.count > 300)
            for ranks in [1, 2, 4] {
                let run = "\(directory)/ranks\(ranks)"
                let job = try MPIRun(
                    ranks: ranks, "train", "--data", data, "--run", run, "--config", config, "--set", "threads=1")
                #expect(job.status == 0, "\(job.diagnosis)")
                #expect(try content(run, step: 12) == truth, "\(ranks) ranks")
            }
            let lines = String(decoding: try FileContent.bytes("\(directory)/alone/metrics.jsonl"), as: UTF8.self)
                .split(separator: "\n")
            #expect(lines.count { $0.contains("\"kind\":\"step\"") } == 12)
            #expect(lines.count { $0.contains("\"kind\":\"validation\"") } == 2)

            let again = try LunaProcess("train", "--data", data, "--run", "\(directory)/alone", "--config", config)
            #expect(again.status == 64 && again.diagnosis.contains("--resume"))
            let changed = try LunaProcess(
                "train", "--data", data, "--run", "\(directory)/alone", "--resume", "--set", "seed=9")
            #expect(changed.status == 65 && changed.diagnosis.contains("seed"))
        }
    }

    /// Killed without warning, and resumed on another number of ranks; asked to stop, and resumed.
    @Test(.timeLimit(.minutes(5))) func interruptedRunsEndWithTheSameBits() throws {
        try withRuns { data, directory, config in
            let whole = try LunaProcess("train", "--data", data, "--run", "\(directory)/whole", "--config", config)
            #expect(whole.status == 0, "\(whole.diagnosis)")
            let truth = try content("\(directory)/whole", step: 12)

            for (name, signal, ranks, resumedRanks) in [
                ("killed", SIGKILL, 2, 4), ("stopped", SIGUSR1, 4, 2),
            ] {
                let run = "\(directory)/\(name)"
                let metrics = "\(run)/metrics.jsonl"
                let status = try MPIRun.interrupted(
                    ranks: ranks, by: signal, when: { (FileContent.size(metrics) ?? 0) > 2000 }, "train", "--data",
                    data, "--run", run, "--config", config, "--set", "threads=1")
                if signal == SIGUSR1 { #expect(status == 75) } else { #expect(status != 0) }
                // Not at its end yet, or the test shows nothing.
                #expect(FileContent.size("\(run)/checkpoints/step-00000012.h5") == nil)
                let resumed = try MPIRun(
                    ranks: resumedRanks, "train", "--data", data, "--run", run, "--resume", "--set", "threads=1")
                #expect(resumed.status == 0, "\(resumed.diagnosis)")
                #expect(try content(run, step: 12) == truth, "\(name)")
                let text = String(decoding: try FileContent.bytes(metrics), as: UTF8.self)
                let steps = text.split(separator: "\n").count { $0.contains("\"kind\":\"step\"") }
                #expect(steps == 12)
            }
        }
    }

    /// Wrong use and bad input: one line that names file and remedy, the right status, at once, under mpirun as well.
    @Test(.timeLimit(.minutes(4))) func badInputEndsTheJobAtOnce() throws {
        try withRuns { data, directory, config in
            let three = try MPIRun(
                ranks: 3, limit: 30, "train", "--data", data, "--run", "\(directory)/a", "--config", config)
            #expect(three.status == 64 && three.diagnosis.contains("1, 2, 4"), "\(three.diagnosis)")
            let key = try MPIRun(
                ranks: 2, limit: 30, "train", "--data", data, "--run", "\(directory)/b", "--set", "replica=4")
            #expect(key.status == 65 && key.diagnosis.contains("did you mean replicas?"), "\(key.diagnosis)")
            let none = try MPIRun(
                ranks: 2, limit: 30, "train", "--data", "\(directory)/none", "--run", "\(directory)/c", "--config",
                config)
            #expect(none.status == 65 && none.diagnosis.contains("\(directory)/none"), "\(none.diagnosis)")
            #expect(!FileContent.isDirectory("\(directory)/c"))

            // A shard with a flipped byte in a patch is found by the rank that reads it, and named.
            let copy = "\(directory)/copy"
            try FileManager.default.copyItem(atPath: data, toPath: copy)
            for name in try FileContent.names(inDirectory: "\(copy)/shards") {
                var bytes = try FileContent.bytes("\(copy)/shards/\(name)")
                for place in stride(from: bytes.count / 3, to: bytes.count, by: 5000) { bytes[place] ^= 0x10 }
                try AtomicFile.write(bytes, to: "\(copy)/shards/\(name)")
            }
            let flipped = try MPIRun(
                ranks: 2, limit: 60, "train", "--data", copy, "--run", "\(directory)/d", "--config", config)
            #expect(flipped.status == 65 && flipped.diagnosis.contains("\(copy)/shards/fold"), "\(flipped.diagnosis)")
            let usage = try LunaProcess("train", "--data", data)
            #expect(usage.status == 64 && usage.diagnosis.contains("--run"))
        }
    }

    /// The reduction under mpirun: the tree's sum has the same bits at every rank count.
    @Test(.timeLimit(.minutes(4))) func reductionOverRanks() throws {
        struct Row: Decodable {
            let mode, digest: String
        }
        let digests = try [1, 2, 4].map { ranks -> String in
            let job = try MPIRun(ranks: ranks, "bench", "allreduce", "--replicas", "4", "--steps", "2", "--json")
            #expect(job.status == 0, "\(job.diagnosis)")
            let line = try #require(job.output.split(separator: "\n").last)
            let rows = try JSONDecoder().decode([Row].self, from: Data(line.utf8))
            return try #require(rows.first { $0.mode == "tree" }).digest
        }
        #expect(Set(digests).count == 1)
    }

    /// From the trained detector to a FROC, and its report.
    @Test(.timeLimit(.minutes(4))) func detectAndEvaluate() throws {
        try withRuns { data, directory, config in
            let run = "\(directory)/run"
            let trained = try LunaProcess(
                "train", "--data", data, "--run", run, "--config", config, "--set", "epochs=1", "--set",
                "steps_per_epoch=2", "--set", "output_prior=null")
            #expect(trained.status == 0, "\(trained.diagnosis)")
            let found = try LunaProcess(
                "detect", "--weights", run, "--input", data, "--output", "\(directory)/candidates.csv")
            #expect(found.status == 0, "\(found.diagnosis)")
            let phantoms = data.replacing("/dataset", with: "/phantoms")
            let evaluated = try LunaProcess(
                "evaluate", "--candidates", "\(directory)/candidates.csv", "--annotations",
                "\(phantoms)/CSVFILES/annotations.csv", "--output", "\(directory)/evaluation", "--bootstrap", "10")
            #expect(evaluated.status == 0, "\(evaluated.diagnosis)")
            #expect(evaluated.output.split(separator: "\n").last?.hasPrefix("CPM 0.") == true)
            #expect(FileContent.size("\(directory)/evaluation/report.html") ?? 0 > 4000)
            // One of the phantoms' scans, straight from its MetaImage file.
            let scan = try #require(
                FileContent.names(inDirectory: "\(phantoms)/subset1").first { $0.hasSuffix(".mhd") })
            let single = try LunaProcess(
                "detect", "--weights", run, "--input", "\(phantoms)/subset1/\(scan)", "--mask",
                "\(phantoms)/seg-lungs-LUNA16/\(scan)", "--output", "\(directory)/single.csv", "--pictures",
                "\(directory)/pictures", "--memory", "400M")
            #expect(single.status == 0, "\(single.diagnosis)")
            #expect(single.output.contains("probability  diameter mm"))
            #expect(
                try FileContent.names(inDirectory: "\(directory)/pictures").allSatisfy { $0.hasSuffix("-findings.png") }
            )
            let tight = try LunaProcess(
                "detect", "--weights", "\(run)/checkpoints/latest", "--input", "\(phantoms)/subset1/\(scan)",
                "--output", "\(directory)/tight.csv", "--memory", "1M")
            #expect(tight.status == 64 && tight.diagnosis.contains("raise --memory"), "\(tight.diagnosis)")
            let held = String(decoding: try FileContent.bytes("\(directory)/candidates.csv"), as: UTF8.self)
            let alone = String(decoding: try FileContent.bytes("\(directory)/single.csv"), as: UTF8.self)
            #expect(held == alone)
            #expect(held.split(separator: "\n").count > 1)
            // All four, by one rank and by three.
            let all = try LunaProcess(
                "detect", "--weights", run, "--input", phantoms, "--output", "\(directory)/all.csv")
            #expect(all.status == 0, "\(all.diagnosis)")
            let shared = try MPIRun(
                ranks: 3, "detect", "--weights", run, "--input", phantoms, "--output", "\(directory)/shared.csv",
                "--threads", "1")
            #expect(shared.status == 0, "\(shared.diagnosis)")
            #expect(try FileContent.bytes("\(directory)/shared.csv") == FileContent.bytes("\(directory)/all.csv"))
            let nowhere = try LunaProcess(
                "detect", "--weights", run, "--input", data, "--output", "\(directory)/none/candidates.csv")
            #expect(nowhere.status == 74 && nowhere.diagnosis.contains("no directory"))
        }
    }
}
