import Basics
import Testing

@Suite struct JSONTests {
    private struct Record: Codable, Equatable {
        var stepSeconds = 0.5
        var annotationsCrc32: Int? = 7
        var seriesuid = "a/b"
        var isWaiting = true
        var byName = ["ownName": 1.0]

        enum CodingKeys: String, CodingKey {
            case stepSeconds, annotationsCrc32, seriesuid, byName
            case isWaiting = "waiting"
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func namesAndOrder() throws {
        let bytes = try JSON.encode(Record())
        #expect(
            text(bytes)
                == #"{"annotations_crc32":7,"by_name":{"ownName":1},"seriesuid":"a\/b","step_seconds":0.5,"#
                + #""waiting":true}"#)
        #expect(try JSON.decode(Record.self, from: bytes) == Record())
        #expect(text(try JSON.encode(["a/b"], escapesSlashes: false)) == #"["a/b"]"#)
        #expect(text(try JSON.encode(["a": 1], isIndented: true)) == "{\n  \"a\" : 1\n}")
        #expect(JSON.name(of: Record.CodingKeys.annotationsCrc32) == "annotations_crc32")
    }

    @Test func numbersThatAreNotFinite() throws {
        let bytes = try JSON.encode([Double.infinity, -.infinity, .nan])
        #expect(text(bytes) == #"["inf","-inf","nan"]"#)
        let values = try JSON.decode([Double].self, from: bytes)
        #expect(values[0] == .infinity && values[1] == -.infinity && values[2].isNaN)
        #expect(throws: DecodingError.self) { try JSON.decode([Double].self, from: Array(#"["Infinity"]"#.utf8)) }
    }
}
