import ArgumentParser
import FileIO
import Foundation
import PatchData

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract:
            "Show what a data set, shard, clean volume, checkpoint or weight file holds, and verify its checksums.",
        discussion: """
            Everything is read once. Of a data set, the parts are held against one another, too: counts, every series \
            in one fold only, nodules inside their volumes, one patch for each. A flipped byte or a truncated file \
            ends with exit status 65 and one line that names the file and the object in it.

            EXAMPLES
              luna inspect luna16-patches
              luna inspect --files luna16-patches
              luna inspect luna16-patches/shards/fold0-00000.h5
              luna inspect --json runs/first/checkpoints/step-00001200.h5
            """)

    @Argument(help: "A data set directory or an HDF5 file.")
    var path: String

    @Flag(help: "List every file of a data set.")
    var files = false

    @OptionGroup var output: JSONOutputOption

    func run() throws {
        try ForeignInput.refuse(path)
        var line: ProgressLine?
        let inspection = try Inspection(path) { completed, total in
            var current = line ?? ProgressLine("verifying", total: total)
            current.update(completed)
            line = current
        }
        line?.finish()
        if output.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(inspection), as: UTF8.self))
            return
        }
        print("\(inspection.path): \(inspection.kind)")
        print(table(inspection.facts.map { ["  \($0.name)", shortened($0.value)] }))
        if !inspection.objects.isEmpty {
            let rows = inspection.objects.map {
                [
                    "  \($0.path)", $0.type, "\($0.shape)", "\($0.storedBytes)", $0.filters.joined(separator: ", "),
                    $0.isChecksummed ? "good" : "no checksum",
                ]
            }
            print(table([["  DATASET", "TYPE", "SHAPE", "STORED BYTES", "FILTERS", "CHECK"]] + rows))
        }
        if !inspection.folds.isEmpty {
            let rows = inspection.folds.map {
                [
                    "  \($0.fold)", "\($0.scans)", "\($0.nodules)", "\($0.patches)", "\($0.shards)",
                    megabytes($0.bytes),
                ]
            }
            print(table([["  FOLD", "SCANS", "NODULES", "PATCHES", "SHARDS", "MB"]] + rows))
        }
        for scan in inspection.skippedScans { print("  skipped \(scan.seriesuid), fold \(scan.fold): \(scan.reason)") }
        for label in inspection.outsideLabels {
            print(
                "  left out a label of \(label.seriesuid) at x \(label.x), y \(label.y), z \(label.z) mm, "
                    + "outside its volume")
        }
        if files {
            let rows = inspection.files.map {
                ["  \($0.path)", $0.patches.map(String.init) ?? "", "\($0.nodules)", "\($0.bytes)", "good"]
            }
            print(table([["  FILE", "PATCHES", "NODULES", "BYTES", "CHECK"]] + rows))
        }
        print("every checksum is right")
    }

    private func shortened(_ text: String) -> String {
        let line = text.replacing("\n", with: "⏎ ")
        return line.count > 100 ? "\(line.prefix(99))…" : line
    }

    private func megabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e6) }

    /// Columns as wide as their widest cell.
    private func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let padded = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
            let text = padded.joined(separator: "  ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}
