import Basics
import FileIO
import Foundation
import TestSupport
import Testing

/// Outputs that would destroy an input, or cannot be: refused before anything is read or made.
@Suite(.runsPrograms) struct OutputTests {
    /// Files whose content no command gets to see: what they are for is judged before.
    private func withFiles(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            for folder in ["data/shards", "scans", "taken"] { try FileContent.makeDirectory("\(directory)/\(folder)") }
            for file in [
                "weights.h5", "scan.nii.gz", "mask.nii.gz", "batch.h5", "theirs.safetensors", "out/froc.csv",
                "annotations.csv", "series.csv", "config.yaml", "data/dataset.json", "data/shards/fold0-00000.h5",
                "scans/a.nii.gz", "data/shards/scan.nii.gz", "plain",
            ] {
                try FileContent.makeDirectory(Path.directory(of: "\(directory)/\(file)"))
                try AtomicFile.write(file == "config.yaml" ? "epochs: 2\n" : file, to: "\(directory)/\(file)")
            }
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory)/link.csv", withDestinationPath: "scan.nii.gz")
            try FileManager.default.linkItem(atPath: "\(directory)/weights.h5", toPath: "\(directory)/hard.onnx")
            try body(directory)
        }
    }

    private func content(_ directory: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            let path = "\(directory)/\(name)"
            files[name] = FileContent.size(path) == nil ? [] : try FileContent.bytes(path)
        }
        return files
    }

    /// Arguments, in which a name of a file stands with `@` before it.
    @Test(arguments: [
        "detect --weights @weights.h5 --input @scan.nii.gz --output @scan.nii.gz",
        "detect --weights @weights.h5 --input @scan.nii.gz --output @link.csv",
        "detect --weights @weights.h5 --input @scan.nii.gz --output @weights.h5",
        "detect --weights @weights.h5 --input @scan.nii.gz --mask @mask.nii.gz --output @mask.nii.gz",
        "detect --weights @weights.h5 --input @scans --output @scans/a.nii.gz",
        "detect --weights @weights.h5 --input @scan.nii.gz --output @taken",
        "detect --weights @weights.h5 --input @scan.nii.gz --output @c.csv --pictures @plain",
        "detect --weights @weights.h5 --input @scan.nii.gz --output @c --pictures @c/",
        "weights export --weights @weights.h5 --output @weights.h5 --format onnx",
        "weights export --weights @weights.h5 --output @hard.onnx",
        "weights import --input @theirs.safetensors --output @theirs.safetensors",
        "weights import --input @theirs.safetensors --output @taken/",
        "replay --weights @weights.h5 --batch @batch.h5 --output @batch.h5",
        "replay --weights @weights.h5 --batch @batch.h5 --output @weights.h5",
        "replay batches --data @data --output @data/shards/fold0-00000.h5",
        "replay batches --data @data --config @config.yaml --output @config.yaml",
        "evaluate --candidates @out/froc.csv --annotations @annotations.csv --output @out",
        "evaluate --candidates @plain --annotations @out/froc.csv --output @out",
        "evaluate --candidates @plain --annotations @annotations.csv --output @plain",
        "train --data @data --run @data",
        "train --data @data --run @data/",
        "train --data @data --run @data/runs/first",
        "train --data @data --run @plain",
        "train --data @data --run @run --config @config.yaml --timeline @config.yaml",
        "train --data @data --run @run --timeline @data/dataset.json",
        "train --data @data --run @run --set initial_weights=@weights.h5 --timeline @weights.h5",
        "train --data @data --run @run --timeline @taken",
        "doctor --data @data --run @data",
        "doctor --data @data --timeline @data/dataset.json",
        "convert --input @data/shards/scan.nii.gz --output @data",
        "convert --input @scan.nii.gz --output @plain",
        "phantom --output @plain",
        "view @data --output @plain",
        "bench scaling --weak @data --output @plain",
    ])
    func anOutputThatDestroysIsRefused(command: String) throws {
        try withFiles { directory in
            let before = try content(directory)
            let run = try luna(command.split(separator: " ").map { String($0).replacing("@", with: "\(directory)/") })
            #expect(run.status == 64, "\(run.diagnosis)")
            #expect(run.diagnosis.hasPrefix("luna: --") && run.diagnosis.contains(": name "), "\(run.diagnosis)")
            #expect(try content(directory) == before)
        }
    }

    @Test(arguments: [
        "train --data d --run ''", "train --data '' --run r", "train --run= --data d", "doctor --run ''",
        "detect --weights w --input i --output ''", "detect --weights w --input '' --output o", "phantom --output ''",
        "convert --input i --output ''", "convert --input i --output o --masks ''", "view ''", "inspect ''",
        "weights export --weights w --output=", "evaluate --candidates c --annotations '' --output o",
        "bench scaling --weak w --output ''", "replay --weights w --batch b --output ''", "train --set '' --run r",
    ])
    func nothingIsNoPath(command: String) throws {
        try withTemporaryDirectory { directory in
            let arguments = command.split(separator: " ").map { $0 == "''" ? "" : String($0) }
            let run = try ProgramRun(lunaPath, arguments, directory: directory)
            #expect(run.status == 64 && run.diagnosis.contains("empty"), "\(run.diagnosis)")
            #expect(try FileContent.names(inDirectory: directory).isEmpty)
        }
    }

    /// HDF5 goes back and forth in its file, which a pipe does not allow.
    @Test(arguments: ["weights import --input @theirs.safetensors", "replay --weights @weights.h5 --batch @batch.h5"])
    func anHDF5FileIsNoDevice(command: String) throws {
        try withFiles { directory in
            let arguments = command.split(separator: " ").map { String($0).replacing("@", with: "\(directory)/") }
            for device in ["/dev/null", "/dev/stdout"] {
                let run = try luna(arguments + ["--output", device])
                #expect(run.status == 74 && run.diagnosis.contains("no regular file"), "\(run.diagnosis)")
            }
        }
    }

    /// Lines of examples are there to be copied, however narrow the terminal is.
    @Test(arguments: [
        "", "phantom", "convert", "inspect", "view", "train", "status", "detect", "evaluate", "weights",
        "weights import", "replay", "replay steps", "replay batches", "bench", "bench overlap", "bench scaling",
        "doctor",
    ])
    func examplesKeepTheirLines(command: String) throws {
        func help(_ columns: Int) throws -> [Substring] {
            let arguments = command.split(separator: " ").map(String.init) + ["--help"]
            let run = try ProgramRun(lunaPath, arguments, environment: ["COLUMNS": "\(columns)"])
            #expect(run.status == 0 && run.diagnosis.isEmpty)
            return run.output.split(separator: "\n", omittingEmptySubsequences: false)
        }
        let (wide, narrow) = (try help(1000), try help(60))
        func overview(_ lines: [Substring]) -> [Substring] { Array(lines.prefix { !$0.hasPrefix("USAGE: ") }) }
        #expect(overview(wide).filter { $0.hasPrefix("  ") } == overview(narrow).filter { $0.hasPrefix("  ") })
        #expect(overview(narrow).allSatisfy { $0.count <= 60 || $0.hasPrefix("  ") || !$0.contains(" ") })
        // Nothing else is lost or changed.
        func words(_ lines: [Substring]) -> [Substring] { lines.flatMap { $0.split(separator: " ") } }
        #expect(words(wide) == words(narrow))
    }
}
