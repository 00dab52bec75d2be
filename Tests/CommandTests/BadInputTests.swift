import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

/// Wrong use and bad input: one line that names file and remedy, the right status, at once, under mpirun as well.
@Suite(.runsPrograms) struct BadInputTests {
    @Test func badInputEndsTheJobAtOnce() throws {
        try withTinyRuns { runs in
            let three = try mpirun(ranks: 3, limit: 30, runs.run("a").train())
            #expect(three.status == 64 && three.diagnosis.contains("1, 2, 4"), "\(three.diagnosis)")
            let run = runs.run("b")
            let key = try mpirun(
                ranks: 2, limit: 30, "train", "--data", run.data, "--run", run.path, "--set", "replica=4")
            #expect(key.status == 65 && key.diagnosis.contains("did you mean replicas?"), "\(key.diagnosis)")
            var lost = runs.run("c")
            lost.data = "\(runs.directory)/none"
            let none = try mpirun(ranks: 2, limit: 30, lost.train())
            #expect(none.status == 65 && none.diagnosis.contains(lost.data), "\(none.diagnosis)")
            #expect(!FileContent.isDirectory(lost.path))
            let usage = try luna("train", "--data", run.data)
            #expect(usage.status == 64 && usage.diagnosis.contains("--run"))
        }
    }

    /// A shard with a flipped byte in a patch is found by the rank that reads it, and named.
    @Test func damagedShard() throws {
        try withTinyRuns { runs in
            var run = runs.run()
            run.data = "\(runs.directory)/copy"
            try runs.tiny.copyPatches(to: run.data, damagedUpTo: 1)
            let flipped = try mpirun(ranks: 2, limit: 60, run.train())
            #expect(
                flipped.status == 65 && flipped.diagnosis.contains("\(run.data)/shards/fold"), "\(flipped.diagnosis)")
        }
    }

    /// A fault that every rank would find is told once, by rank 0.
    @Test(arguments: [("crop_sise=32", 65, "crop_size"), ("replicas=6", 64, "4 or 8")])
    func oneLineForAllRanks(_ override: String, _ status: Int32, _ text: String) throws {
        try withTinyRuns { runs in
            let run = runs.run()
            let job = try mpirun(ranks: 4, limit: 60, run.train(override))
            let lines = job.diagnosis.split(separator: "\n").filter { $0.hasPrefix("luna: ") }
            #expect(job.status == status && lines.count == 1 && lines[0].contains(text), "\(job.diagnosis)")
            #expect(!FileContent.isDirectory(run.path))
        }
    }

    /// A fault that cannot be understood is told before anything is made.
    @Test func unknownFault() throws {
        try withTinyRuns(UndisturbedRun.shortSettings) { runs in
            let run = runs.run()
            let job = try mpirun(ranks: 2, limit: 60, fault: "burn:rank=0:step=1", run.train())
            #expect(job.status == 64 && job.diagnosis.contains("expected KIND:rank=R:step=S"), "\(job.diagnosis)")
            #expect(!FileContent.isDirectory(run.path))
        }
    }
    /// A checkpoint of a later version is bad input, and no fault of the program.
    @Test func laterCheckpoint() throws {
        try withTinyRuns { runs in
            let run = runs.run()
            try FileContent.makeDirectory(run.checkpoints)
            try HDF5File.write(to: run.checkpoint(2)) { file in
                try file.setAttribute("format", to: "luna checkpoint")
                try file.setAttribute("version", to: 99 as Int64)
            }
            let shown = try luna("weights", "show", run.path)
            #expect(
                shown.status == 65 && shown.diagnosis.contains("checkpoint version 99")
                    && shown.diagnosis.contains("use the luna that wrote it"), "\(shown.diagnosis)")
        }
    }
}
