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
}
