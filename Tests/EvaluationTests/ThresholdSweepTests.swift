import FileIO
import Testing

@testable import Evaluation

@Suite struct ThresholdSweepTests {
    private let folds = ["a": 0, "b": 1, "c": 1, "d": 2]

    private func candidate(_ series: String, _ x: Double, _ probability: Double) -> Candidate {
        Candidate(seriesUID: series, x: x, y: 0, z: 0, probability: probability, diameter: 10)
    }

    private func nodule(_ series: String) -> Finding { Finding(seriesUID: series, x: 0, y: 0, z: 0, diameter: 6) }

    @Test func scansOfTheCandidatesFolds() throws {
        let training = try TrainingScans(of: ["b", "b"], "b.csv", folds: folds, heldOut: 0)
        #expect(training.folds == [1] && training.scans == ["b", "c"])
        let listed = try TrainingScans(of: ["b"], "b.csv", list: (["d", "b"], "s.csv"), folds: folds, heldOut: nil)
        #expect(listed.folds == [1, 2] && listed.scans == ["d", "b"])
    }

    @Test func otherScansAreRefused() {
        func refusal(_ series: [String], list: (series: [String], file: String)? = nil) -> String? {
            do {
                _ = try TrainingScans(of: series, "found.csv", list: list, folds: folds, heldOut: 0)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(["b", "d"]) == nil)
        #expect(
            refusal(["b", "a"])?.hasPrefix("found.csv: names 1 series of fold 0, such as a, which was held") == true)
        #expect(refusal(["b", "x", "y"])?.contains("names 2 series of no known fold, such as x") == true)
        #expect(refusal(["b"], list: (["b", "a"], "s.csv"))?.hasPrefix("s.csv: names 1 series of fold 0") == true)
    }

    /// The curve's eighth false positive a scan is needed, since 8 is one of the rates, and none after it.
    @Test func findingsBeyondTheLastRateCostNothing() throws {
        let reference = ReferenceStandard(scans: ["b"], nodules: [nodule("b")], excluded: [])
        let found =
            [candidate("b", 0, 0.5)] + (1...20).map { candidate("b", 20 * Double($0), 1 - 0.045 * Double($0)) }
        // Eleven false positives are surer than the nodule.
        #expect(EvaluationResult(found, reference, resamples: 0).froc.neededThreshold == nil)
        let better = [candidate("b", 0, 0.8)] + found.dropFirst()
        let froc = EvaluationResult(better, reference, resamples: 0).froc
        #expect(froc.neededThreshold == 0.8)
        let training = try TrainingScans(of: ["b"], "b.csv", folds: ["b": 1], heldOut: 0)
        let sweep = ThresholdSweep(better, reference, training) { list, _ in list }
        #expect(sweep.trials.count == ThresholdSweep.overlaps.count + 1)
        for trial in sweep.trials {
            #expect(trial.minimumProbability == 0.8 && trial.candidates == 5 && trial.cpm == froc.cpm)
        }
        #expect(sweep.best.overlap == nil && froc.cpm > 0)
        #expect(sweep.table.hasSuffix("best: --minimum-probability 0.8000"))
        #expect(sweep.scope == "1 training scan of fold 1 (fold 0 is held out)")
    }

    /// The overlap that leaves out a false positive above the nodule is the best; one that takes the nodule is not.
    @Test func theBestOverlapWins() throws {
        let reference = ReferenceStandard(scans: ["b", "c"], nodules: [nodule("b")], excluded: [])
        let found = [candidate("b", 30, 0.9), candidate("b", 0, 0.6), candidate("b", 50, 0.1)]
        let training = try TrainingScans(of: ["b"], "b.csv", folds: folds, heldOut: nil)
        #expect(training.scans == reference.scans)
        let sweep = ThresholdSweep(found, reference, training) { list, overlap in
            overlap > 0.15 ? list : overlap > 0.05 ? Array(list.dropFirst()) : [list[0]]
        }
        #expect(sweep.best.overlap == 0.1 && sweep.best.cpm == 1 && sweep.best.minimumProbability == 0.6)
        #expect(sweep.trials.last?.cpm == 0 && sweep.trials.last?.minimumProbability == 0)
        #expect(sweep.table.hasSuffix("best: --overlap 0.1 --minimum-probability 0.6000"))
        #expect(sweep.warning.contains("2 training scans of fold 1 (no fold is held out)"))
    }

    /// Three false positives in 24 scans are 1/8 a scan, a step of the curve. Of 187 the original rounds their share up
    /// and takes the step's foot. What is left out does not move the sweep's figures.
    @Test func rateOnAStep() throws {
        let series = (0..<24).map { "s\($0)" }
        let found =
            [candidate("s0", 0, 0.9825)]
            + (1...187).map { candidate(series[$0 % 24], 20 * Double($0), 1 - 0.005 * Double($0)) }
        let reference = ReferenceStandard(scans: series, nodules: [nodule("s0")], excluded: [])
        let folds = Dictionary(uniqueKeysWithValues: series.map { ($0, 1) })
        let training = try TrainingScans(of: series, "s.csv", folds: folds, heldOut: 0)
        let sweep = ThresholdSweep(found, reference, training) { list, _ in list }
        #expect(abs(EvaluationResult(found, reference, resamples: 0).froc.cpm - 6.0 / 7) < 1e-6)
        #expect(sweep.trials.allSatisfy { $0.cpm == 1 && $0.candidates == 4 })
    }

    @Test func nodulesOfOtherScans() throws {
        let training = try TrainingScans(of: ["b"], "b.csv", folds: folds, heldOut: 0)
        #expect(try training.nodules([nodule("a"), nodule("c")], "n.csv") == [nodule("c")])
        #expect(throws: InputError.self) { try training.nodules([nodule("a")], "n.csv") }
    }
}
