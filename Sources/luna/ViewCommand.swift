import ArgumentParser
import Basics
import CT
import Detection
import Evaluation
import FileIO
import Foundation
import HDF5
import PatchData
import Pictures
import Synchronization
import Training
import Views

struct ViewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Draw a data set, shard, clean volume or a detector's candidates as PNG pictures, to look at.",
        discussion: """
            A clean volume: three slices through every nodule, and a sheet of axial slices. A shard: a sheet of its \
            patches. A data set: an overview of its scans, the first crops of an epoch as the network sees them after \
            augmentation, and their labels. With --candidates: the most probable candidates of a volume, or of scans \
            of a data set, and the nodules that they miss. The patient's right is on the left. Without --config, crops \
            are those of the data set's own preset and size.

            EXAMPLES
              luna view luna16-patches/volumes/fold0/1.3.6.1.4.h5 --output pictures
              luna view luna16-patches/shards/fold0-00000.h5 --output pictures
              luna view luna16-patches --output pictures --set augment.rotate=true
              luna view luna16-patches --output pictures --candidates fold0.csv --top 5
            """)

    @Argument(help: "A data set directory, a shard, or a clean volume.")
    var path: String

    @Option(help: ArgumentHelp("The directory for the pictures.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("Candidates of `luna detect`, to be drawn instead.", valueName: "csv"))
    var candidates: String?

    @Option(help: ArgumentHelp("Candidates of each scan.", valueName: "n"))
    var top = 10

    @Option(help: ArgumentHelp("Axial slices of a volume.", valueName: "n"))
    var slices = 20

    @Option(help: ArgumentHelp("Patches of a shard.", valueName: "n"))
    var patches = 24

    @Option(help: ArgumentHelp("Scans of a data set.", valueName: "n"))
    var scans = 24

    @Option(help: ArgumentHelp("Training crops of a data set.", valueName: "n"))
    var crops = 24

    @Option(help: ArgumentHelp("The epoch of the crops, from 1.", valueName: "n"))
    var epoch = 1

    @OptionGroup var experiment: ExperimentOptions

    @Flag(help: "Replace pictures that are there already.")
    var overwrite = false

    func validate() throws {
        let limits = [
            ("top", top, 1...100), ("slices", slices, 1...500), ("patches", patches, 1...100_000),
            ("scans", scans, 0...100_000), ("crops", crops, 0...100_000), ("epoch", epoch, 1...1_000_000_000),
        ]
        for (name, value, range) in limits where !range.contains(value) {
            throw ValidationError("--\(name) is \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        if candidates != nil && scans == 0 { throw ValidationError("--scans is at least 1 with --candidates") }
    }

    func run() throws {
        var plan = OutputPlan()
        plan.read(path, as: "the data")
        plan.read(candidates, as: "--candidates")
        plan.read(experiment.config, as: "--config")
        // Before the data are opened, and with the pictures' names once they are known.
        var early = plan
        try early.write(directory: output, as: "--output")
        let views = View.withDistinctNames(try views())
        try plan.write(directory: output, as: "--output", files: views.map(\.name))
        guard !views.isEmpty else { throw UsageError("nothing to draw: --scans and --crops are 0") }
        let paths = views.map { "\(output)/\($0.name)" }
        if let taken = paths.first(where: { FileContent.size($0) != nil }), !overwrite {
            throw UsageError("\(taken) is there already; add --overwrite to replace it, or name another directory")
        }
        try FileContent.makeDirectory(output)
        try write(views, to: paths)
    }

    /// Draws on all cores; paths are printed in order.
    private func write(_ views: [View], to paths: [String]) throws {
        let pool = ThreadPool(threads: min(views.count, ThreadPool.availableCores))
        defer { pool.stop() }
        let lines = Mutex((done: [String?](repeating: nil, count: views.count), printed: 0))
        try pool.runThrowing(views.count) { index in
            let replaces = FileContent.size(paths[index]) != nil
            try views[index].draw().writePNG(to: paths[index])
            lines.withLock { lines in
                lines.done[index] = replaces ? "\(paths[index]) (replaced)" : paths[index]
                while lines.printed < views.count, let line = lines.done[lines.printed] {
                    print(line)
                    lines.printed += 1
                }
            }
        }
    }

    /// The pictures of the data set, shard or volume at `path`.
    private func views() throws -> [View] {
        if FileContent.isDirectory(path) { return try viewsOfDataset(PatchDataset(directory: path)) }
        if CleanVolumeFile.isCleanVolume(try HDF5File(reading: path)) {
            let volume = try CleanVolumeFile.read(path)
            guard let candidates else { return try View.volume(volume, slices: slices, file: path) }
            let found = try CandidateFile.read(candidates)
            if !found.contains(where: { $0.seriesUID == volume.seriesUID }) {
                warn("\(candidates) names no candidate of \(volume.seriesUID)")
            }
            return View.candidates(found, in: volume, top: top, source: candidates, file: path)
        }
        let shard = try ShardReader(path)
        if candidates != nil { throw UsageError("--candidates needs a clean volume or a data set, \(path) is a shard") }
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return try View.patches(shard, name: name, limit: patches, file: path)
    }

    private func viewsOfDataset(_ dataset: PatchDataset) throws -> [View] {
        if let candidates {
            let found = try CandidateFile.read(candidates)
            let views = View.candidates(found, in: dataset, top: top, scans: scans, source: candidates)
            guard !views.isEmpty else {
                throw InputError(candidates, "names no scan of \(path)", remedy: "give the candidates of its scans")
            }
            let named = Set(found.map(\.seriesUID)).count
            if named > views.count { warn("\(views.count) of the \(named) scans in \(candidates) are drawn") }
            return views
        }
        // The crops are those of a run with nothing set, in the size that the data set was made for.
        let options = dataset.manifest.options
        let configuration = try experiment.configuration(
            presets: ["preset=\(options.preset)", "crop_size=\(options.cropSize)"])
        guard configuration.cropSize <= dataset.cropSize else {
            throw InputError(
                path, "its patches are made for crops of \(dataset.cropSize), crop_size is \(configuration.cropSize)",
                remedy: "set crop_size=\(dataset.cropSize)")
        }
        let overview = View.scans(dataset, limit: scans)
        if crops == 0 { return overview }
        do {
            let epochCrops = try EpochCrops(
                source: dataset, configuration: configuration.sampling, epoch: epoch, name: path)
            return overview + View.crops(epochCrops, limit: crops, recipe: configuration.makeRecipe())
        } catch let error as InputError where !overview.isEmpty {
            // Scans without a nodule can be looked at all the same.
            FileHandle.standardError.write(Data("note: no crops are drawn: \(error)\n".utf8))
            return overview
        }
    }

    private func warn(_ text: String) { FileHandle.standardError.write(Data("warning: \(text)\n".utf8)) }
}
