import FileIO
import Foundation
import TestSupport
import Testing

@testable import Interchange

@Suite struct SafetensorsTests {
    /// A file with this header, whatever it is.
    private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + header.utf8 + data
    }

    private func read(_ bytes: [UInt8]) throws -> Safetensors {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(bytes, to: "\(directory)/a.safetensors")
            return try Safetensors(contentsOf: "\(directory)/a.safetensors")
        }
    }

    /// Bytes from the format's description: the header's length, sorted names, blanks up to a multiple of eight,
    /// values.
    @Test func writesTheFormat() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.safetensors"
            try Safetensors.write(
                [("b.weight", [1, 2], [1, -2]), ("a", [], [0.5])], metadata: ["k": "v/\n"], to: path)
            let header =
                #"{"__metadata__":{"k":"v/\n"},"a":{"data_offsets":[8,12],"dtype":"F32","shape":[]},"#
                + #""b.weight":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}}"#
            let padded = header + String(repeating: " ", count: 7 - (header.utf8.count + 7) % 8)
            #expect(padded.utf8.count % 8 == 0)
            #expect(
                try FileContent.bytes(path)
                    == file(padded, [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F]))
            let back = try Safetensors(contentsOf: path)
            #expect(back.metadata == ["k": "v/\n"])
            #expect(back.tensors.map(\.name) == ["b.weight", "a"])
            #expect(try back.tensors.map { try back.floats($0) } == [[1, -2], [0.5]])
        }
    }

    /// The reference reader takes null for no metadata, and types that others write.
    @Test func readsWhatTheReferenceReads() throws {
        let tensor = #""x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}"#
        let small = #""s":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[2,4]}"#
        for header in [
            "{\(tensor),\"__metadata__\":null}", "{\"__metadata__\":null,\(tensor)}", "{\"__metadata__\":{},\(tensor)}",
        ] {
            let found = try read(file(header, [0, 0x3E]))
            #expect(try found.metadata.isEmpty && found.floats(found.tensors[0]) == [1.5])
        }
        let found = try read(file("{\(tensor),\(small)}", [0, 0x3E, 1, 2]))
        #expect(try found.floats(found.tensors[0]) == [1.5])
        #expect(throws: InputError.self) { try found.floats(found.tensors[1]) }
        for metadata in ["[]", "3", #"{"a":null}"#, #"{"a":1}"#] {
            #expect(throws: InputError.self) { try read(file("{\"__metadata__\":\(metadata),\(tensor)}", [0, 0x3E])) }
        }
    }

    /// IEEE 754: 1.5 and -0.25 in each type, lowest byte first.
    @Test(
        arguments: [
            ("F32", [0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0xBE]), ("F16", [0, 0x3E, 0, 0xB4]),
            ("BF16", [0xC0, 0x3F, 0x80, 0xBE]),
            ("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0xD0, 0xBF]),
        ] as [(String, [UInt8])])
    func convertsFloats(_ type: String, _ data: [UInt8]) throws {
        let header = #"{"x":{"dtype":"\#(type)","shape":[2],"data_offsets":[0,\#(data.count)]}}"#
        let found = try read(file(header, data))
        #expect(try found.floats(found.tensors[0]) == [1.5, -0.25])
    }

    @Test(
        arguments: [
            ("F32", [0, 0, 0x80, 0x7F]), ("F16", [0, 0x7C]), ("BF16", [0xC0, 0x7F]),
            // 1e300, beyond 32 bits.
            ("F64", [0x9C, 0x75, 0x00, 0x88, 0x3C, 0xE4, 0x37, 0x7E]),
        ] as [(String, [UInt8])])
    func refusesWhatIsNotFinite(_ type: String, _ data: [UInt8]) throws {
        let header = #"{"x":{"dtype":"\#(type)","shape":[1],"data_offsets":[0,\#(data.count)]}}"#
        let found = try read(file(header, data))
        let error = #expect(throws: InputError.self) { try found.floats(found.tensors[0]) }
        #expect(error?.place == "x" && error?.problem.contains("not finite") == true)
    }

    private static func tensor(_ name: String, _ shape: String, _ offsets: String, _ type: String = "F32") -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":[\#(shape)],"data_offsets":[\#(offsets)]}"#
    }

    /// Headers over eight bytes of values, and what is wrong with each.
    private static let faulty: [(header: String, place: String?, problem: String)] = [
        ("", "the header", "no JSON object"),
        ("[]", "the header", "no JSON object"),
        (" {}", "the header", "no JSON object"),
        ("{\"a\":", "the header", "not as expected"),
        ("{\"a\":1}", "a", "not as expected"),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "a.data_offsets", "not as expected"),
        ("{\"__metadata__\":{\"a\":1}," + tensor("a", "2", "0,8") + "}", "__metadata__.a", "not as expected"),
        ("{\"a\u{0}\":{}}", "the header", "no JSON object"),
        ("{" + tensor("a", "2", "0,8") + "," + tensor("a", "2", "0,8") + "}", "the header", "`a` stands twice"),
        ("{" + tensor("a", "1", "0,4") + "," + tensor("\\u0061", "1", "4,8") + "}", "the header", "escape"),
        ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,8]}}", "the header", "`dtype`"),
        ("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," + tensor("a", "2", "0,8") + "}", "the header", "`k`"),
        ("{" + tensor("a", "2", "0,16") + "}", "a", "data_offsets [0, 16] in 8 bytes"),
        ("{" + tensor("a", "2", "8,0") + "}", "a", "data_offsets"),
        ("{" + tensor("a", "2", "-8,0") + "}", "a", "data_offsets"),
        ("{" + tensor("a", "2", "0") + "}", "a", "data_offsets"),
        ("{" + tensor("a", "2", "0,4,8") + "}", "a", "data_offsets"),
        ("{" + tensor("a", "3", "0,8") + "}", "a", "does not fill"),
        ("{" + tensor("a", "-2", "0,8") + "}", "a", "does not fill"),
        ("{" + tensor("a", "-1,-2", "0,8") + "}", "a", "does not fill"),
        ("{" + tensor("a", "4294967296,4294967296,4", "0,8") + "}", "a", "does not fill"),
        ("{" + tensor("a", "0,-1", "0,0") + "," + tensor("b", "2", "0,8") + "}", "a", "does not fill"),
        ("{" + tensor("a", "9223372036854775808", "0,8") + "}", "the header", "not as expected"),
        ("{" + tensor("a", "2.5", "0,8") + "}", "the header", "not as expected"),
        ("{" + tensor("a", "2", "0,8", "F31") + "}", "a", "none that is known"),
        ("{" + tensor("a", "1", "0,4") + "," + tensor("b", "2", "0,8") + "}", "b", "shares bytes"),
        ("{" + tensor("a", "1", "4,8") + "}", "a", "hole"),
        ("{" + tensor("a", "1", "0,4") + "}", nil, "4 bytes behind"),
        ("{}", nil, "8 bytes behind"),
    ]

    @Test(arguments: faulty.indices)
    func refusesHeadersByName(_ index: Int) {
        let (header, place, problem) = Self.faulty[index]
        let error = #expect(throws: InputError.self, "\(header)") {
            try read(file(header, [UInt8](repeating: 0, count: 8)))
        }
        #expect(error?.place == place && error?.problem.contains(problem) == true, "\(header): \(error as Any)")
    }

    @Test func refusesNestingWithoutEnd() {
        let deep = "{\"a\":" + String(repeating: "[", count: 1 << 16)
        #expect(throws: InputError.self) { try read(file(deep)) }
    }

    @Test(arguments: [0, 7, 100, UInt64.max, 1 << 63, 100_000_001] as [UInt64])
    func refusesLengthsThatTheFileDoesNotBear(_ length: UInt64) {
        let bytes = withUnsafeBytes(of: length.littleEndian, Array.init) + Array("{}".utf8)
        #expect(throws: InputError.self) { try read(bytes) }
        #expect(throws: InputError.self) { try read(Array(bytes.prefix(7))) }
    }

    /// No cut of a good file is one.
    @Test func refusesEveryCut() throws {
        let whole = file("{" + Self.tensor("a", "2", "0,8") + "}", [UInt8](repeating: 1, count: 8))
        #expect(try read(whole).tensors.count == 1)
        for count in whole.indices { #expect(throws: InputError.self) { try read(Array(whole[..<count])) } }
    }
}
