import FileIO
import TestSupport
import Testing

@testable import Evaluation

/// Lists as other programs write them give the figures of the plain ones.
@Suite struct OddListsTests {
    private static let uids = (1...6).map { "1.3.6.1.\($0)" }

    private func file(_ directory: String, _ name: String, _ text: String) throws -> String {
        try AtomicFile.write(text, to: "\(directory)/\(name)")
        return "\(directory)/\(name)"
    }

    private func plainLists(_ directory: String) throws -> (annotations: String, candidates: String) {
        let head = "seriesuid,coordX,coordY,coordZ"
        let nodules = Self.uids.prefix(4).map { "\($0),0,0,0,6" }
        let found = Self.uids.enumerated().map { index, uid in "\(uid),\(index * 2),0,0,0.\(9 - index)" }
        return (
            try file(directory, "annotations.csv", ([head + ",diameter_mm"] + nodules).joined(separator: "\n")),
            try file(directory, "candidates.csv", ([head + ",probability"] + found).joined(separator: "\n"))
        )
    }

    private func result(_ series: String, _ annotations: String, _ candidates: String) throws -> EvaluationResult {
        let reference = ReferenceStandard(
            scans: try ReferenceStandard.series(series), nodules: try ReferenceStandard.findings(annotations),
            excluded: [])
        return EvaluationResult(try CandidateFile.read(candidates), reference, resamples: 0)
    }

    @Test func theFROCIsThatOfThePlainLists() throws {
        try withTemporaryDirectory { directory in
            let (annotations, candidates) = try plainLists(directory)
            func lines(_ head: String?, _ row: (Int, String) -> String) -> String {
                ((head.map { [$0] } ?? []) + Self.uids.enumerated().map { row($0, $1) }).joined(separator: "\n") + "\n"
            }
            let plain = try result(file(directory, "series.csv", lines(nil) { $1 }), annotations, candidates)
            #expect(plain.matching.counts.scans == 6 && plain.froc.cpm > 0 && plain.froc.cpm < 1)
            let odd = [
                lines("SeriesInstanceUID") { $1 }, lines("seriesuid,fold") { "\($1),\($0 % 2)" },
                lines(",seriesuid") { "\($0),\($1)" }, lines(",0") { "\($0),\($1)" }, lines(nil) { "\($0),\($1)" },
                lines("0") { $1 }, lines("my scans") { $1 }, lines("uid") { "\"\($1)\"" },
            ]
            for (index, text) in odd.enumerated() {
                let found = try result(file(directory, "odd\(index).csv", text), annotations, candidates)
                #expect(found.matching.counts == plain.matching.counts, "\(text)")
                #expect(found.froc.cpm == plain.froc.cpm, "\(text)")
            }
            // Candidates and annotations through pandas, with other names.
            func renamed(_ path: String) throws -> String {
                let rows = try String(decoding: FileContent.bytes(path), as: UTF8.self).split(separator: "\n")
                let head = rows[0].replacing("seriesuid", with: "SeriesInstanceUID")
                    .replacing("coordX", with: "coord_x")
                let text = ([",\(head)"] + rows.dropFirst().enumerated().map { "\($0),\($1)" }).joined(separator: "\n")
                try AtomicFile.write(text, to: path + ".pandas.csv")
                return path + ".pandas.csv"
            }
            let found = try result("\(directory)/series.csv", renamed(annotations), renamed(candidates))
            #expect(found.matching.counts == plain.matching.counts && found.froc.cpm == plain.froc.cpm)
        }
    }

    @Test func aHeaderThatNamesNoSeriesIsRefused() throws {
        try withTemporaryDirectory { directory in
            let text = "name,site\n" + Self.uids.map { "\($0),a\n" }.joined()
            let path = try file(directory, "series.csv", text)
            let error = #expect(throws: InputError.self) { try ReferenceStandard.series(path) }
            #expect(error?.place == "line 1" && error?.problem == "a header without a column seriesuid")
            // Names of one's own are no UIDs, and none of them is a header.
            #expect(try ReferenceStandard.series(file(directory, "own.csv", "left\nright\n")) == ["left", "right"])
        }
    }

    @Test(arguments: ["0", "1e300", "1000", "nan", "inf", ""])
    func impossibleDiametersAreNamedByLine(diameter: String) throws {
        try withTemporaryDirectory { directory in
            let text = "seriesuid,coordX,coordY,coordZ,diameter_mm\na,0,0,0,-1\na,0,0,0,\(diameter)\n"
            let path = try file(directory, "annotations.csv", text)
            let error = #expect(throws: InputError.self) { try ReferenceStandard.findings(path) }
            #expect(error?.file == path && error?.place == "line 3, diameter_mm")
        }
    }
}
