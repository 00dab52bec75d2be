import Testing

@testable import Protobuf

/// Against the examples of https://protobuf.dev/programming-guides/encoding/ and bytes worked out from its rules.
@Suite struct WireFormatTests {
    private func bytes(_ build: (inout ProtobufMessage) -> Void) -> [UInt8] { ProtobufMessage(build).bytes }

    @Test func integersAreVarints() {
        #expect(bytes { $0.add(1, integer: 150) } == [0x08, 0x96, 0x01])
        #expect(bytes { $0.add(1, integer: 0) } == [0x08, 0x00])
        // "-2" of the guide: ten bytes, two's complement.
        let minusTwo: [UInt8] = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        #expect(bytes { $0.add(2, integer: -2) } == [0x10] + minusTwo)
        // Field 16 is the first whose key takes two bytes: 16 << 3 = 0x80.
        #expect(bytes { $0.add(16, integer: 127) } == [0x80, 0x01, 0x7F])
    }

    @Test func textsAndMessagesHaveALength() {
        #expect(bytes { $0.add(2, string: "testing") } == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
        #expect(bytes { $0.add(3) { $0.add(1, integer: 150) } } == [0x1A, 0x03, 0x08, 0x96, 0x01])
        let long = bytes { $0.add(1, bytes: [UInt8](repeating: 7, count: 300)) }
        #expect(long.prefix(3) == [0x0A, 0xAC, 0x02] && long.count == 303)
    }

    @Test func repeatedIntegersArePacked() {
        #expect(
            bytes { $0.add(6, packed: [3, 270, 86942]) } == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
        #expect(bytes { $0.add(6, packed: []) }.isEmpty)
    }

    /// IEEE 754: 1 = 0x3F800000, -2 = 0xC000000000000000, lowest byte first.
    @Test func floatsAreLittleEndian() {
        #expect(bytes { $0.add(2, float: 1) } == [0x15, 0, 0, 0x80, 0x3F])
        #expect(bytes { $0.add(1, double: -2) } == [0x09, 0, 0, 0, 0, 0, 0, 0, 0xC0])
    }

    @Test func readerFindsWhatWasWritten() throws {
        let message = bytes {
            $0.add(1, double: 0.5)
            $0.add(2, integer: -3)
            $0.add(5) { $0.add(1, string: "é") }
            $0.add(536_870_911, float: 2)
        }
        let fields = try #require(ProtobufReader.fields(message[...]))
        #expect(fields.map(\.number) == [1, 2, 5, 536_870_911])
        #expect(fields[0].value == .fixed64(0x3FE0_0000_0000_0000))
        #expect(fields[1].value == .varint(UInt64.max - 2))
        #expect(fields[2].value == .bytes([0x0A, 0x02, 0xC3, 0xA9]))
        #expect(fields[3].value == .fixed32(0x4000_0000))
    }

    @Test(
        arguments: [
            [0x08], [0x08, 0x80], [0x12, 0x05, 0x01], [0x09, 1, 2, 3], [0x0D, 1, 2, 3], [0x00, 0x01], [0x0B],
            [0x0F, 0],
            // Eleven bytes, and ten with too many bits.
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            // A length of 2^64 - 1.
            [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00],
        ] as [[UInt8]])
    func readerRefuses(_ bytes: [UInt8]) {
        #expect(ProtobufReader.fields(bytes[...]) == nil)
    }

    /// Every cut of a message either is one itself or is refused; no cut traps.
    @Test func readerSurvivesEveryCut() {
        let message = bytes {
            $0.add(1, double: 0.5)
            $0.add(2, integer: 300)
            $0.add(5, string: "tag")
        }
        let whole = message.indices.filter { ProtobufReader.fields(message[..<$0]) != nil }
        #expect(whole == [0, 9, 12])
    }
}
