import FileIO
import Foundation
import TestSupport
import Testing

@Suite struct ConvertCommandTests {
    private func withPhantoms(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let made = try LunaProcess("phantom", "--output", "\(directory)/in", "--scans", "3", "--size", "64")
            try #require(made.status == 0, "\(made.diagnosis)")
            try body(directory)
        }
    }

    private func content(_ directory: String) throws -> [String: Data] {
        var result: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
            let path = "\(directory)/\(name)"
            if FileContent.size(path) != nil { result[name] = try Data(contentsOf: URL(fileURLWithPath: path)) }
        }
        return result
    }

    @Test func killedConversionsEndWithTheSameBytes() throws {
        try withPhantoms { directory in
            let input = "\(directory)/in"
            let whole = try LunaProcess(
                "convert", "--input", input, "--output", "\(directory)/a", "--crop-size", "32", "--jobs", "1")
            try #require(whole.status == 0, "\(whole.diagnosis)")
            for seconds in [0.02, 0.05, 0.1, 0.15] {
                try LunaProcess.killed(
                    after: seconds, "convert", "--input", input, "--output", "\(directory)/b", "--crop-size", "32")
            }
            let resumed = try LunaProcess(
                "convert", "--input", input, "--output", "\(directory)/b", "--crop-size", "32", "--jobs", "2")
            #expect(resumed.status == 0)
            #expect(try content("\(directory)/a") == content("\(directory)/b"))
            let inspected = try LunaProcess("inspect", "\(directory)/b")
            #expect(inspected.status == 0 && inspected.output.contains("every checksum is right"))
        }
    }

    @Test func aFlippedByteEndsInspectWith65() throws {
        try withPhantoms { directory in
            let output = "\(directory)/out"
            let made = try LunaProcess(
                "convert", "--input", "\(directory)/in", "--output", output, "--crop-size", "32")
            try #require(made.status == 0, "\(made.diagnosis)")
            let shard = "\(output)/shards/fold1-00000.h5"
            var bytes = try FileContent.bytes(shard)
            bytes[bytes.count / 3] ^= 8
            try AtomicFile.write(bytes, to: shard)
            for path in [output, shard] {
                let inspected = try LunaProcess("inspect", path)
                #expect(inspected.status == 65)
                #expect(inspected.diagnosis.contains("\(shard): /patches"))
            }
            let mended = try LunaProcess(
                "convert", "--input", "\(directory)/in", "--output", output, "--crop-size", "32")
            #expect(mended.status == 0)
            let json = try LunaProcess("inspect", "--json", shard)
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(json.status == 0 && object?["kind"] as? String == "patch shard")
        }
    }

    @Test func wrongUseAndBadInputHaveTheirStatus() throws {
        try withPhantoms { directory in
            let input = "\(directory)/in"
            try FileContent.makeDirectory("\(directory)/empty")
            let cases: [(Int32, [String])] = [
                (64, ["convert", "--input", input]),
                (64, ["convert", "--input", input, "--output", "\(directory)/x", "--crop-size", "33"]),
                (64, ["convert", "--input", input, "--output", "\(directory)/x", "--jobs", "0"]),
                (64, ["convert", "--input", input, "--output", input]),
                (65, ["convert", "--input", "\(directory)/empty", "--output", "\(directory)/x"]),
                (
                    65,
                    ["convert", "--input", input, "--output", "\(directory)/x", "--annotations", "\(directory)/no.csv"]
                ),
                (65, ["inspect", "\(directory)/empty"]), (0, ["convert", "--help"]), (0, ["inspect", "--help"]),
            ]
            for (status, arguments) in cases {
                let process = try LunaProcess(arguments)
                #expect(process.status == status, "\(arguments): \(process.diagnosis)")
            }
            #expect(!FileContent.isDirectory("\(directory)/x"))
        }
    }
}
