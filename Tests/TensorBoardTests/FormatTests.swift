import Pictures
import Protobuf
import Testing

@testable import TensorBoard

/// Bytes as TensorBoard's own writer (2.21) makes them of the same entries.
@Suite struct FormatTests {
    /// RFC 3720, appendix B.4.
    @Test func checksumsAreThoseOfTheStandard() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
        let command: [UInt8] =
            [0x01, 0xC0, 0, 0] + [UInt8](repeating: 0, count: 12) + [0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14]
            + [0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        #expect(command.count == 48 && CRC32C.checksum(command) == 0xD996_3A56)
    }

    @Test func entriesAreThoseOfTensorBoard() {
        func stored(_ step: Int, _ content: Event.Content) -> String {
            let bytes = RecordFile.framed(Event(wallTime: 1000.5, step: step, content: content).encoded)
            return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(
            stored(0, .fileVersion)
                == "1800000000000000a37f4b22090000000000448f401a0d627261696e2e4576656e743a32aba33345")
        #expect(stored(7, .start) == "0f000000000000006d532b09090000000000448f4010073a020801fd6a5693")
        #expect(
            stored(300, .values([.scalar(tag: "loss/total", 0.75), .scalar(tag: "rate", -2)]))
                == "2e00000000000000c5cb57fa090000000000448f4010ac022a200a110a0a6c6f73732f746f74616c150000403f0a0b0a"
                + "047261746515000000c094cd9667")
        #expect(
            stored(1, .values([.text(tag: "note", markdown: "**ü**")]))
                == "2f000000000000006d5d1d50090000000000448f4010012a220a200a046e6f7465420c0807120042062a2ac3bc2a2a4a"
                + "0a0a060a0474657874200259c300fb")
    }

    /// Summary.Image: height, width, 3 for RGB, the PNG file.
    @Test func picturesAreStoredAsPNG() throws {
        let picture = Picture(width: 3, height: 2, color: Color(200, 10, 90))
        let event = Event(wallTime: 0, step: 1, content: .values([.image(tag: "p", picture)])).encoded
        func inner(_ bytes: ArraySlice<UInt8>, _ field: Int) throws -> ArraySlice<UInt8> {
            let fields = try #require(ProtobufReader.fields(bytes))
            for case (field, .bytes(let content)) in fields { return content }
            return []
        }
        let value = try inner(inner(event[...], 5), 1)
        let image = try #require(ProtobufReader.fields(inner(value, 4)))
        #expect(image.map(\.number) == [1, 2, 3, 4])
        #expect(
            image.map(\.value) == [.varint(2), .varint(3), .varint(3), .bytes(picture.png()[...])])
    }

    @Test func eventsAreReadBack() throws {
        let content = Event.Content.values([.scalar(tag: "a/b", 1), .text(tag: "ü", markdown: "x")])
        let summary = try #require(EventSummary(Event(wallTime: 2, step: 1 << 40, content: content).encoded[...]))
        #expect(summary.step == 1 << 40 && summary.tags == ["a/b", "ü"] && !summary.isVersion && !summary.isStart)
        // A summary whose value claims more bytes than there are.
        #expect(EventSummary([0x2A, 0x03, 0x0A, 0x05, 0x0A]) == nil)
    }

    /// Whatever is cut off or flipped, what is found is what stands before it.
    @Test func damagedRecordsEndTheFile() {
        let contents: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 40)]
        let bytes = contents.flatMap(RecordFile.framed)
        let ends = [19, 35, 91]
        #expect(RecordFile.records(in: bytes).map { Array($0.content) } == contents)
        #expect(RecordFile.records(in: bytes).map(\.place.upperBound) == ends)
        for cut in bytes.indices {
            let whole = ends.count { $0 <= cut }
            #expect(RecordFile.records(in: Array(bytes[..<cut])).count == whole)
            var flipped = bytes
            flipped[cut] ^= 0x10
            #expect(RecordFile.records(in: flipped).map { Array($0.content) } == Array(contents[..<whole]))
        }
        // A length of 2^64 - 1 under a right checksum.
        let length = [UInt8](repeating: 0xFF, count: 8)
        let sum = withUnsafeBytes(of: CRC32C.masked(length).littleEndian, Array.init)
        #expect(RecordFile.records(in: length + sum + [0, 0, 0, 0]).isEmpty)
    }
}
