import FileIO
import Foundation
import TestSupport
import Testing

@Suite(.runsPrograms) struct DetectCommandTests {
    /// From the trained detector to a FROC, and its report.
    @Test func detectAndEvaluate() throws {
        let settings = ["epochs": "1", "steps_per_epoch": "2", "output_prior": "null"]
        try withTinyRuns(settings) { runs in
            let (run, directory, phantoms) = (runs.run(), runs.directory, runs.tiny.phantoms)
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            func detect(_ input: String, _ output: String, _ options: String...) -> [String] {
                ["detect", "--weights", run.path, "--input", input, "--output", "\(directory)/\(output)"] + options
            }
            let found = try luna(detect(run.data, "candidates.csv"))
            #expect(found.status == 0, "\(found.diagnosis)")
            let evaluated = try luna(
                "evaluate", "--candidates", "\(directory)/candidates.csv", "--annotations",
                "\(phantoms)/CSVFILES/annotations.csv", "--output", "\(directory)/evaluation", "--bootstrap", "10")
            #expect(evaluated.status == 0, "\(evaluated.diagnosis)")
            #expect(evaluated.output.split(separator: "\n").last?.hasPrefix("CPM 0.") == true)
            #expect(FileContent.size("\(directory)/evaluation/report.html") ?? 0 > 4000)
            // One of the phantoms' scans, straight from its MetaImage file.
            let scan = "\(try #require(try runs.tiny.scans(fold: 1).first)).mhd"
            let single = try luna(
                detect(
                    "\(phantoms)/subset1/\(scan)", "single.csv", "--mask", "\(phantoms)/seg-lungs-LUNA16/\(scan)",
                    "--pictures", "\(directory)/pictures", "--memory", "400M"))
            #expect(single.status == 0, "\(single.diagnosis)")
            #expect(single.output.contains("probability  diameter mm"))
            #expect(
                try FileContent.names(inDirectory: "\(directory)/pictures").allSatisfy { $0.hasSuffix("-findings.png") }
            )
            let tight = try luna(
                "detect", "--weights", run.latest, "--input", "\(phantoms)/subset1/\(scan)", "--output",
                "\(directory)/tight.csv", "--memory", "1M")
            #expect(tight.status == 64 && tight.diagnosis.contains("raise --memory"), "\(tight.diagnosis)")
            let held = String(decoding: try FileContent.bytes("\(directory)/candidates.csv"), as: UTF8.self)
            let alone = String(decoding: try FileContent.bytes("\(directory)/single.csv"), as: UTF8.self)
            #expect(held == alone)
            #expect(held.split(separator: "\n").count > 1)
            // All four, by one rank and by three.
            let all = try luna(detect(phantoms, "all.csv"))
            #expect(all.status == 0, "\(all.diagnosis)")
            let shared = try mpirun(ranks: 3, detect(phantoms, "shared.csv", "--threads", "1"))
            #expect(shared.status == 0, "\(shared.diagnosis)")
            #expect(try FileContent.bytes("\(directory)/shared.csv") == FileContent.bytes("\(directory)/all.csv"))
            let nowhere = try luna(detect(run.data, "none/candidates.csv"))
            #expect(nowhere.status == 74 && nowhere.diagnosis.contains("no directory"))
        }
    }
}
