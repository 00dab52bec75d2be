import CT
import FileIO
import TestSupport
import Testing

@Suite struct ScanAnnotationsTests {
    private func read(_ text: String) throws -> [String: [NoduleAnnotation]] {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(text, to: "\(directory)/annotations.csv")
            return try ScanAnnotations.read("\(directory)/annotations.csv")
        }
    }

    @Test(arguments: ["1e300", "1e6", "1000", "0", "-1", "-0.0", "nan", "inf", "7mm", ""])
    func impossibleDiametersAreNamedByLine(diameter: String) throws {
        let head = "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,1,2,3,4.5\n\n"
        let error = #expect(throws: InputError.self) { try read(head + "1.3,1,2,3,\(diameter)\n") }
        #expect(error?.file.hasSuffix("annotations.csv") == true && error?.place == "line 4, diameter_mm")
    }

    @Test func otherProgramsHeadersAreRead() throws {
        let plain = try read("seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,1,2,3,4.5\n1.2,-1,2,3,30\n")
        #expect(plain["1.2"]?.map(\.diameter) == [4.5, 30])
        let odd = try read(",SeriesInstanceUID,coordX,coordY,coordZ,diameter_mm\n0,1.2,1,2,3,4.5\n1,1.2,-1,2,3,30\n")
        #expect(odd == plain)
    }
}
