import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

/// `luna replay` beside `luna train`: each is the other's truth.
@Suite(.serialized) struct ReplayCommandTests {
    private static let configuration = """
        crop_size: 32
        replicas: 1
        micro_batch: 2
        epochs: 1
        steps_per_epoch: 3
        validation_fold: 1
        dropout: 0
        checkpoint_every_steps: 1
        keep_checkpoints: 20
        """

    private func losses(_ run: String) throws -> [Double] {
        try String(decoding: FileContent.bytes("\(run)/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
            .compactMap { line in
                let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return record?["kind"] as? String == "step" ? record?["loss"] as? Double : nil
            }
    }

    /// Every recorded step, given to `luna replay` with the weights that the run had before it, has the run's loss.
    @Test(.timeLimit(.minutes(4))) func recordedBatchesAreThoseTrainedOn() throws {
        try withTemporaryDirectory { directory in
            let (data, run, config) = ("\(directory)/dataset", "\(directory)/run", "\(directory)/config.yaml")
            try AtomicFile.write(Self.configuration, to: config)
            for arguments in [
                ["phantom", "--output", "\(directory)/phantoms", "--scans", "4", "--size", "64"],
                [
                    "convert", "--input", "\(directory)/phantoms", "--output", data, "--crop-size", "32", "--jitter",
                    "4",
                    "--background-patches", "1",
                ],
                ["train", "--data", data, "--run", run, "--config", config],
                ["replay", "batches", "--data", data, "--config", config, "--output", "\(directory)/batches.h5"],
            ] {
                let process = try LunaProcess(arguments)
                #expect(process.status == 0, "\(process.diagnosis)")
            }
            let truth = try losses(run)
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
                let weights = step == 0 ? "\(directory)/batches.h5" : "\(run)/checkpoints/step-0000000\(step).h5"
                let output = "\(directory)/out.h5"
                let replay = try LunaProcess(
                    "replay", "--weights", weights, "--batch", batch, "--output", output, "--no-dropout")
                #expect(replay.status == 0, "\(replay.diagnosis)")
                let replayed = try HDF5File(reading: output).read("/losses", as: Float.self).values
                #expect(replayed.map { abs(Double($0) / loss - 1) < 1e-6 } == [true], "\(replayed) \(loss)")
            }
            #expect(Set(truth).count == 3)

            let tooMany = try LunaProcess(
                "replay", "batches", "--data", data, "--config", config, "--steps", "4", "--output",
                "\(directory)/more.h5")
            #expect(tooMany.status == 64 && tooMany.diagnosis.contains("a run that has 3"), "\(tooMany.diagnosis)")
            #expect(FileContent.size("\(directory)/more.h5") == nil)
            let none = try LunaProcess(
                "replay", "batches", "--data", "\(directory)/none", "--config", config, "--output",
                "\(directory)/more.h5")
            #expect(none.status == 65 && none.diagnosis.contains("\(directory)/none"), "\(none.diagnosis)")
        }
    }
}
