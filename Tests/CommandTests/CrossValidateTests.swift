import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/cross-validate`: folds one after another, what is done is left alone, all are evaluated together.
@Suite(.runsPrograms) struct CrossValidateTests {
    @Test func foldsAreTrainedAndEvaluatedTogether() throws {
        try withTinyRuns(["epochs": "1", "steps_per_epoch": "1", "replicas": "2", "threads": "1"]) { runs in
            let output = "\(runs.directory)/folds"
            func run(_ options: String...) throws -> ProgramRun {
                try script(
                    "scripts/cross-validate",
                    ["--data", runs.data, "--output", output, "--ranks", "1", "--unbound"] + options
                        + ["--", "--config", runs.configuration])
            }
            let annotations = "\(runs.tiny.phantoms)/CSVFILES/annotations.csv"
            // A task of an array runs one fold and evaluates nothing.
            let one = try run("--folds", "1", "--only-folds")
            #expect(one.status == 0, "\(one.diagnosis)")
            #expect(FileContent.size("\(output)/fold1/candidates.csv") != nil)
            #expect(!FileContent.isDirectory("\(output)/evaluation"))

            let all = try run(
                "--folds", "0-1", "--annotations", annotations, "--side-by-side", "2", "--detect", "--vote")
            #expect(all.status == 0, "\(all.diagnosis)")
            #expect(all.diagnosis.contains("fold 1 is done") && !all.diagnosis.contains("fold 1: training"))
            #expect(all.output.contains("CPM ") && all.output.contains("2 scans"))
            #expect(all.output.contains("fold 0: ") && all.output.contains("core-hours"))
            // Each fold's own scans, and no other, are searched by its detector.
            for fold in 0...1 {
                let configuration = String(
                    decoding: try FileContent.bytes("\(output)/fold\(fold)/run/config.yaml"), as: UTF8.self)
                #expect(configuration.contains("validation_fold: \(fold)\n"))
            }
        }
    }

    @Test(arguments: [
        (["--output", "o", "--annotations", "a"], "which data set"),
        (["--data", "d", "--output", "o"], "which nodules"),
        (["--data", "d", "--output", "o", "--only-folds"], "no data set"),
        (["--data", "d", "--output", "o", "--only-folds", "--folds", "10"], "no data set"),
        (["--data", ""], "--data needs a value"), (["--ranks", "none"], "--ranks needs a number"),
        (["--sideways"], "unknown option"),
    ]) func wrongUseIsNamed(_ arguments: [String], _ text: String) throws {
        let run = try script("scripts/cross-validate", arguments)
        #expect([64, 65].contains(run.status) && run.diagnosis.contains(text), "\(run.diagnosis)")
    }
}
