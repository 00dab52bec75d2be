import TestSupport
import Testing

@testable import FileIO

/// The headers that lists of scans come with.
@Suite struct ListHeaderTests {
    private func names(_ text: String) throws -> [String] {
        let table = try CSVTable(bytes: Array(text.utf8), file: "list.csv", wanted: ["seriesuid"], hasHeader: false)
        return (0..<table.count).map { table.text($0, "seriesuid") }
    }

    @Test(arguments: [
        "1.2\n1.3\n", "seriesuid\n1.2\n1.3\n", "SeriesInstanceUID\n1.2\n1.3", "series_uid\r\n1.2\r\n1.3\r\n",
        "\"Series Instance UID\"\n1.2\n1.3\n", "seriesuid,fold\n1.2,0\n1.3,4\n", "fold,seriesuid\n0,1.2\n4,1.3\n",
        ",seriesuid\n0,1.2\n1,1.3\n", ",0\n0,1.2\n1,1.3\n", "Unnamed: 0,seriesuid,x\n0,1.2,a\n1,1.3,b\n",
        "0,1.2\n1,1.3\n", "1,1.2\n2,1.3\n", "1.2,0\n1.3,4\n", "PatientID,SeriesInstanceUID\np,1.2\nq,1.3\n",
        "\u{FEFF}seriesuid,\n1.2,\n1.3,\n",
    ])
    func theNamedColumnIsTaken(text: String) throws { #expect(try names(text) == ["1.2", "1.3"]) }

    @Test func ourNameGoesBeforeOthers() throws {
        #expect(try names("series,seriesuid\n7,1.2\n") == ["1.2"])
        let error = #expect(throws: InputError.self) { _ = try names("series,uid\n7,1.2\n") }
        #expect(error?.problem == "the columns series and uid could each be seriesuid")
        #expect(throws: InputError.self) { _ = try names(",name,site\n0,1.2,a\n") }
    }

    @Test func otherColumnsAreFoundWhateverTheirCase() throws {
        let text = ",SeriesInstanceUID,CoordX,coord_y,COORDZ,Diameter_MM\n0,1.2,1,2,3,4\n"
        let table = try CSVTable(
            bytes: Array(text.utf8), file: "list.csv", wanted: CSVTable.findingColumns, hasHeader: true)
        #expect(table.text(0, "seriesuid") == "1.2")
        #expect(try ["coordX", "coordY", "coordZ", "diameter_mm"].map { try table.number(0, $0) } == [1, 2, 3, 4])
    }

    @Test func diametersArePlausible() throws {
        let text = "seriesuid,coordX,coordY,coordZ,diameter_mm\na,0,0,0,1e300\na,0,0,0,0\na,0,0,0,-1\na,0,0,0,5\n"
        let table = try CSVTable(
            bytes: Array(text.utf8), file: "list.csv", wanted: CSVTable.findingColumns, hasHeader: true)
        let rules: [CSVTable.DiameterRule] = [.positive, .negativeIsUnknown, .any]
        let allowed = rules.map { rule in (0..<4).filter { (try? table.diameter($0, rule)) != nil } }
        #expect(allowed == [[3], [2, 3], [1, 2, 3]])
        let error = #expect(throws: InputError.self) { try table.diameter(0, .any) }
        #expect(error?.place == "line 2, diameter_mm" && error?.problem.contains("is 1e300") == true)
    }

    @Test func listsOfNothingInCommonAreRefused() throws {
        let all = try SeriesOverlap(of: "a.csv", ["1", "2", "2"], with: ["1", "2", "3"], "scans")
        #expect(all.note == nil)
        let some = try SeriesOverlap(of: "a.csv", ["1", "9", "8", "7", "6"], with: ["1"], "scans")
        #expect(some.note == "a.csv: 4 of 5 series are not among the 1 scans: 6, 7, 8, …")
        #expect(try SeriesOverlap(of: "a.csv", [String](), with: ["1"], "scans").note == nil)
        let error = #expect(throws: InputError.self) {
            try SeriesOverlap(of: "a.csv", ["007"], with: ["7"], "scans")
        }
        #expect(error?.file == "a.csv" && error?.problem.contains("such as 007, and none of them") == true)
    }
}
