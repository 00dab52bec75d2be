import Evaluation
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Report

@Suite struct RunLogTests {
    private func log(_ lines: [String]) throws -> RunLog {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(lines.joined(separator: "\n"), to: "\(directory)/metrics.jsonl")
            return try RunLog(directory: directory)
        }
    }

    private func step(_ step: Int, _ loss: Double) -> String {
        "{\"kind\":\"step\",\"epoch\":1,\"step\":\(step),\"loss\":\(loss),\"learning_rate\":0.01,\"skipped\":false}"
    }

    /// Unknown kinds and keys, a line cut off, a run that was resumed.
    @Test func readsWhatItCan() throws {
        let log = try log([
            step(1, 4), step(2, 3), step(3, 9), "{\"kind\":\"resumed\",\"step\":1}", step(2, 2.5), "",
            "{\"kind\":\"validation\",\"epoch\":1,\"step\":2,\"loss\":1.5,\"new\":[1]}",
            "{\"kind\":\"froc\",\"epoch\":1,\"step\":2,\"cpm\":0.25,\"sensitivity\":[0,0,0,0,0,0,1]}",
            "{\"kind\":\"step\",\"epoch\":2,\"step\":3,\"loss\":null,\"skipped\":true}",
            "{\"kind\":\"step\",\"epoch\":2,\"step\":4,\"loss\":\"nan\",\"learning_rate\":0.01,\"skipped\":true}",
            "{\"kind\":\"step\",\"st",
        ])
        #expect(log.loss == [.init(step: 1, value: 4), .init(step: 2, value: 2.5)])
        #expect(log.validationLoss == [.init(step: 2, value: 1.5)])
        #expect(log.cpm == [.init(step: 2, value: 0.25)])
        #expect(log.epochs == 2 && log.skippedSteps == 2 && log.unreadableLines == 1)
        #expect(log.configuration == nil && log.checkpoints.isEmpty)
        #expect(TrainingPlots(log).figures.count == 4)
    }

    /// The states of a run and what chose them.
    @Test func theReportTellsWhichStatesThereAre() throws {
        try withTemporaryDirectory { directory in
            func froc(_ epoch: Int, _ cpm: String) -> String {
                "{\"kind\":\"froc\",\"epoch\":\(epoch),\"step\":\(10 * epoch),\"cpm\":\(cpm)}"
            }
            let lines = [froc(1, "0.25"), froc(2, "0.75"), froc(3, "0.75"), froc(4, "\"nan\""), froc(5, "0.5")]
            try AtomicFile.write(lines.joined(separator: "\n"), to: "\(directory)/metrics.jsonl")
            try AtomicFile.write("seed: 1\nvalidation_fold: 3  # held out\n", to: "\(directory)/config.yaml")
            try FileContent.makeDirectory("\(directory)/checkpoints")
            for name in ["step-00000020.h5", "step-00000050.h5"] {
                try AtomicFile.write("x", to: "\(directory)/checkpoints/\(name)")
            }
            try AtomicFile.write("step-00000020.h5\n", to: "\(directory)/checkpoints/best")
            let log = try RunLog(directory: directory)
            #expect(log.best == .init(epoch: 2, cpm: 0.75) && log.bestCheckpoint == "step-00000020.h5")
            #expect(log.heldOutFold == "3")
            var report = Report(
                EvaluationResult([], ReferenceStandard(scans: ["1"], nodules: [], excluded: []), resamples: 0))
            report.run = log
            report.excluded = "findings.csv"
            let page = try report.page()
            #expect(page.contains("Held out: fold 3."))
            #expect(page.contains("Newest checkpoint: step-00000050.h5"))
            #expect(page.contains("Best of 4 evaluations on the held-out scans: epoch 2, CPM 0.750: step-00000020.h5."))
            #expect(page.contains("Excluded findings: findings.csv."))
            #expect(page.contains("Scans: 1, with nodules: 0; nodules: 0."))
            try AtomicFile.write("gone.h5\n", to: "\(directory)/checkpoints/best")
            try AtomicFile.write("validation_fold: null\n", to: "\(directory)/config.yaml")
            let other = try RunLog(directory: directory)
            #expect(other.bestCheckpoint == nil)
            report.run = other
            #expect(try report.page().contains("No fold was held out"))
        }
    }

    @Test func notARun() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: InputError.self) { try RunLog(directory: directory) }
            #expect(throws: InputError.self) { try RunLog(directory: directory + "/missing") }
            try AtomicFile.write("", to: "\(directory)/metrics.jsonl")
            #expect(TrainingPlots(try RunLog(directory: directory)).figures.isEmpty)
        }
    }

    /// However long a run is, its curve has so many points, and each stands for its own steps.
    @Test func longRunsAreThinned() throws {
        let samples = (1...10_007).map { RunLog.Sample(step: $0, value: Double($0)) }
        let parts = RunLog.thinned(samples, to: 150)
        #expect(parts.count == 150)
        for (index, part) in parts.enumerated() {
            #expect(part.lower < part.median && part.median < part.upper)
            #expect(abs(part.step - part.median) <= 1)
            if index > 0 { #expect(part.step > parts[index - 1].step && part.lower > parts[index - 1].upper) }
        }
        // A wild step moves the median by nothing.
        var wild = samples
        wild[40].value = 1e30
        #expect(RunLog.thinned(wild, to: 150)[0].median - parts[0].median < 2)
        #expect(RunLog.thinned(Array(samples.prefix(3)), to: 150).map(\.median) == [1, 2, 3])
        #expect(RunLog.thinned([], to: 150).isEmpty)
    }
}
