import FileIO
import Foundation
import TestSupport
import Testing

/// Inputs of which a part is bad, has changed, or does not belong to the rest.
@Suite(.runsPrograms) struct UnusableInputTests {
    private func text(_ path: String) throws -> String {
        String(decoding: try FileContent.bytes(path), as: UTF8.self)
    }

    /// One of four scans is cut off: the others are searched, and are not searched again once it is whole.
    @Test func detectGoesOnWithoutABadScan() throws {
        try withTinyRuns(["epochs": "1", "steps_per_epoch": "1", "output_prior": "null"]) { runs in
            let (run, directory) = (runs.run(), runs.directory)
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            let input = "\(directory)/scans"
            try FileManager.default.copyItem(atPath: runs.tiny.phantoms, toPath: input)
            func detect(_ output: String, _ options: String...) -> [String] {
                ["detect", "--weights", run.path, "--input", input, "--output", "\(directory)/\(output)"]
                    + options
            }
            func partial() throws -> [String] {
                try FileContent.names(inDirectory: directory).filter { $0.contains(".partial-") }
            }
            let whole = try luna(detect("whole.csv"))
            #expect(whole.status == 0, "\(whole.diagnosis)")
            #expect(try partial().isEmpty)
            let name = try #require(try runs.tiny.scans(fold: 2).first)
            let raw = "\(input)/subset2/\(name).raw"
            let bytes = try FileContent.bytes(raw)
            try AtomicFile.write(bytes.dropLast(99), to: raw)

            let others = try text("\(directory)/whole.csv").split(separator: "\n").filter { !$0.hasPrefix(name) }
            for arguments in [detect("found.csv"), detect("found.csv", "--threads", "1")] {
                let found =
                    arguments.contains("--threads") ? try mpirun(ranks: 2, arguments) : try luna(arguments)
                #expect(found.status == 65, "\(found.diagnosis)")
                #expect(found.diagnosis.contains("cannot search \(name): \(raw)"), "\(found.diagnosis)")
                #expect(found.diagnosis.contains("1 of 4 scans cannot be searched"), "\(found.diagnosis)")
                #expect(try text("\(directory)/found.csv").split(separator: "\n") == others)
                #expect(try partial() == ["found.csv.partial-0"] || arguments.contains("--threads"))
                #expect(found.diagnosis.contains("searched before") == arguments.contains("--threads"))
            }
            let skipped = try luna(detect("skipped.csv", "--skip-bad"))
            #expect(skipped.status == 0 && skipped.output.contains("in 3 scans, 1 left out"), "\(skipped.diagnosis)")
            #expect(try text("\(directory)/skipped.csv").split(separator: "\n") == others)
            // Repaired, only it is left to do.
            try AtomicFile.write(bytes, to: raw)
            let repaired = try luna(detect("found.csv"))
            #expect(repaired.status == 0 && repaired.diagnosis.contains("3 of 4 scans were searched before"))
            #expect(try text("\(directory)/found.csv") == text("\(directory)/whole.csv"))
            #expect(try partial().isEmpty)
            // Other options are another search, and one bad scan alone is an error.
            try AtomicFile.write(bytes.dropLast(99), to: raw)
            let alone = try luna(
                "detect", "--weights", run.path, "--input", raw.replacing(".raw", with: ".mhd"), "--output",
                "\(directory)/alone.csv", "--skip-bad")
            #expect(alone.status == 65 && FileContent.size("\(directory)/alone.csv") == nil)
        }
    }

    /// Killed after some scans, a search goes on to the same bytes.
    @Test func aKilledSearchGoesOn() throws {
        try withTinyRuns(["epochs": "1", "steps_per_epoch": "1", "output_prior": "null"]) { runs in
            let (run, directory) = (runs.run(), runs.directory)
            #expect(try luna(run.train()).status == 0)
            func detect(_ output: String) -> [String] {
                [
                    "detect", "--weights", run.path, "--input", runs.tiny.phantoms, "--output",
                    "\(directory)/\(output)", "--threads", "1",
                ]
            }
            #expect(try luna(detect("whole.csv")).status == 0)
            let record = "\(directory)/found.csv.partial-0"
            func lines() -> Int { ((try? FileContent.bytes(record)) ?? []).count { $0 == 10 } }
            let killed = try luna(detect("found.csv")) { run in
                if run.wait(until: { lines() > 1 }) { run.send(SIGKILL) }
            }
            try #require(killed.status == SIGKILL && lines() > 1, "\(killed.diagnosis)")
            let resumed = try luna(detect("found.csv"))
            #expect(resumed.status == 0 && resumed.diagnosis.contains("of 4 scans were searched before"))
            #expect(try text("\(directory)/found.csv") == text("\(directory)/whole.csv"))
            #expect(FileContent.size(record) == nil)
        }
    }

