import ArgumentParser
import CT
import Compute
import Detection
import Evaluation
import FileIO
import Foundation
import HDF5
import Inference
import MPI
import Network
import PatchData
import Training

struct DetectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Find nodules in whole scans.",
        discussion: """
            EXAMPLES
              luna detect --weights runs/fold0 --input luna16-patches --output candidates.csv
              luna detect --weights runs/fold0/checkpoints/step-00001200.h5 --input scan.mhd --mask lungs.mhd \\
                  --output candidates.csv
              mpirun -n 4 luna detect --weights runs/fold0 --input luna16-patches --output candidates.csv

            --input is a data set of `luna convert` (the scans of one fold), a clean volume (.h5), or a scan with its \
            lung mask, or a directory of such scans in LUNA16's layout. --weights is a checkpoint, a weight file, or a run (its newest checkpoint). The output has \
            LUNA16's columns and the diameter.
            """)

    @Option(help: ArgumentHelp("A checkpoint, a weight file, or a run directory.", valueName: "file"))
    var weights: String

    @Option(help: ArgumentHelp("A data set, a clean volume, or a scan.", valueName: "path"))
    var input: String

    @Option(help: ArgumentHelp("The candidates to write.", valueName: "csv"))
    var output: String

    @Option(
        help: ArgumentHelp("The lung mask of a scan; found in LUNA16's layout, or made, without it.", valueName: "file")
    )
    var mask: String?

    @Flag(help: "Segment the lungs of the scans that have no mask, also where others have one.")
    var segmentLungs = false

    @Option(help: ArgumentHelp("The fold of a data set; by default the one the run held out.", valueName: "n"))
    var fold: Int?

    @Option(help: ArgumentHelp("luna16 or dsb2017; by default the run's own.", valueName: "name"))
    var preset: String?

    @Option(help: ArgumentHelp("Leave out findings below this probability.", valueName: "p"))
    var minimumProbability = 0.0

    @Option(help: ArgumentHelp("Voxels of a tile without its margins; smaller ones need less memory.", valueName: "n"))
    var tile = TilePlan.side

    @Option(help: ArgumentHelp("Voxels around a tile that are computed and dropped.", valueName: "n"))
    var margin = TilePlan.margin

    @Flag(help: "Average the answers to a tile and to its mirror images along y and x: four times the work.")
    var mirrors = false

    @Flag(help: "Move each finding to the mean of the boxes that mean the same (box voting).")
    var vote = false

    @Option(help: ArgumentHelp("By default all cores this process may use.", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads is at least 1, not \(threads)") }
        if tile < 16 || tile % 16 != 0 || tile > 512 {
            throw ValidationError("--tile is a multiple of 16 up to 512, not \(tile)")
        }
        if margin < 0 || margin % 16 != 0 || margin > 128 {
            throw ValidationError("--margin is a multiple of 16 up to 128, not \(margin)")
        }
        if let fold, !(0..<10 ~= fold) { throw ValidationError("--fold is 0 to 9, not \(fold)") }
        if let preset, Preset(rawValue: preset) == nil {
            throw ValidationError("--preset is luna16 or dsb2017, not \(preset)")
        }
    }

    func run() throws {
        Startup.prepare()
        Job.run { communicator in
            try detect(communicator)
            return 0
        }
    }

    /// Searches this rank's part of the scans; rank 0 writes what all have found.
    private func detect(_ communicator: any Communicator) throws {
        // Before hours of work, not after them.
        let directory = URL(fileURLWithPath: output).deletingLastPathComponent().path
        guard FileContent.isDirectory(directory) else {
            throw FileError(output, "write", reason: "there is no directory \(directory)")
        }
        let file = try weightsPath()
        let state = try WeightsFile.read(file)
        let trained = try configuration(of: file)
        let network = NoduleNetwork(pool: ThreadPool(threads: threads ?? Startup.defaultThreads))
        let anchors = (preset.flatMap(Preset.init) ?? trained?.preset ?? .luna16).anchors
        let answer: Mirrors.Network = { network.forward(state, input: $0, coord: $1, mode: .evaluation) }
        var detector = ScanDetector(anchors: anchors, network: mirrors ? Mirrors.averaging(answer) : answer)
        detector.side = tile
        detector.margin = margin
        detector.voting = vote
        let scans = try scans(heldOut: trained?.validationFold)
        // Contiguous parts: joined by rank, the candidates are in the scans' order whatever the number of ranks.
        let (rank, size) = (communicator.rank, communicator.size)
        let part = scans.count * rank / size..<scans.count * (rank + 1) / size
        let isFirst = rank == 0
        if isFirst {
            let shared = size > 1 ? " on \(size) ranks" : ""
            note("\(scans.count) scans\(shared) with \(file); \(Startup.describe(network.engine))")
        }

        var candidates: [Candidate] = []
        var progress = ProgressLine("scan", total: part.count)
        for (index, scan) in scans[part].enumerated() {
            let volume = try scan()
            if index == 0 && isFirst {
                let plan = TilePlan(extent: volume.extent, side: tile, margin: margin)
                note(
                    "first scan \(volume.extent) voxels, \(plan.tiles.count) tiles, about \(plan.plannedBytes >> 20) MiB"
                )
            }
            let found = ScanDetector.candidates(try detector.detect(volume), in: volume)
            candidates += found.filter { $0.probability >= minimumProbability }
            if isFirst { progress.update(index + 1, "\(candidates.count) candidates") }
        }
        if isFirst { progress.finish() }
        candidates = try communicator.gather(Array(JSONEncoder().encode(candidates))).flatMap {
            try JSONDecoder().decode([Candidate].self, from: Data($0))
        }
        guard isFirst else { return }
        try CandidateFile.write(candidates, to: output)
        print("\(candidates.count) candidates in \(scans.count) scans: \(output)")
        if scans.count == 1 { printFindings(candidates) }
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    private func weightsPath() throws -> String {
        guard FileContent.isDirectory(weights) else { return weights }
        let newest = try RunDirectory(weights).newestCheckpoint { note("warning: \($0); taking the one before") }
        guard let newest else {
            throw InputError(weights, "holds no checkpoint", remedy: "name a checkpoint, or train first")
        }
        return newest.path
    }

    /// The experiment that the weights come from, where the file says so.
    private func configuration(of path: String) throws -> TrainingConfiguration? {
        let file = try HDF5File(reading: path)
        guard file.hasAttribute("config") else { return nil }
        return try TrainingConfiguration.parse(try file.attribute("config", as: String.self), file: path)
    }

    /// The scans to search, each read when its turn comes.
    private func scans(heldOut: Int?) throws -> [() throws -> CleanVolume] {
        let isDataset = FileContent.size("\(input)/dataset.json") != nil || FileContent.isDirectory("\(input)/volumes")
        if isDataset {
            let source = try PatchDataset(directory: input)
            guard let fold = fold ?? heldOut else {
                throw UsageError("the weights do not say which fold was held out; add --fold 0 to 9")
            }
            let volumes = source.volumes(fold: fold)
            guard !volumes.isEmpty else { throw InputError(input, "has no scan in fold \(fold)") }
            return volumes.map { entry in { try CleanVolumeFile.read(entry.path) } }
        }
        if input.hasSuffix(".h5") { return [{ [input] in try CleanVolumeFile.read(input) }] }
        let layout = try LUNA16Layout(directory: input)
        return try layout.scans.map { scan in
            let mask = try mask ?? layout.maskPath(for: scan, segmentingLungs: segmentLungs)
            return {
                if mask == nil { note("\(scan.seriesUID): no lung mask; luna segments the lungs") }
                return try Preprocessing.cleanVolume(
                    scanPath: scan.path, maskPath: mask, seriesUID: scan.seriesUID)
            }
        }
    }

    private func printFindings(_ candidates: [Candidate]) {
        guard !candidates.isEmpty else { return print("no finding") }
        print("probability  diameter mm     x mm      y mm      z mm")
        for c in candidates.prefix(10) {
            print(
                String(
                    format: "%11.3f  %11.1f  %7.1f  %8.1f  %8.1f", c.probability, c.diameter ?? 0, c.x, c.y, c.z))
        }
    }
}
