import Basics
import FileIO
import Foundation
import Learning
import Networks
import Runs
import TestSupport
import Testing

@testable import Training

@Suite struct CheckpointWriterTests {
    private func writer(_ run: RunDirectory, keep: Int = 9, spans: SpanLog? = nil) -> CheckpointWriter {
        CheckpointWriter(run, keep: keep, count: Architecture.standard.parameters.count, slots: 1, spans: spans)
    }

    private func checkpoint(step: Int, value: Float) -> Checkpoint {
        Checkpoint(
            epoch: 1, step: step, seed: 0, configuration: "seed: 0\n",
            state: NetworkState(
                architecture: .standard,
                parameters: [Float](repeating: value, count: Architecture.standard.parameters.count),
                statistics: [Float](repeating: value, count: Architecture.standard.statistics.count)),
            optimizer: OptimizerState(
                names: ["momentum"],
                slots: [[Float](repeating: -value, count: Architecture.standard.parameters.count)]),
            owesValidation: false,
            epochTerms: [1], epochSteps: [step], dataDigest: "0", arithmetic: "none")
    }

    /// What is written is the state as it was handed over, though training changes its own at once; each one is told
    /// once, in order, and the memory of one serves the next.
    @Test func writesACopy() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            let writer = writer(run)
            var current = checkpoint(step: 0, value: 0)
            var told: [String] = []
            for step in 1...4 {
                current.step = step
                current.state.parameters[7] = Float(step)
                current.optimizer.slots[0][8] = Float(10 * step)
                told += try writer.finished(waiting: true)
                try writer.submit(current)
                current.state.parameters[7] = -1
                current.optimizer.slots[0][8] = -1
            }
            told += try writer.finished(waiting: true)
            #expect(told == (1...4).map { "\(directory)/checkpoints/step-0000000\($0).h5" })
            #expect(try writer.finished(waiting: true).isEmpty)
            for (step, path) in zip(1..., told) {
                let read = try Checkpoint.read(path)
                #expect(read.step == step)
                #expect(read.state.parameters[7] == Float(step) && read.optimizer.slots[0][8] == Float(10 * step))
            }
        }
    }

    /// The path of one that was handed over without asking for the one before is not lost.
    @Test func waitsForTheOneBefore() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            let writer = writer(run, keep: 2)
            for step in 1...3 { try writer.submit(checkpoint(step: step, value: 1)) }
            #expect(try writer.finished(waiting: true).count == 3)
            #expect(try run.newestCheckpoint { _ in }?.checkpoint.step == 3)
            #expect(try run.checkpointPaths().count == 2)
        }
    }

    /// A write that fails is an error of the next call, once; the checkpoint before it stays.
    @Test func failureIsTold() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            let writer = writer(run)
            try writer.submit(checkpoint(step: 1, value: 1))
            _ = try writer.finished(waiting: true)
            // A directory stands where the file should go.
            try FileContent.makeDirectory("\(directory)/checkpoints/step-00000002.h5/x")
            try writer.submit(checkpoint(step: 2, value: 2))
            let error = #expect(throws: FileError.self) { try writer.finished(waiting: true) }
            #expect(error?.file.hasSuffix("step-00000002.h5") == true)
            try writer.submit(checkpoint(step: 3, value: 3))
            #expect(try writer.finished(waiting: true).count == 1)
            let latest = try FileContent.bytes("\(directory)/checkpoints/latest")
            #expect(String(decoding: latest, as: UTF8.self) == "step-00000003.h5\n")
            // And of the next one handed over.
            try FileContent.makeDirectory("\(directory)/checkpoints/step-00000004.h5/x")
            try writer.submit(checkpoint(step: 4, value: 4))
            #expect(throws: FileError.self) { try writer.submit(checkpoint(step: 5, value: 5)) }
            #expect(FileContent.size("\(directory)/checkpoints/step-00000005.h5") == nil)
        }
    }

    @Test func isALineOfTheTimeline() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.create()
            let log = SpanLog(limit: 10)
            let writer = writer(run, spans: log)
            for step in [3, 5] {
                try writer.submit(checkpoint(step: step, value: 1))
                _ = try writer.finished(waiting: true)
            }
            let content = log.content
            #expect(content.tracks == ["training", "checkpoint writer"] && content.names == ["write checkpoint"])
            #expect(content.spans.map(\.step) == [3, 5] && content.spans.map(\.track) == [1, 1])
        }
    }
}
