import ArgumentParser
import Basics
import CT
import Compute
import Detection
import Diagnosis
import Evaluation
import FileIO
import Foundation
import Inference
import MPI
import Networks
import Pictures
import Training
import Views

struct DetectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Find nodules in whole scans.",
        discussion: """
            EXAMPLES
              luna detect --weights runs/fold0 --input luna16-patches --output candidates.csv
              luna detect --weights runs/fold0/checkpoints/best --input scan.mhd --mask lungs.mhd \\
                  --output candidates.csv --pictures pictures
              mpirun -n 4 luna detect --weights runs/fold0 --input luna16-patches --output candidates.csv
              luna detect --weights cv/fold0/run --weights cv/fold1/run --input scan.mhd --output candidates.csv

            --input is a data set of `luna convert` (the scans of one fold), a clean volume (.h5), a scan, a directory \
            of scans in LUNA16's layout, or a folder of DICOM slices. Where a scan has no lung mask, luna segments its \
            lungs. --weights is a checkpoint, a weight file, or a run (its newest checkpoint). The output has LUNA16's \
            columns and the diameter. Ranks share the scans out; the output is the same bytes for any number of them.

            With several --weights every scan is searched with each network, one after another, and the findings are \
            joined by weighted box clustering: what all networks find keeps its probability, what one of three finds \
            has a third of it. All weights are in memory at once. With --mirrors each mirror image counts as a network.

            Of many scans, one that cannot be read is named and the others are searched; the status is 65 then, unless \
            --skip-bad says to go without it. Interrupted, or started again once bad scans are repaired, the same \
            command goes on where it stopped: OUTPUT.partial-… keep what was found until all is done.

            A scan is cut into as few overlapping tiles as fit into --memory, each rank's own: mostly it is one tile. \
            --tiling recipe takes the published tiles of 208 voxels, which compute up to seven times as much.
            """)

    @OptionGroup var trained: WeightsListOption

    @Option(help: ArgumentHelp("A data set, a clean volume, or a scan.", valueName: "path"))
    var input: String

    @Option(help: ArgumentHelp("The candidates to write.", valueName: "csv"))
    var output: String

    @Option(
        help: ArgumentHelp("The lung mask of a scan; found in LUNA16's layout, or made, without it.", valueName: "file")
    )
    var mask: String?

    @OptionGroup var reading: ScanOptions

    @Option(help: ArgumentHelp("The fold of a data set; by default the one the run held out.", valueName: "n"))
    var fold: Int?

    @OptionGroup var constants: PresetOption

    @Option(help: ArgumentHelp("Leave out findings below this probability.", valueName: "p"))
    var minimumProbability = 0.0

    @Option(
        help: ArgumentHelp(
            "Of findings whose cubes overlap by this much or more (0.01 to 1, intersection over union), leave the "
                + "most probable one, at the end.", valueName: "iou"))
    var overlap: Double?

    @Option(help: "How scans are cut: planned or recipe.")
    var tiling = TilingOption.planned

    @Option(help: ArgumentHelp("The memory of a rank for planned tiles, such as 800M or 6G.", valueName: "bytes"))
    var memory = ByteCount(ScanDetector.Tiling.defaultBytes)

    @Flag(
        help: """
            Average the answers to a tile and to its mirror images along y and x, or join their findings where several \
            networks are joined: four times the work.
            """)
    var mirrors = false

    @Flag(help: "Move each finding to the mean of the boxes that mean the same (box voting).")
    var vote = false

    @Option(
        help: ArgumentHelp("A directory for pictures of the most probable findings, of one scan.", valueName: "dir"))
    var pictures: String?

    @Flag(help: "Leave out scans that cannot be read or searched, and finish without them.")
    var skipBad = false

    @OptionGroup var computing: ThreadsOption

    enum TilingOption: String, ExpressibleByArgument, CaseIterable { case planned, recipe }

    func validate() throws {
        if let fold, !(0..<LUNA16Layout.foldCount ~= fold) {
            throw ValidationError("--fold is 0 to \(LUNA16Layout.foldCount - 1), not \(fold)")
        }
        if !(0...1 ~= minimumProbability) {
            throw ValidationError("--minimum-probability is 0 to 1, not \(minimumProbability)")
        }
        if let overlap, !(Separation.overlaps ~= overlap) {
            throw ValidationError("--overlap is 0.01 to 1, not \(overlap)")
        }
    }

    func run() throws {
        Startup.prepare()
        Job.run { communicator in
            try detect(communicator).rawValue
        }
    }

    /// Searches this rank's part of the scans; rank 0 writes what all have found.
    ///
    /// - Returns: The status of all ranks: whether there are scans that could not be searched and were not to be left
    ///   out.
    private func detect(_ communicator: any Communicator) throws -> ExitStatus {
        let isFirst = communicator.rank == 0
        // Faults that all ranks would find are told once, and before hours of work.
        try communicator.waitForRoot()
        let sources = try trained.sources { if isFirst { Self.note($0) } }
        try checkOutputs(sources)
        let networks = try DetectionNetworks(sources, preset: constants.preset)
        let scans = try DetectionInput(
            input, fold: fold, heldOut: networks.heldOut, mask: mask, segmentLungs: reading.segmentLungs,
            series: reading.series, acquisition: reading.acquisition, note: { if isFirst { Self.note($0) } }
        ).scans
        if pictures != nil && scans.count > 1 {
            throw UsageError("--pictures is for one scan; `luna view --candidates` draws those of many")
        }
        // Where it is the only scan, there is nothing else to do.
        if scans.count == 1, let failure = scans[0].failure { throw failure }
        try communicator.releaseFromRoot()

        let engine = Engine(
            pool: ThreadPool(threads: computing.threads ?? Startup.defaultThreads),
            instructionSet: try Arithmetic.agreedInstructionSet(communicator))
        let search = search(networks, engine)
        let estimate = SearchEstimate(scans, search.detectors)
        if isFirst { announce(scans, networks, estimate, engine, ranks: communicator.size) }
        try warnOfMemory(estimate, communicator)

        let progress = try SearchProgress(
            scans, output: output, key: key(networks, search, engine), communicator, note: Self.note)
        var first: (volume: CleanVolume, candidates: [Candidate])?
        var line = ProgressLine("scan", total: 0)
        let outcome = try search.outcome(
            of: scans, communicator, known: progress.known,
            tolerates: { scans.count > 1 && ExitStatus(diagnosing: $0) != nil },
            searched: { scan, volume, candidates in
                if scans.count == 1 { first = (volume, candidates) }
                try progress.append(scan, candidates)
            },
            progress: { progress in
                guard isFirst else { return }
                line.update(
                    progress.scans, of: progress.total, "\(progress.candidates) candidates", share: progress.share)
            })
        let isComplete = outcome.failures.isEmpty || skipBad && outcome.failures.count < scans.count
        guard isFirst else { return isComplete ? .success : .badInput }
        line.finish()
        try finish(outcome, of: scans.count, isComplete: isComplete)
        if isComplete { try progress.end() }
        if let (volume, findings) = first { try show(findings, in: volume) }
        return isComplete ? .success : .badInput
    }

    /// Writes what was found, and says what could not be searched.
    private func finish(_ outcome: ScanSearch.Outcome, of scans: Int, isComplete: Bool) throws {
        let (candidates, bad) = (outcome.candidates, outcome.failures)
        for failure in bad { Self.note("luna: cannot search \(failure.seriesUID): \(failure.reason)") }
        // An empty list would say that nothing was found.
        if bad.count < scans {
            try CandidateFile.write(candidates, to: output)
            let left = bad.isEmpty ? "" : ", \(bad.count) left out"
            tell("\(count(candidates.count, "candidate")) in \(count(scans - bad.count, "scan"))\(left): \(output)")
        }
        guard !isComplete else { return }
        let written = bad.count < scans ? "\(output) has the others'" : "\(output) is not written"
        Self.note(
            "luna: \(input): \(bad.count) of \(scans) scans cannot be searched, \(written); "
                + (skipBad
                    ? "no scan is left: repair them and run the same command again"
                    : "repair them and run the same command again, which goes on with them, or leave them out with "
                        + "--skip-bad"))
    }

    /// Prints the findings of a single scan, and draws them where pictures are asked for.
    private func show(_ findings: [Candidate], in volume: CleanVolume) throws {
        tell(FindingsTable(findings, in: volume).text)
        guard let pictures, !findings.isEmpty else { return }
        try FileContent.makeDirectory(pictures)
        let view = View.findings(findings, in: volume, top: FindingsTable.limit, source: output)
        try view.draw().writePNG(to: "\(pictures)/\(view.name)")
        tell("\(pictures)/\(view.name)")
    }

    private func checkOutputs(_ sources: [WeightsSource]) throws {
        var plan = OutputPlan()
        trained.plan(&plan, sources)
        ScanSource.plan(&plan, input: input, masks: mask, "--mask")
        try plan.write(file: output, as: "--output", isOwn: CandidateFile.isOwn)
        try plan.write(directory: pictures, as: "--pictures")
    }

    private func tell(_ text: String) { Messages.tell(text, of: output) }

    /// The text that tells this search from others: all that its candidates depend on besides the scans.
    private func key(_ networks: DetectionNetworks, _ search: ScanSearch, _ engine: Engine) -> String {
        "luna \(Luna.configuration.version), \(networks.key), \(search.detectors[0].tiling), mirrors \(mirrors), "
            + "vote \(vote), above \(minimumProbability), \(engine.instructionSet)"
            + (overlap.map { ", overlap \($0)" } ?? "")
    }

    private func search(_ networks: DetectionNetworks, _ engine: Engine) -> ScanSearch {
        var search = ScanSearch(
            ensemble: networks.detectors(engine, mirrors: mirrors).map { detector in
                var detector = detector
                detector.tiling = tiling == .recipe ? .recipe : .planned(bytes: memory.bytes)
                detector.voting = vote
                return detector
            })
        search.minimumProbability = minimumProbability
        search.overlap = overlap
        return search
    }

    private func announce(
        _ scans: [PendingScan], _ networks: DetectionNetworks, _ estimate: SearchEstimate, _ engine: Engine, ranks: Int
    ) {
        let shared = ranks > 1 ? " on \(ranks) ranks" : ""
        let joined = networks.count > 1 ? "\(networks.count) networks: " : ""
        Self.note("\(count(scans.count, "scan"))\(shared) with \(joined)\(networks.text); \(Startup.describe(engine))")
        // Joined, they seem to know more of these scans than they would of new ones.
        if networks.count > 1, let fold {
            for path in networks.trained(on: fold) { Self.note("warning: \(path) was trained on fold \(fold)") }
        }
        guard let (side, bytes) = estimate.largest else { return }
        Self.note(
            "\(count(estimate.tiles, "tile")), up to \(side.z) x \(side.y) x \(side.x) voxels, "
                + String(format: "%.2f times the scans' voxels, ", estimate.work)
                + "about \(bytes >> 20) MiB\(ranks > 1 ? " a rank" : "")")
    }

    /// Warns of hosts where the ranks plan for more memory than there is.
    private func warnOfMemory(_ estimate: SearchEstimate, _ communicator: any Communicator) throws {
        let planned = estimate.largest?.bytes ?? 0
        for host in try HostMemory.shortages(planned, communicator) where communicator.rank == 0 {
            Self.note(
                "warning: \(host.name): \(host.ranks.count) ranks plan \(planned >> 20) MiB each, "
                    + "\(host.available >> 20) MiB are available: lower --memory, or start fewer ranks there")
        }
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
