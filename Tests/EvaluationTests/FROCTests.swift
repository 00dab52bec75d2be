import Basics
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Evaluation

@Suite struct FROCTests {
    private func candidate(_ scan: String, _ x: Double, _ probability: Double) -> Candidate {
        Candidate(seriesUID: scan, x: x, y: 0, z: 0, probability: probability)
    }

    private func finding(_ scan: String, _ x: Double, _ diameter: Double) -> Finding {
        Finding(seriesUID: scan, x: x, y: 0, z: 0, diameter: diameter)
    }

    /// Two scans; a hit, a second hit, one on an excluded finding (−1 means 10 mm), a false positive, a missed nodule.
    @Test func everyKindOfCandidate() {
        let reference = ReferenceStandard(
            scans: ["a", "b"], nodules: [finding("a", 0, 6), finding("b", 0, 6)], excluded: [finding("a", 50, -1)])
        let matching = Matching(
            [
                candidate("a", 1, 0.9), candidate("a", 2, 0.8), candidate("a", 54.9, 0.7), candidate("a", 55, 0.6),
                candidate("b", 3, 0.5), candidate("c", 0, 0.4),
            ], reference)
        var counts = MatchCounts()
        counts.scans = 2
        counts.nodules = 2
        counts.detected = 1
        counts.falsePositives = 2  // 55 is 5 mm from the excluded finding, and 3 mm is not within a radius of 3
        counts.irrelevant = 1
        counts.double = 1
        #expect(matching.counts == counts)
        #expect(matching.unknownSeries == ["c"])
        #expect(matching.missed.map(\.seriesUID) == ["b"])
        #expect(matching.falsePositives.map(\.probability) == [0.6, 0.5])
    }

    /// A candidate that hits two nodules counts for both; one on a nodule never counts as irrelevant.
    @Test func sharedHits() {
        let reference = ReferenceStandard(
            scans: ["a"], nodules: [finding("a", 0, 10), finding("a", 4, 10)], excluded: [finding("a", 2, 10)])
        let matching = Matching([candidate("a", 2, 0.9)], reference)
        #expect(matching.counts.detected == 2 && matching.counts.irrelevant == 0 && matching.counts.falsePositives == 0)
    }

    @Test func hundredCandidatesAScan() {
        let many = (0..<150).map { candidate("a", Double($0), Double($0) / 200) }
        #expect(Matching.mostConfident(many).count == 100)
        #expect(Matching.mostConfident(many).allSatisfy { $0.probability > many[49].probability })
        // The 101st equals the 100th and the 60 before it: only those above stay.
        let tied = (0..<150).map { candidate("a", Double($0), $0 < 40 ? 0.9 : 0.5) }
        #expect(Matching.mostConfident(tied).count == 40)
        #expect(Matching.mostConfident(Array(many.prefix(100))).count == 100)
    }

    /// By hand: detected 0.9 and 0.6, false positives 0.7, 0.6 (tied) and 0.3; 2 scans, 4 nodules.
    @Test func curveByHand() {
        let marks = [(0.9, true), (0.7, false), (0.6, true), (0.6, false), (0.3, false)]
            .map { Mark(scan: 0, probability: $0.0, isNodule: $0.1) }
        let froc = FROC(marks, scans: 2, nodules: 4)
        #expect(froc.points.map(\.falsePositivesPerScan) == [0, 0, 0.5, 1, 1.5])
        #expect(froc.points.map(\.sensitivity) == [0, 0.25, 0.25, 0.5, 0.5])
        #expect(froc.sensitivity(at: 0) == 0.25)
        #expect(froc.sensitivity(at: 0.125) == 0.25)
        #expect(froc.sensitivity(at: 0.75) == 0.375)
        #expect(froc.sensitivity(at: 8) == 0.5)
        #expect(abs(froc.cpm - (0.25 * 3 + 0.5 * 4) / 7) < 1e-12)
    }

    @Test func nothingFoundAndNothingWrong() {
        let reference = ReferenceStandard(scans: ["a", "b"], nodules: [finding("a", 0, 6)], excluded: [])
        let none = EvaluationResult([], reference, resamples: 10)
        #expect(none.froc.cpm == 0 && none.matching.scansWithoutCandidates == 2)
        let perfect = EvaluationResult([candidate("a", 0, 1)], reference, resamples: 10)
        #expect(perfect.froc.cpm == 1)
        let healthy = EvaluationResult(
            [candidate("b", 9, 0.5)], ReferenceStandard(scans: ["b"], nodules: [], excluded: []), resamples: 10)
        #expect(healthy.froc.cpm == 0 && healthy.matching.counts.falsePositives == 1)
    }

