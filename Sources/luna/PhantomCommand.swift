import ArgumentParser
import Basics
import CT
import FileIO
import Synchronization

extension PhantomStyle: ExpressibleByArgument {}

struct PhantomCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Write a synthetic data set in LUNA16's layout, to try everything without the real one.",
        discussion: """
            Every scan has a thorax with lungs, ribs, spine, heart, branching vessels, noise, and 0 to 4 nodules of \
            4 to 30 mm, some on the wall or on a vessel. Spacing differs by scan; some scans are stored flipped. Scans \
            go round the ten subsets in turn. The same seed gives the same bytes.

            That is the simple style, for a trial. With --style hard a scan is a window of an adult's chest, with \
            nodules distributed as LUNA16's (3 to 33 mm, two a scan on average; solid, part-solid, ground-glass; at \
            walls, fissures and vessels), trees of vessels and airways, scars, granulomas and lymph nodes that are not \
            annotated, and kernels, noise, slices and breathing as scanners have them: a measure for detectors. \
            CSVFILES/findings.csv then says what everything is, and annotations_excluded.csv lists what is below 3 mm.

            EXAMPLES
              Twenty scans, about 60 MB, in some seconds:
                luna phantom --output phantoms
              A larger set with another seed:
                luna phantom --output phantoms --scans 100 --seed 7 --size 192
              A hundred and twenty scans to measure detectors with:
                luna phantom --output hard --style hard --scans 120 --seed 1
              Then:
                luna convert --input phantoms --output dataset
            """)

    @Option(help: ArgumentHelp("Directory to write; must not exist or be empty.", valueName: "dir"))
    var output: String

    @Option(help: "Number of scans, 1 to 10000.")
    var scans = 20

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 0

    @Option(help: "Voxels across the body, or the window of it, 64 to 512.")
    var size = 160

    @Option(help: "The phantoms' look and difficulty.")
    var style = PhantomStyle.simple

    func run() throws {
        var plan = OutputPlan()
        try plan.write(directory: output, as: "--output")
        let dataSet = try PhantomDataSet(scans: scans, seed: seed, size: size, style: style)
        let line = Mutex(ProgressLine("phantoms", total: scans))
        let pool = ThreadPool(threads: min(scans, ThreadPool.availableCores))
        defer { pool.stop() }
        let nodules = try dataSet.write(to: output, pool: pool) { done in line.withLock { $0.update(done) } }
        line.withLock { $0.finish() }
        print("\(output): \(scans) scans with \(nodules) nodules")
    }
}
