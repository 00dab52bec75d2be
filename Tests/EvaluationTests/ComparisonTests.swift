import Basics
import FileIO
import Foundation
import TestSupport
import Testing

@testable import Evaluation

@Suite struct ComparisonTests {
    private let reference: ReferenceStandard
    private let candidates: [Candidate]

    init() {
        var generator = CounterGenerator(seed: 4, purpose: "comparison test")
        let scans = (0..<12).map { "s\($0)" }
        let nodules = scans.dropFirst(2).flatMap { scan in
            (0..<2).map { Finding(seriesUID: scan, x: Double(60 * $0), y: 0, z: 0, diameter: 12) }
        }
        reference = ReferenceStandard(scans: scans, nodules: nodules, excluded: [])
        candidates = scans.flatMap { scan in
            (0..<25).map { _ in
                Candidate(
                    seriesUID: scan, x: generator.uniform(-20, 90), y: 0, z: 0,
                    probability: (generator.uniform() * 30).rounded() / 30)
            }
        }
    }

    /// A resample's CPM is that of its scans, evaluated as so many scans of different names.
    @Test func resamplesAreEvaluationsOfTheirScans() throws {
        let bootstrap = Bootstrap(Matching(candidates, reference), resamples: 20, seed: 9)
        for resample in 0..<20 {
            let weights = Bootstrap.draw(resample, seed: 9, scans: reference.scans.count)
            #expect(weights.reduce(0, +) == reference.scans.count)
            var copies = ReferenceStandard(scans: [], nodules: [], excluded: [])
            var found: [Candidate] = []
            for (scan, weight) in zip(reference.scans, weights) {
                for copy in 0..<weight {
                    let name = "\(scan) \(copy)"
                    copies.scans.append(name)
                    for var nodule in reference.nodules where nodule.seriesUID == scan {
                        nodule.seriesUID = name
                        copies.nodules.append(nodule)
                    }
                    for var candidate in candidates where candidate.seriesUID == scan {
                        candidate.seriesUID = name
                        found.append(candidate)
                    }
                }
            }
            let truth = EvaluationResult(found, copies, resamples: 0)
            let cpm = try #require(bootstrap.cpms[resample])
            #expect(abs(cpm - truth.froc.cpm) < 1e-9)
        }
    }

    @Test func threadsChangeNothing() {
        let matching = Matching(candidates, reference)
        let one = Bootstrap(matching, resamples: 200, seed: 5, threads: 1)
        #expect(one == Bootstrap(matching, resamples: 200, seed: 5, threads: 3))
        #expect(one != Bootstrap(matching, resamples: 200, seed: 6, threads: 3))
    }

    /// A detector differs from itself by nothing in every resample; one that misses what the other finds is worse in
    /// nearly all.
    @Test func differencesArePaired() throws {
        let result = EvaluationResult(candidates, reference, resamples: 200)
        let half = EvaluationResult(candidates.filter { abs($0.x - 60) > 6 }, reference, resamples: 200)
        let comparison = Comparison([("whole", result), ("same", result), ("half", half)])
        #expect(comparison.detectors[0].difference == nil && comparison.detectors[0].differenceInterval == nil)
        let same = try #require(comparison.detectors[1].differenceInterval)
        #expect(same.lower == 0 && same.upper == 0 && comparison.detectors[1].difference == 0)
        let worse = try #require(comparison.detectors[2].differenceInterval)
        #expect(worse.upper < 0 && worse.lower < worse.upper)
        // Paired, it is narrower than the two intervals together.
        let own = try #require(result.bootstrap?.cpm)
        let other = try #require(half.bootstrap?.cpm)
        #expect(worse.upper - worse.lower < (own.upper - own.lower) + (other.upper - other.lower))
        #expect(comparison.table.split(separator: "\n").count == 4)
        #expect(comparison.table.contains("whole") && comparison.table.contains("(+0.000 to +0.000)"))
    }