    /// Resampling by weights is what evaluating the drawn scans one by one gives.
    @Test func weightsAreRepetitions() {
        var generator = CounterGenerator(seed: 1, purpose: "bootstrap test")
        let scans = (0..<6).map { "s\($0)" }
        let nodules = scans.flatMap { scan in (0..<2).map { finding(scan, Double(100 * $0), 10) } }
        let candidates = scans.flatMap { scan in
            (0..<20).map { _ in
                candidate(scan, generator.uniform(-20, 120), (generator.uniform() * 20).rounded() / 20)
            }
        }
        let matching = Matching(candidates, ReferenceStandard(scans: scans, nodules: nodules, excluded: []))
        let weights = [3, 0, 1, 0, 2, 0]
        let weighted = FROC(matching.marks, weights: weights, scans: 6, nodules: 12)
        var repeated: [Mark] = []
        for mark in matching.marks { repeated += Array(repeating: mark, count: weights[mark.scan]) }
        let truth = FROC(repeated, scans: 6, nodules: 12)
        for rate in FROC.rates {
            #expect(abs(weighted.sensitivity(at: rate) - truth.sensitivity(at: rate)) < 1e-12)
        }
        let bootstrap = Bootstrap(matching, resamples: 50, seed: 3)
        #expect(bootstrap == Bootstrap(matching, resamples: 50, seed: 3))
        #expect(bootstrap.cpm.lower <= bootstrap.cpm.mean && bootstrap.cpm.mean <= bootstrap.cpm.upper)
    }

    @Test func files() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/candidates.csv"
            let candidates = [
                candidate("1.02", 1.25, 0.75), candidate("<b>&", -3.5, 0.5), candidate("1.02", 40, 1e-7),
            ]
            try CandidateFile.write(candidates, to: path)
            #expect(try CandidateFile.read(path) == candidates)
            let reference = ReferenceStandard(
                scans: ["1.02", "<b>&"], nodules: [finding("1.02", 1, 6), finding("<b>&", 90, 6)], excluded: [])
            let result = EvaluationResult(candidates, reference, resamples: 20)
            try result.write(to: directory)
            let json = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: "\(directory)/froc.json")))
            let object = try #require(json as? [String: Any])
            #expect((object["sensitivity"] as? [Double])?.count == 7)
            #expect((object["counts"] as? [String: Int])?["nodules"] == 2)
            #expect(result.table.hasSuffix("\nCPM 0.500"))
            // What the figures cannot be compared without: two and one candidates in two scans, each with a nodule.
            #expect(object["excluded"] is NSNull && (object["hit_rule"] as? String) == EvaluationResult.hitRule)
            #expect((object["marks_per_scan"] as? [String: Double]) == ["mean": 1.5, "max": 2])
            #expect(
                (object["denominator"] as? [String: Int]) == ["scans": 2, "nodules": 2, "scans_with_nodules": 2])
            let terms = result.terms(excluded: "list.csv")
            #expect(terms.contains("Excluded findings: list.csv"))
            #expect(terms.contains("Candidates in a scan: 1.5 in the mean, 2 at most"))
            try result.write(to: directory, excluded: "list.csv")
            let text = try String(contentsOfFile: "\(directory)/froc.json", encoding: .utf8)
            #expect(text.contains("\"excluded\" : \"list.csv\""))
        }
    }

    @Test func hostileLists() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/list.csv"
            try AtomicFile.write(
                "seriesuid,coordX,coordY,coordZ,probability\r\na,1,2,3,0.5\r\nb,1,2,x,0.5\r\n", to: path)
            let word = #expect(throws: InputError.self) { try CandidateFile.read(path) }
            #expect(word?.description.contains("line 3") == true && word?.description.contains("coordZ") == true)
            try AtomicFile.write("seriesuid,coordX,coordY,probability\na,1,2,0.5\n", to: path)
            let column = #expect(throws: InputError.self) { try CandidateFile.read(path) }
            #expect(column?.description.contains("coordZ") == true)
            try AtomicFile.write("a\nb\na\n", to: path)
            #expect(throws: InputError.self) { try ReferenceStandard.series(path) }
        }
    }

    /// A published detector on all of LUNA16. The lists are LUNA16's own: set LUNA16_LISTS to the directory that holds
    /// them and `dpn26_candidates.csv`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["LUNA16_LISTS"] != nil))
    func knownAnswer() throws {
        let lists = try #require(ProcessInfo.processInfo.environment["LUNA16_LISTS"])
        let reference = ReferenceStandard(
            scans: try ReferenceStandard.series("\(lists)/seriesuids.csv"),
            nodules: try ReferenceStandard.findings("\(lists)/annotations.csv"),
            excluded: try ReferenceStandard.findings("\(lists)/annotations_excluded.csv"))
        let result = EvaluationResult(
            try CandidateFile.read("\(lists)/dpn26_candidates.csv"), reference, resamples: 0)
        let c = result.matching.counts
        let found = [c.nodules, c.detected, c.falsePositives, c.irrelevant, c.double]
        #expect(found == [1186, 1136, 46078, 5308, 186])
        let known = [0.69224, 0.76897, 0.82378, 0.86509, 0.89292, 0.91737, 0.93339]
        for (a, b) in zip(result.froc.sensitivities, known) { #expect(abs(a - b) < 6e-6) }
        #expect(abs(result.froc.cpm - 0.84197) < 6e-6)
    }
}
