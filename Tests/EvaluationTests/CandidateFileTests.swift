import FileIO
import TestSupport
import Testing

@testable import Evaluation

@Suite struct CandidateFileTests {
    /// Series are named after files, which may be called anything.
    @Test func namesReadBackAsTheyWere() throws {
        let names = [
            "1.3.6.1", "a,b", "\"quoted\"", "a \"b\", c", "two\nlines", " blanks ", "tab\t", ",", "ä,ö", "\r\n",
        ]
        let candidates = names.enumerated().map { index, name in
            Candidate(
                seriesUID: name, x: Double(index), y: -2.5, z: 0.125, probability: 0.5,
                diameter: index % 2 == 0 ? 4.5 : nil)
        }
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a,b.csv"
            try CandidateFile.write(candidates, to: path)
            #expect(try CandidateFile.read(path) == candidates)
            #expect(try DetectorFiles(path).read().candidates == candidates)
            #expect(CandidateFile.isOwn(path))
            try AtomicFile.write("seriesuid,coordX,coordY,coordZ,diameter_mm\n", to: path)
            #expect(!CandidateFile.isOwn(path) && !CandidateFile.isOwn("\(directory)/none"))
        }
    }
}