    @Test func filesAndNames() throws {
        try withTemporaryDirectory { directory in
            let header = "seriesuid,coordX,coordY,coordZ,probability\n"
            func make(_ name: String, _ row: String) throws -> String {
                try AtomicFile.write(header + row, to: "\(directory)/\(name)")
                return "\(directory)/\(name)"
            }
            let a = try make("a.csv", "1,0,0,0,0.5\n")
            let b = try make("b.csv", "2,0,0,0,0.5\n1,5,0,0,0.25\n")
            let odd = try make("x=1,y=2.csv", "3,0,0,0,0.5\n")
            func parse(_ text: String) throws -> [String] {
                let files = try DetectorFiles(text)
                return [files.name] + files.paths
            }
            #expect(try parse(a) == ["a", a])
            #expect(try parse("\(a),\(b)") == ["a", a, b])
            #expect(try parse("new=\(a),\(b)") == ["new", a, b])
            #expect(try parse(odd) == ["x=1,y=2", odd])
            #expect(try parse("odd one=\(b),\(odd),\(a)") == ["odd one", b, odd, a])
            #expect(try parse("n=missing.csv,\(a)") == ["n", "missing.csv", a])
            for wrong in ["", "=\(a)", "n=", "\(a),", "n=\(a),,\(b)"] {
                #expect(throws: UsageError.self) { try DetectorFiles(wrong) }
            }
            #expect(throws: UsageError.self) { try DetectorFiles.all([a, "a=\(b)"]) }
            let read = try DetectorFiles("both=\(a),\(b)").read()
            #expect(read.candidates.map(\.seriesUID) == ["1", "2", "1"] && read.repeated == ["1"])
            #expect(throws: InputError.self) { try DetectorFiles("n=missing.csv").read() }
        }
    }

    @Test func foldLists() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/folds.csv"
            try AtomicFile.write("seriesuid,fold\r\na,0\r\nb,9\r\na,0\r\n", to: path)
            #expect(try FoldList.read(path) == ["a": 0, "b": 9])
            for (text, word) in [("a,0\na,1\n", "line 3"), ("a,x\n", "x"), ("a,-1\n", "-1"), ("a,1.5\n", "1.5")] {
                try AtomicFile.write("seriesuid,fold\n" + text, to: path)
                let error = #expect(throws: InputError.self) { try FoldList.read(path) }
                #expect(error?.description.contains(word) == true)
            }
        }
    }

    @Test func frocFile() throws {
        let folds = Dictionary(uniqueKeysWithValues: reference.scans.enumerated().map { ($1, $0 % 3) })
        let result = EvaluationResult(candidates, reference, folds: folds, resamples: 30)
        let other = EvaluationResult([], reference, folds: folds, resamples: 30)
        let object = try withTemporaryDirectory { directory in
            try result.write(to: directory, comparison: Comparison([("one", result), ("two", other)]))
            return try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: "\(directory)/froc.json")))
        }
        let file = try #require(object as? [String: Any])
        #expect((file["sensitivity"] as? [Double])?.count == 7)
        // Reading JSON may cost the last bit.
        #expect(abs((file["cpm"] as? Double ?? 0) - result.froc.cpm) < 1e-12)
        let byFold = try #require((file["folds"] as? [String: Any])?["by_fold"] as? [[String: Any]])
        #expect(byFold.compactMap { $0["fold"] as? Int } == [0, 1, 2])
        #expect(byFold.compactMap { $0["scans"] as? Int } == [4, 4, 4])
        let detectors = try #require(file["comparison"] as? [[String: Any]])
        #expect(detectors.compactMap { $0["name"] as? String } == ["one", "two"])
        #expect(detectors[0]["difference"] == nil)
        #expect(abs((detectors[1]["difference"] as? Double ?? 0) + result.froc.cpm) < 1e-12)
        #expect(detectors[1]["difference_interval"] != nil)
        let table = try #require(result.foldTable)
        #expect(table.split(separator: "\n").count == 7 && table.contains("pooled"))
    }
}
