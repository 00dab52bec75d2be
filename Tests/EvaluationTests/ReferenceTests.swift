import FileIO
import Foundation
import TestSupport
import Testing

@testable import Evaluation

/// Small random lists, and what scikit-learn makes of them (`scripts/fixtures/froc.py`): tied probabilities, more than
/// a hundred candidates in a scan, excluded findings, scans without candidates, Windows' line ends, candidates on two
/// nodules, unknown series, and rates that fall on a step of the curve.
@Suite struct ReferenceTests {
    private struct Case: Decodable {
        struct Expected: Decodable {
            var nodules, detected, false_positives, irrelevant, double, unknown: Int
            var sensitivity: [Double]
            var cpm: Double
            var fold_cpm: [String: Double]
            var fold_deviation: Double?
        }
        var name, series, annotations, excluded, candidates: String
        var folds: [String: Int]
        var expected: Expected
    }

    @Test func equalsTheReference() throws {
        let cases = try Repository.fixture("froc.json", as: [Case].self)
        #expect(cases.count == 41)
        for item in cases { try check(item) }
    }

    private func check(_ item: Case) throws {
        let result = try withTemporaryDirectory { directory -> EvaluationResult in
            func file(_ name: String, _ text: String) throws -> String {
                try AtomicFile.write(text, to: "\(directory)/\(name)")
                return "\(directory)/\(name)"
            }
            let reference = ReferenceStandard(
                scans: try ReferenceStandard.series(file("series.csv", item.series)),
                nodules: try ReferenceStandard.findings(file("annotations.csv", item.annotations)),
                excluded: try ReferenceStandard.findings(file("excluded.csv", item.excluded)))
            let candidates = try CandidateFile.read(file("candidates.csv", item.candidates))
            return EvaluationResult(candidates, reference, folds: item.folds, resamples: 0)
        }
        let (c, expected) = (result.matching.counts, item.expected)
        let found = [c.nodules, c.detected, c.falsePositives, c.irrelevant, c.double]
        let known = [
            expected.nodules, expected.detected, expected.false_positives, expected.irrelevant, expected.double,
        ]
        #expect(found == known, "\(item.name)")
        #expect(result.matching.unknownSeries.count == expected.unknown, "\(item.name)")
        for (found, known) in zip(result.froc.sensitivities, expected.sensitivity) {
            #expect(abs(found - known) < 1e-9, "\(item.name): \(found), expected \(known)")
        }
        #expect(abs(result.froc.cpm - expected.cpm) < 1e-9, "\(item.name)")

        guard Set(item.folds.values).count > 1 else {
            #expect(result.folds == nil)
            return
        }
        let folds = try #require(result.folds)
        let byFold = folds.folds.compactMap { fold in fold.cpm.map { (String(fold.fold), $0) } }
        #expect(Set(byFold.map(\.0)) == Set(expected.fold_cpm.keys), "\(item.name)")
        for (fold, cpm) in byFold {
            let known = try #require(expected.fold_cpm[fold])
            #expect(abs(cpm - known) < 1e-9, "\(item.name), fold \(fold)")
        }
        #expect(folds.folds.reduce(0) { $0 + $1.detected } == expected.detected)
        #expect(folds.folds.reduce(0) { $0 + $1.falsePositives } == expected.false_positives)
        if let known = expected.fold_deviation {
            let deviation = try #require(folds.cpm?.standardDeviation)
            #expect(abs(deviation - known) < 1e-9, "\(item.name)")
        } else {
            #expect(folds.cpm?.standardDeviation == nil)
        }
    }
}
