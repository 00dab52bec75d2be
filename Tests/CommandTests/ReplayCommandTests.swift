import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

/// `luna replay` beside `luna train`: each is the other's truth.
@Suite(.runsPrograms) struct ReplayCommandTests {
    private struct Line: Decodable { var loss: Double }

    /// Every recorded step, given to `luna replay` with the weights that the run had before it, has the run's loss.
    @Test func recordedBatchesAreThoseTrainedOn() throws {
        let settings = [
            "replicas": "1", "micro_batch": "2", "epochs": "1", "steps_per_epoch": "3", "dropout": "0",
            "checkpoint_every_steps": "1",
        ]
        try withTinyRuns(settings) { runs in
            let (run, directory) = (runs.run(), runs.directory)
            let configured = ["replay", "batches", "--config", run.configuration]
            func record(_ data: String, _ output: String, _ options: String...) -> [String] {
                configured + ["--data", data, "--output", "\(directory)/\(output)"] + options
            }
            for arguments in [run.train(), record(run.data, "batches.h5")] {
                let process = try luna(arguments)
                #expect(process.status == 0, "\(process.diagnosis)")
            }
            let truth = try run.lines("step", as: Line.self).map(\.loss)
            #expect(truth.count == 3)
            let file = try HDF5File(reading: "\(directory)/batches.h5")
            for (step, loss) in truth.enumerated() {
                let rows = step..<step + 1
                let input = try file.dataset("/input").read(rows: rows, as: UInt8.self)
                let coord = try file.dataset("/coord").read(rows: rows, as: Float.self)
                let labels = try file.dataset("/labels").read(rows: rows, as: Float.self)
                let batch = "\(directory)/batch.h5"
                try HDF5File.write(to: batch) { out in
                    try out.write("/input", shape: [2, 1, 32, 32, 32], values: input.map { (Float($0) - 128) / 128 })
                    try out.write("/coord", shape: [2, 3, 8, 8, 8], values: coord)
                    try out.write("/labels", shape: [2, 8, 8, 8, 3, 5], values: labels)
                }
                let weights = step == 0 ? "\(directory)/batches.h5" : run.checkpoint(step)
                let output = "\(directory)/out.h5"
                let replay = try luna(
                    "replay", "--weights", weights, "--batch", batch, "--output", output, "--no-dropout")
                #expect(replay.status == 0, "\(replay.diagnosis)")
                let replayed = try HDF5File(reading: output).read("/losses", as: Float.self).values
                #expect(replayed.map { abs(Double($0) / loss - 1) < 1e-6 } == [true], "\(replayed) \(loss)")
            }
            #expect(Set(truth).count == 3)

            let tooMany = try luna(record(run.data, "more.h5", "--steps", "4"))
            #expect(tooMany.status == 64 && tooMany.diagnosis.contains("a run that has 3"), "\(tooMany.diagnosis)")
            #expect(FileContent.size("\(directory)/more.h5") == nil)
            let none = try luna(record("\(directory)/none", "more.h5"))
            #expect(none.status == 65 && none.diagnosis.contains("\(directory)/none"), "\(none.diagnosis)")
        }
    }
}
