import FileIO
import Foundation
import TestSupport
import Testing

@Suite(.runsPrograms) struct EvaluateCommandTests {
    /// Three scans; detector a finds the nodules of the first two, b that of the first.
    private func write(_ directory: String) throws -> [String] {
        let head = "seriesuid,coordX,coordY,coordZ"
        let lists = [
            "annotations.csv": "\(head),diameter_mm\n1,0,0,0,6\n2,0,0,0,6\n3,0,0,0,6\n",
            "a1.csv": "\(head),probability\n1,1,0,0,0.9\n",
            "a,2.csv": "\(head),probability\r\n2,1,0,0,0.8\r\n3,50,0,0,0.1\r\n",
            "b.csv": "\(head),probability\n1,1,0,0,0.9\n2,40,0,0,0.3\n",
            "folds.csv": "seriesuid,fold\n1,0\n2,1\n3,1\n", "series.csv": "1\n2\n3\n",
        ]
        for (name, text) in lists { try AtomicFile.write(text, to: "\(directory)/\(name)") }
        return ["evaluate", "--annotations", "\(directory)/annotations.csv", "--series", "\(directory)/series.csv"]
    }

    @Test func comparesDetectorsByFold() throws {
        try withTemporaryDirectory { directory in
            let output = "\(directory)/out"
            let arguments =
                try write(directory) + [
                    "--candidates", "new=\(directory)/a1.csv,\(directory)/a,2.csv", "--candidates",
                    "\(directory)/b.csv", "--folds", "\(directory)/folds.csv", "--bootstrap", "50", "--output", output,
                ]
            let run = try luna(arguments)
            #expect(run.status == 0, "\(run.diagnosis)")
            #expect(run.output.hasSuffix("\nCPM 0.667\n"))
            #expect(run.output.contains("pooled") && run.output.contains("new") && run.output.contains("-0.333"))
            let first = try Data(contentsOf: URL(fileURLWithPath: "\(output)/report.html"))
            let json = try Data(contentsOf: URL(fileURLWithPath: "\(output)/froc.json"))
            let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            #expect((object["comparison"] as? [Any])?.count == 2)
            #expect((object["counts"] as? [String: Int])?["detected"] == 2)
            #expect(try luna(arguments).status == 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(output)/report.html")) == first)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(output)/froc.json")) == json)
        }
    }

    @Test func wrongInput() throws {
        try withTemporaryDirectory { directory in
            let arguments = try write(directory) + ["--output", "\(directory)/out"]
            let b = "\(directory)/b.csv"
            let cases: [([String], Int32, String)] = [
                (["--candidates", "\(directory)/no.csv"], 65, "no.csv"),
                (["--candidates", "=\(b)"], 64, "NAME"),
                (["--candidates", b, "--candidates", b], 64, "two detectors are called b"),
                (["--candidates", b, "--folds", b], 65, "fold"),
                (["--candidates", b, "--data", directory], 65, "dataset.json"),
                (["--candidates", b, "--run", directory], 65, "metrics.jsonl"),
                ([], 64, "candidates"),
            ]
            for (extra, status, word) in cases {
                let run = try luna(arguments + extra)
                #expect(run.status == status && run.diagnosis.contains(word), "\(extra): \(run.diagnosis)")
            }
            #expect(FileContent.size("\(directory)/out/report.html") == nil)
        }
    }

    /// Scans 2 and 3 are of the training fold 1, scan 1 is held out.
    @Test func thresholdsAreChosenOnTrainingScans() throws {
        try withTemporaryDirectory { directory in
            let output = "\(directory)/out"
            _ = try write(directory)
            let head = "seriesuid,coordX,coordY,coordZ,probability,diameter_mm"
            try AtomicFile.write(
                "\(head)\n2,5,0,0,0.95,10\n2,1,0,0,0.9,10\n3,0,0,0,0.7512,6\n3,50,0,0,0.1,6\n", to: "\(directory)/t.csv"
            )
            try FileManager.default.createDirectory(atPath: "\(directory)/run", withIntermediateDirectories: true)
            try AtomicFile.write("validation_fold: 0\n", to: "\(directory)/run/config.yaml")
            let base = ["evaluate", "--sweep", "--annotations", "\(directory)/annotations.csv", "--output", output]
            let folds = ["--folds", "\(directory)/folds.csv"]
            let run = ["--run", "\(directory)/run"]
            let refusals: [([String], Int32, String)] = [
                (["--candidates", "\(directory)/a1.csv"] + folds + run, 65, "fold 0, such as 1, which was held out"),
                (["--candidates", "\(directory)/t.csv"] + run, 64, "add --data or --folds"),
                (["--candidates", "\(directory)/t.csv"] + folds, 64, "add --run, or --held-out"),
                (["--candidates", "\(directory)/t.csv", "--held-out", "1"] + folds + run, 64, "held out fold 0"),
                (
                    ["--candidates", "\(directory)/t.csv", "--series", "\(directory)/series.csv"] + folds + run, 65,
                    "series.csv: names 1 series of fold 0"
                ),
                (
                    ["--candidates", "\(directory)/t.csv", "--candidates", "\(directory)/b.csv"] + folds + run, 64,
                    "for one detector"
                ),
            ]
            for (extra, status, words) in refusals {
                let refused = try luna(base + extra)
                #expect(refused.status == status && refused.diagnosis.contains(words), "\(extra): \(refused.diagnosis)")
            }
            #expect(FileContent.size("\(output)/froc.json") == nil)

            for source in [run, ["--held-out", "0"]] {
                let swept = try luna(base + ["--candidates", "\(directory)/t.csv"] + folds + source)
                #expect(swept.status == 0, "\(swept.diagnosis)")
                #expect(swept.output.contains("thresholds on 2 training scans of fold 1 (fold 0 is held out):"))
                // The finding that is off the nodule takes the one that is on it, so no overlap is better.
                #expect(swept.output.contains("\nbest: --minimum-probability 0.7512\n"), "\(swept.output)")
                #expect(swept.diagnosis.contains("no measure of it"))
            }
            let json = try Data(contentsOf: URL(fileURLWithPath: "\(output)/froc.json"))
            let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            let sweep = try #require(object["sweep"] as? [String: Any])
            #expect(sweep["held_out_fold"] as? Int == 0 && sweep["folds"] as? [Int] == [1])
            #expect((sweep["best"] as? [String: Any])?["minimum_probability"] as? Double == 0.7512)
            let trials = try #require(sweep["trials"] as? [[String: Any]])
            let cpm = trials.compactMap { $0["cpm"] as? Double }
            #expect(trials.count == 7 && cpm[0] == object["cpm"] as? Double && cpm[6] < cpm[0])
        }
    }
}
