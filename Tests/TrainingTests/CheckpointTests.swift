import FileIO
import Foundation
import Learning
import Networks
import Runs
import TestSupport
import Testing

@testable import Training

@Suite struct CheckpointTests {
    private func checkpoint(step: Int) -> Checkpoint {
        let state = Architecture.standard.initialState(seed: UInt64(step))
        return Checkpoint(
            epoch: 2, step: step, seed: 3, configuration: TrainingConfiguration().yaml(), state: state,
            optimizer: OptimizerState(names: ["momentum"], slots: [state.parameters.map { $0 / 2 }], updates: step),
            owesValidation: true, epochTerms: [1, 2.5, -0.0],
            epochSteps: [4],
            dataDigest: "0123", arithmetic: "avx2, Haswell")
    }

    @Test func roundTrip() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.h5"
            try checkpoint(step: 7).write(to: path)
            #expect(try Checkpoint.read(path) == checkpoint(step: 7))
            #expect(try WeightsFile.read(path) == checkpoint(step: 7).state)
        }
    }

    /// A mean of the weights is written and checked like the weights, and is what readers of weights get.
    @Test func holdsAMean() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.h5"
            var written = checkpoint(step: 7)
            written.average = WeightsAverage(Architecture.standard.initialState(seed: 1), updates: 6)
            try written.write(to: path)
            #expect(try Checkpoint.read(path) == written)
            #expect(try WeightsFile.read(path) == written.average?.state)
            var other = written
            other.average?.state.statistics[3] += 1
            #expect(other.digest() != written.digest())
            other = written
            other.average?.updates += 1
            #expect(other.digest() != written.digest())
            for updates in [-1, Int.max] {
                other.average?.updates = updates
                try other.write(to: path)
                let error = #expect(throws: InputError.self) { try Checkpoint.read(path) }
                #expect(error?.description.contains("average_updates") == true)
            }
        }
    }

    /// Sites within a round have networks of their own, at its end only momentum; every bit of them is checked.
    @Test(arguments: [true, false]) func holdsSites(_ isRoundEnd: Bool) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.h5"
            var written = checkpoint(step: 7)
            written.sites = ([8, 9] as [UInt64]).map { seed in
                let state = Architecture.standard.initialState(seed: seed)
                return .init(
                    state: isRoundEnd ? nil : state,
                    optimizer: OptimizerState(names: ["momentum"], slots: [state.parameters.map { $0 / 4 }]))
            }
            written.epochTerms += written.epochTerms
            written.epochSteps = [4, 3]
            try written.write(to: path)
            #expect(try Checkpoint.read(path) == written)
            #expect(try WeightsFile.read(path) == written.state)

            var bytes = try FileContent.bytes(path)
            bytes[bytes.count * 3 / 4] ^= 1
            try AtomicFile.write(bytes, to: path)
            #expect(throws: InputError.self) { try Checkpoint.read(path) }
        }
    }

    /// What a run was written by before there were sites, and before networks and optimisers had names.
    @Test func readsEarlierVersions() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.h5"
            try checkpoint(step: 7).write(to: path, version: 1)
            var expected = checkpoint(step: 7)
            expected.optimizer.updates = 0  // which earlier versions did not count
            #expect(try Checkpoint.read(path) == expected)
            try checkpoint(step: 7).write(to: path, version: 2)
            #expect(try Checkpoint.read(path) == expected)
            // What has no mean of the weights is still of version 3, for programs that know no other.
            #expect(checkpoint(step: 7).writtenVersion == 3)
            try checkpoint(step: 7).write(to: path, version: 5)
            let error = #expect(throws: VersionError.self) { try Checkpoint.read(path) }
            #expect(error?.description.contains("checkpoint version 5, this program reads up to 4") == true)
        }
    }

    @Test func remembersTheBest() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/c.h5"
            var written = checkpoint(step: 7)
            written.best = BestResult(cpm: 0.625, step: 5)
            try written.write(to: path)
            #expect(try Checkpoint.read(path) == written)
        }
    }

    /// The checkpoint that `best` names outlives newer ones; pointers lead to files, or say why not.
    @Test func keepsTheBest() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            try run.write(checkpoint(step: 10), keep: 2)
            try run.markBest(step: 10)
            for step in [20, 30, 40] { try run.write(checkpoint(step: step), keep: 2) }
            let folder = directory + "/checkpoints"
            #expect(
                try FileContent.names(inDirectory: folder)
                    == ["best", "latest", "step-00000010.h5", "step-00000030.h5", "step-00000040.h5"])
            #expect(try RunDirectory.target(ofPointer: folder + "/best") == folder + "/step-00000010.h5")
            #expect(try RunDirectory.target(ofPointer: folder + "/latest") == folder + "/step-00000040.h5")
            #expect(try RunDirectory.target(ofPointer: folder + "/step-00000010.h5") == nil)
            try run.markBest(step: 99)
            #expect(throws: InputError.self) { try RunDirectory.target(ofPointer: folder + "/best") }
            try AtomicFile.write("../../etc/passwd\n", to: folder + "/best")
            #expect(throws: InputError.self) { try RunDirectory.target(ofPointer: folder + "/best") }
        }
    }

    /// A run is mostly named by a path from where the command stands: the best is kept there, too.
    @Test func keepsTheBestOfARelativePath() throws {
        try withTemporaryDirectory { directory in
            let up = FileManager.default.currentDirectoryPath.split(separator: "/").map { _ in "../" }.joined()
            let run = RunDirectory(up + directory.dropFirst())
            try run.create()
            try run.write(checkpoint(step: 10), keep: 1)
            try run.markBest(step: 10)
            for step in [20, 30] { try run.write(checkpoint(step: step), keep: 1) }
            let names = try FileContent.names(inDirectory: directory + "/checkpoints")
            #expect(names == ["best", "latest", "step-00000010.h5", "step-00000030.h5"])
            let best = try RunDirectory.target(ofPointer: run.path + "/checkpoints/best")
            #expect(best == run.path + "/checkpoints/step-00000010.h5")
        }
    }

    /// What a kill left half-written goes: TensorBoard would read an event file's rest as one more.
    @Test func removesLeftovers() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            try FileContent.makeDirectory(run.tensorBoardPath)
            for folder in [directory, directory + "/checkpoints", run.tensorBoardPath] {
                for name in ["kept", "events.out.tfevents.1.host.tmp-7"] {
                    try AtomicFile.write("x", to: "\(folder)/\(name)")
                }
            }
            try run.removeLeftovers()
            for folder in [directory, directory + "/checkpoints", run.tensorBoardPath] {
                #expect(try FileContent.names(inDirectory: folder).filter { $0.contains(".tmp-") }.isEmpty)
                #expect(FileContent.size("\(folder)/kept") != nil)
            }
        }
    }

    /// The newest are kept, `latest` names the newest, and a damaged one is named and passed over.
    @Test func retentionAndFallback() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory + "/run/")
            try run.create()
            for step in [10, 20, 30] { try run.write(checkpoint(step: step), keep: 2) }
            let names = try FileContent.names(inDirectory: run.path + "/checkpoints")
            #expect(names == ["latest", "step-00000020.h5", "step-00000030.h5"])
            let latest = try FileContent.bytes(run.path + "/checkpoints/latest")
            #expect(String(decoding: latest, as: UTF8.self) == "step-00000030.h5\n")

            let path = run.path + "/checkpoints/step-00000030.h5"
            var bytes = try FileContent.bytes(path)
            bytes[bytes.count / 2] ^= 4
            try AtomicFile.write(bytes, to: path)
            var damaged: [InputError] = []
            let found = try run.newestCheckpoint { damaged.append($0) }
            #expect(found?.checkpoint.step == 20)
            #expect(damaged.count == 1 && damaged[0].description.contains("step-00000030.h5"))

            // A file cut off, too.
            try AtomicFile.write(bytes.prefix(bytes.count / 3), to: run.path + "/checkpoints/step-00000020.h5")
            #expect(throws: InputError.self) { try run.newestCheckpoint { _ in } }
        }
    }

    /// Nothing is left of a write that fails, and the old file stays.
    @Test func failedWriteLeavesTheOldFile() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            try AtomicFile.write("old", to: path)
            struct Stop: Error {}
            #expect(throws: Stop.self) {
                try AtomicFile.write(to: path) { temporary in
                    try AtomicFile.write("half", to: temporary)
                    throw Stop()
                }
            }
            #expect(try FileContent.bytes(path) == Array("old".utf8))
            #expect(try FileContent.names(inDirectory: directory) == ["file"])
            #expect(throws: FileError.self) { try AtomicFile.write("x", to: "\(directory)/none/file") }
        }
    }

    @Test func plateauIsNoticedOnce() {
        var watch = PlateauWatch()
        let resting = lossTerms(classification: 0.69)
        #expect(watch.observe(resting, steps: 200) == nil)
        #expect(watch.observe(resting, steps: 200) == nil)
        #expect(watch.observe(resting, steps: 200)?.contains("output_prior") == true)
        #expect(watch.observe(resting, steps: 200) == nil)
        var learning = PlateauWatch()
        for _ in 0..<9 { #expect(learning.observe(lossTerms(classification: 0.4), steps: 200) == nil) }
    }
}
