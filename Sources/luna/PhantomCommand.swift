import ArgumentParser
import Basics
import CT
import FileIO
import Synchronization

struct PhantomCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Write a synthetic data set in LUNA16's layout, to try everything without the real one.",
        discussion: """
            Every scan has a thorax with lungs, ribs, spine, heart, branching vessels, noise, and 0 to 4 nodules of \
            4 to 30 mm, some on the wall or on a vessel. Spacing differs by scan; some scans are stored flipped. Scans \
            go round the ten subsets in turn. The same seed gives the same bytes.

            EXAMPLES
              Twenty scans, about 60 MB, in some seconds:
                luna phantom --output phantoms
              A larger set with another seed:
                luna phantom --output phantoms --scans 100 --seed 7 --size 192
              Then:
                luna convert --input phantoms --output dataset
            """)

    @Option(help: ArgumentHelp("Directory to write; must not exist or be empty.", valueName: "dir"))
    var output: String

    @Option(help: "Number of scans, 1 to 10000.")
    var scans = 20

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 0

    @Option(help: "Voxels across the body, 64 to 512.")
    var size = 160

    func run() throws {
        let dataSet = try PhantomDataSet(scans: scans, seed: seed, size: size)
        let line = Mutex(ProgressLine("phantoms", total: scans))
        let pool = ThreadPool(threads: min(scans, ThreadPool.availableCores))
        defer { pool.stop() }
        let nodules = try dataSet.write(to: output, pool: pool) { done in line.withLock { $0.update(done) } }
        line.withLock { $0.finish() }
        print("\(output): \(scans) scans with \(nodules) nodules")
    }
}
