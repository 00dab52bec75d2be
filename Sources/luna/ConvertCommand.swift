import Annotations
import ArgumentParser
import Basics
import CT
import Detection
import FileIO
import Foundation
import PatchData
import Synchronization

struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Make a data set of patches and clean volumes from scans in LUNA16's layout.",
        discussion: """
            Scans are cleaned (lungs kept, 1 mm voxels, UInt8) into volumes/, then patches are cut from them into \
            shards/; dataset.json comes last. Started again after an interruption, it goes on where it stopped and \
            ends with the same bytes. Started again after it has ended, it converts what has changed since: sources/ \
            keeps size, times and checksum of every file that a scan was made from, and its annotations.

            A scan that cannot be read is named and the others are converted; without \
            --skip-bad no dataset.json is written then. Where there are no lung masks at all, luna segments the lungs \
            itself.

            Scans and masks are MetaImage (.mhd, .mha), NIfTI (.nii, .nii.gz) or NRRD (.nrrd, .nhdr). Scans are in HU: \
            one without air is refused, as is a mask of something else than lungs.

            EXAMPLES
              luna convert --input LUNA16 --output luna16-patches --jobs 8
              luna convert --input LUNA16/subset0 --output fold0 --masks LUNA16/seg-lungs-LUNA16 \\
                  --annotations LUNA16/CSVFILES/annotations.csv
              luna convert --input scan.nii.gz --masks lungs.nii.gz --output one
              luna convert --input phantoms --output small --crop-size 48 --jitter 8 --background-patches 2

            FORMS OF --annotations
              A list is known by its content. Places are world mm in LPS, whatever the scans' format.
              LUNA16       CSV: seriesuid,coordX,coordY,coordZ,diameter_mm
              MONAI        JSON: training, validation, test of image, box (x y z w h d), label 0
              DLCS24       CSV: ct_nifti_file,coordX,coordY,coordZ,w,h,d
              nnDetection  labelsTr, or its task's folder: <case>.nii.gz of instances, <case>.json
              LIDC-IDRI    XML, one file or a folder: outlines by 3 readers of 4; scans as DICOM, MetaImage, NRRD

            READING THE RESULT IN PYTHON
              import h5py
              shard = h5py.File("luna16-patches/shards/fold0-00000.h5")
              patch, scan = shard["patches"][0], shard["series"][0].decode()
            """)

    @Option(
        help: ArgumentHelp(
            "A LUNA16-layout directory, a subset of one, one scan, or a folder of DICOM slices.", valueName: "path"))
    var input: String

    @OptionGroup var reading: ScanOptions

    @Option(help: ArgumentHelp("The data set's directory, new or to be continued.", valueName: "dir"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "Nodules, in place of the annotations.csv found with the scans; forms: see above.", valueName: "path"))
    var annotations: String?

    @Option(
        help: ArgumentHelp(
            "Lung masks, in place of the seg-lungs-LUNA16 found with the scans; one scan's mask.", valueName: "path"))
    var masks: String?

    @Option(
        help: ArgumentHelp("Scans at a time, each in about twice its own memory. (default: the cores)", valueName: "n"))
    var jobs: Int?

    @Option(help: "The constants that the patches are made for.")
    var preset: Preset = .luna16

    @Option(
        help: ArgumentHelp("Side of the crops to train on. (default: the preset's, 96 or 128)", valueName: "voxels"))
    var cropSize: Int?

    @Option(help: ArgumentHelp("The distance that a crop can be moved in its patch.", valueName: "voxels"))
    var jitter: Int = 24

    @Option(help: ArgumentHelp("Patches per scan at random places.", valueName: "n"))
    var backgroundPatches: Int = 4

    @Option(help: "The seed of the random places.")
    var seed: UInt64 = 0

    @Flag(help: "Leave out scans that cannot be read, and finish without them.")
    var skipBad = false

    func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs is \(jobs), expected at least 1") }
        let size = cropSize ?? preset.cropSize
        guard size >= 16, size % 16 == 0, size <= 512 else {
            throw ValidationError("--crop-size is \(size), expected a multiple of 16 from 16 to 512")
        }
        guard 0...256 ~= jitter else { throw ValidationError("--jitter is \(jitter), expected 0 to 256") }
        guard 0...1000 ~= backgroundPatches else {
            throw ValidationError("--background-patches is \(backgroundPatches), expected 0 to 1000")
        }
    }

    func run() throws {
        try checkOutput()
        let source = try ScanSource(
            input, annotations: annotations, masks: masks, series: reading.series, acquisition: reading.acquisition,
            note: note)
        let layout = source.layout
        let options = ConversionOptions(
            preset: preset.rawValue, cropSize: cropSize ?? preset.cropSize, jitter: jitter,
            backgroundPatches: backgroundPatches, seed: seed)
        let converter = try Converter(
            layout: layout, output: output, options: options, jobs: jobs ?? ThreadPool.availableCores,
            skipBad: skipBad, segmentLungs: reading.segmentLungs, files: { try source.files(of: $0) },
            readScan: source.readScan, geometry: source.readGeometry)
        if layout.maskDirectory == nil, layout.maskFile == nil {
            note("no seg-lungs-LUNA16 found: luna segments the lungs; see --masks")
        }
        try compareAnnotations(converter.annotations, layout)
        try compareMasks(layout)
        let lines = Mutex(Lines(scans: layout.scans.count))
        let outcome = try converter.run { progress in lines.withLock { $0.update(progress) } }
        lines.withLock { $0.finish() }
        try report(outcome)
    }

    /// Checks that the directory can be written, and that no input lies in it: files that are no part of a data set
    /// are removed from its folders when it is continued.
    private func checkOutput() throws {
        var plan = OutputPlan()
        try plan.write(directory: output, as: "--output")
        for (path, name) in [(input, "--input"), (masks, "--masks"), (annotations, "--annotations")] {
            for folder in ["shards", "volumes"] {
                try OutputPlan.requireOutside("\(output)/\(folder)", of: "--output", path, name)
            }
        }
    }

    /// Holds the series of the list of annotations against the scans.
    ///
    /// - Throws: `InputError` where nothing is in common, unless it is one scan without a nodule beside a list of many.
    private func compareAnnotations(_ list: AnnotationList?, _ layout: LUNA16Layout) throws {
        guard let list else {
            note("no annotations.csv found: no nodules are known; see --annotations")
            return
        }
        if !list.isLUNA16 { note("\(list.path): read as \(list.form)") }
        let listed = try list.series(among: layout.scans.map(\.seriesUID))
        do {
            let overlap = try SeriesOverlap(
                of: list.path, listed, with: Set(layout.scans.map(\.seriesUID)), "scans of \(input)",
                remedy: "give the list of these scans with --annotations; for scans without a nodule, one of the "
                    + "header alone")
            if let text = overlap.note { note(text) }
        } catch let error as InputError where annotations == nil && layout.scans.count == 1 {
            note("\(error.file): \(error.problem): no nodule is known")
        }
    }

    /// Refuses a directory of masks that has none of any scan, where scans without one would all be segmented.
    private func compareMasks(_ layout: LUNA16Layout) throws {
        guard let masks, reading.segmentLungs, layout.maskDirectory != nil else { return }
        let found = try layout.scans.contains { try layout.maskPath(for: $0, segmentingLungs: true) != nil }
        guard !found else { return }
        throw InputError(
            masks,
            "holds a mask of none of the \(layout.scans.count) scans of \(input), such as "
                + "\(layout.scans[0].seriesUID).mhd", remedy: "leave out --masks to have luna segment all lungs")
    }

    private func report(_ outcome: Converter.Outcome) throws {
        if !outcome.missingSubsets.isEmpty {
            note("subsets not in the input: \(outcome.missingSubsets.map(String.init).joined(separator: ", "))")
        }
        for label in outcome.outsideLabels {
            note(
                "\(label.seriesuid): label at x \(label.x), y \(label.y), z \(label.z) mm lies outside its volume, "
                    + "left out"
            )
        }
        if outcome.unrecordedScans > 0 {
            note(
                "scans converted again because nothing told what they had been made from, as after an interruption or "
                    + "by an earlier luna: \(outcome.unrecordedScans)")
        }
        for scan in outcome.changedScans { note("converted again: \(scan.seriesUID): \(scan.change)") }
        for warning in outcome.warnings { note("warning: \(warning)") }
        for scan in outcome.badScans { note("cannot convert \(scan.seriesuid): \(scan.reason)") }
        guard let manifest = outcome.manifest else {
            throw InputError(
                input,
                "\(outcome.badScans.count) of \(converterTotal(outcome)) scans cannot be converted; "
                    + "\(output)/dataset.json is not written",
                remedy: skipBad
                    ? "no scan is left: repair them and run the same command again"
                    : "repair them and run the same command again, or leave them out with --skip-bad")
        }
        if let segmented = manifest.segmentedScans {
            note("lungs segmented by luna in \(segmented.count) scans: \(segmented.joined(separator: ", "))")
        }
        let left = outcome.badScans.isEmpty ? "" : ", \(outcome.badScans.count) left out"
        print(
            "\(output): \(manifest.scans) scans (\(outcome.convertedScans) converted now, "
                + "unchanged: \(outcome.keptScans)\(left)), \(manifest.nodules) nodules, \(manifest.patches) patches "
                + "of side \(manifest.patchSide) in \(manifest.folds.reduce(0) { $0 + $1.shards.count }) shards")
    }

    private func converterTotal(_ outcome: Converter.Outcome) -> Int {
        outcome.badScans.count + outcome.convertedScans + outcome.keptScans
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("luna: \(text)\n".utf8)) }

    /// A progress line per stage.
    private struct Lines {
        private var line: ProgressLine
        private var stage = Converter.Progress.Stage.scans

        init(scans: Int) { line = ProgressLine("scans", total: scans, showsRate: true) }

        mutating func update(_ progress: Converter.Progress) {
            if progress.stage != stage {
                line.finish()
                line = ProgressLine(progress.stage.rawValue, total: progress.total)
                stage = progress.stage
            }
            line.update(progress.completed, progress.detail)
        }

        mutating func finish() { line.finish() }
    }
}