    @Test func listsOfOtherScansAreRefused() throws {
        try withTemporaryDirectory { directory in
            let head = "seriesuid,coordX,coordY,coordZ"
            let lists = [
                "annotations.csv": "\(head),diameter_mm\n1.1,0,0,0,6\n1.2,0,0,0,6\n",
                "candidates.csv": "\(head),probability\n1.1,1,0,0,0.9\n1.2,40,0,0,0.3\n1.7,40,0,0,0.3\n",
                "other.csv": "\(head),probability\n01.1,1,0,0,0.9\n", "series.csv": "1.1\n1.2\n1.3\n",
                "pandas.csv": ",SeriesInstanceUID,fold\n0,1.1,4\n1,1.2,4\n2,1.3,4\n", "others.csv": "2.1\n2.2\n",
                "folds.csv": "seriesuid,fold\n2.1,0\n", "excluded.csv": "\(head),diameter_mm\n2.2,0,0,0,-1\n",
                "wrong.csv": "\(head),diameter_mm\n1.1,0,0,0,1e300\n",
            ]
            for (name, text) in lists { try AtomicFile.write(text, to: "\(directory)/\(name)") }
            func evaluate(_ lists: [(String, String)], _ output: String = "out") throws -> ProgramRun {
                var files = ["candidates": "candidates.csv", "annotations": "annotations.csv"]
                for (option, file) in lists { files[option] = file }
                let options = files.sorted { $0.key < $1.key }.flatMap { ["--\($0)", "\(directory)/\($1)"] }
                return try luna(["evaluate", "--output", "\(directory)/\(output)", "--bootstrap", "0"] + options)
            }
            let plain = try evaluate([("series", "series.csv")])
            #expect(plain.status == 0 && plain.diagnosis.contains("1 series are not among the scans"))
            #expect(try evaluate([("series", "pandas.csv")]).output == plain.output)
            let cases: [([(String, String)], String)] = [
                ([("candidates", "other.csv")], "other.csv"),
                ([("candidates", "other.csv"), ("series", "series.csv")], "other.csv"),
                ([("series", "others.csv")], "names 3 series, such as 1.1, and none of them"),
                ([("folds", "folds.csv"), ("series", "series.csv")], "folds.csv"),
                ([("excluded", "excluded.csv"), ("series", "series.csv")], "excluded.csv"),
                ([("annotations", "wrong.csv")], "wrong.csv: line 2, diameter_mm"),
            ]
            for (lists, words) in cases {
                let run = try evaluate(lists, "bad")
                #expect(run.status == 65 && run.diagnosis.contains(words), "\(lists): \(run.diagnosis)")
            }
            #expect(!FileContent.isDirectory("\(directory)/bad"))
        }
    }

    /// Annotations of other scans are refused; scans without a nodule are converted, and looked at.
    @Test func scansWithoutNodules() throws {
        try withTemporaryDirectory { directory in
            let phantoms = try TinyData.shared.get().phantoms
            let (other, none) = ("\(directory)/other.csv", "\(directory)/none.csv")
            let head = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
            try AtomicFile.write(head + "1.2.3,0,0,0,5\n", to: other)
            try AtomicFile.write(head, to: none)
            func convert(_ list: String) -> [String] {
                [
                    "convert", "--input", phantoms, "--output", "\(directory)/data", "--crop-size", "32",
                    "--annotations", list,
                ]
            }
            let refused = try luna(convert(other))
            #expect(refused.status == 65 && refused.diagnosis.contains("names 1 series, such as 1.2.3, and none"))
            #expect(!FileContent.isDirectory("\(directory)/data"))
            let made = try luna(convert(none))
            #expect(made.status == 0 && made.output.contains("unchanged: 0"), "\(made.diagnosis)")
            let again = try luna(convert(none))
            #expect(again.output.contains("0 converted now, unchanged: 4") && again.output.contains("0 nodules"))
            let viewed = try luna("view", "\(directory)/data", "--output", "\(directory)/pictures")
            #expect(viewed.status == 0, "\(viewed.diagnosis)")
            #expect(viewed.diagnosis.contains("note: no crops are drawn") && viewed.output.contains("scans-01.png"))
            let nothing = try luna("view", "\(directory)/data", "--scans", "0", "--output", "\(directory)/none")
            #expect(nothing.status == 65 && nothing.diagnosis.contains("its scans have none"))
            let trained = try luna(
                "train", "--data", "\(directory)/data", "--run", "\(directory)/run", "--set", "validation_fold=null",
                "--set", "crop_size=32")
            #expect(trained.status == 65 && trained.diagnosis.contains("in any fold (validation_fold: null)"))
        }
    }

    /// An epoch without a finite gradient has no loss.
    @Test func anEpochOfLeftOutSteps() throws {
        try withTinyRuns(["steps_per_epoch": "1"]) { runs in
            let run = runs.run()
            let job = try mpirun(ranks: 1, limit: 60, fault: "nan:rank=0:step=1", run.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("epoch 1: no loss, 1 steps left out"), "\(job.diagnosis)")
            #expect(job.diagnosis.contains("every step of epoch 1 was left out"))
            #expect(!job.diagnosis.contains("loss 0.0000"))
            let lines = try run.lines("train")
            #expect(lines.count == 2)
            #expect(lines[0].contains("\"loss\":\"nan\"") && lines[0].contains("\"skipped\":1"))
            #expect(!lines[1].contains("skipped"))
        }
    }
}
