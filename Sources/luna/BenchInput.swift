import ArgumentParser
import Detection
import FileIO
import Foundation
import PatchData
import Training

struct BenchInput: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "input", abstract: "Crops from shards, as training takes them.")

    @OptionGroup var dataset: DatasetOption

    @Option(help: ArgumentHelp("Voxels along each axis; by default the data set's.", valueName: "n"))
    var size: Int?

    @Option(help: ArgumentHelp("Loader threads.", valueName: "n"))
    var threads = 1

    @Option(help: ArgumentHelp("Crops to take.", valueName: "n"))
    var steps = 100

    @OptionGroup var output: JSONLineOption

    private struct Result: Encodable {
        let patchesPerSecond: Double
        let size, threads, patches: Int
    }

    func validate() throws {
        try ThreadsOption.check(threads)
        if steps < 1 { throw ValidationError("--steps is at least 1, not \(steps)") }
    }

    func run() throws {
        let source = try PatchDataset(directory: dataset.data)
        let crop = size ?? source.manifest.options.cropSize
        guard crop >= 32, crop % 16 == 0, crop <= source.patchSide else {
            throw UsageError("--size is a multiple of 16 from 32 to \(source.patchSide), not \(crop)")
        }
        let loader = try TrainingLoader(
            source: source,
            configuration: SamplingConfiguration(
                preset: .luna16, cropSize: crop, seed: 0, validationFold: nil, replicas: 1, microBatch: 1,
                augmentation: Augmentation()), replicas: 0..<1, threads: threads, name: dataset.data)
        loader.start(epoch: 1, step: 0)
        _ = try loader.next()
        let seconds = try Measurement.seconds { for _ in 0..<steps { _ = try loader.next() } }
        let rate = Double(steps) / seconds
        print(String(format: "%.1f crops of %d^3 per second, %d threads", rate, crop, threads))
        if output.json {
            try Measurement.printJSON(Result(patchesPerSecond: rate, size: crop, threads: threads, patches: steps))
        }
    }
}
