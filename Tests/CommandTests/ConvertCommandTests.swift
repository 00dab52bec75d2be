import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct ConvertCommandTests {
    private func withPhantoms(size: Int = 64, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let made = try LunaProcess("phantom", "--output", "\(directory)/in", "--scans", "3", "--size", "\(size)")
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
            // Each gets a little further than the one before, so that every stage is cut off somewhere.
            for part in 1...10 {
                try LunaProcess.killed(
                    after: 0.04 * Double(part), "convert", "--input", input, "--output", "\(directory)/b",
                    "--crop-size", "32")
            }
            let resumed = try LunaProcess(
                "convert", "--input", input, "--output", "\(directory)/b", "--crop-size", "32", "--jobs", "2")
            #expect(resumed.status == 0)
            #expect(try content("\(directory)/a") == content("\(directory)/b"))
            let inspected = try LunaProcess("inspect", "\(directory)/b")
            #expect(inspected.status == 0 && inspected.output.contains("every checksum is right"))
        }
    }

    /// A disk that is full at some file: earlier files stay, nothing half-written is left, and with room again the conversion
    /// goes on to the bytes that it always has.
    @Test(arguments: [1, 40, 300]) func aFullDiskIsAnIOFailure(kilobytes: Int) throws {
        try withPhantoms { directory in
            let arguments = ["convert", "--input", "\(directory)/in", "--crop-size", "32", "--jobs", "1", "--output"]
            let full = try LunaProcess(fileLimit: 2 * kilobytes, arguments + ["\(directory)/a"])
            #expect(full.status == 74)
            #expect(full.diagnosis.contains("\(directory)/a/") && full.diagnosis.contains("File too large"))
            let left = try content("\(directory)/a")
            #expect(left["dataset.json"] == nil && !left.keys.contains { $0.contains(".tmp-") })
            let resumed = try LunaProcess(arguments + ["\(directory)/a"])
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            let whole = try LunaProcess(arguments + ["\(directory)/b"])
            #expect(whole.status == 0)
            let result = try content("\(directory)/a")
            let isSame = try content("\(directory)/b") == result
            #expect(isSame)
            for (name, bytes) in left where name != "conversion.json" { #expect(result[name] == bytes) }
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

    @Test func scansWithoutMasksAreNamed() throws {
        try withPhantoms(size: 96) { directory in
            let (input, masks) = ("\(directory)/in", "\(directory)/in/seg-lungs-LUNA16")
            let one = try #require(FileContent.names(inDirectory: masks).first { $0.hasSuffix(".mhd") })
            try FileManager.default.removeItem(atPath: "\(masks)/\(one)")
            let arguments = ["convert", "--input", input, "--output", "\(directory)/a", "--crop-size", "32"]
            let refused = try LunaProcess(arguments)
            #expect(refused.status == 65 && refused.diagnosis.contains("--segment-lungs"))
            let asked = try LunaProcess(arguments + ["--segment-lungs"])
            #expect(
                asked.status == 0 && asked.diagnosis.contains("lungs segmented by luna in 1 scans: \(one.dropLast(4))"))
            try FileManager.default.removeItem(atPath: masks)
            let none = try LunaProcess(
                "convert", "--input", input, "--output", "\(directory)/b", "--crop-size", "32")
            #expect(none.status == 0 && none.diagnosis.contains("no seg-lungs-LUNA16 found: luna segments the lungs"))
        }
    }

    /// One of the phantoms, its voxels described by an NRRD header too: the same clean volume.
    @Test func oneScanOfAnotherFormatIsConverted() throws {
        try withPhantoms { directory in
            for subset in 0..<3 {
                let folder = "\(directory)/in/subset\(subset)"
                let name = try #require(FileContent.names(inDirectory: folder).first { $0.hasSuffix(".mhd") })
                let scan = String(name.dropLast(4))
                let lines = try String(decoding: FileContent.bytes("\(folder)/\(name)"), as: UTF8.self).split(
                    separator: "\n")
                func words(_ key: String) throws -> [Substring] {
                    let line = try #require(lines.first { $0.hasPrefix("\(key) = ") })
                    return line.dropFirst(key.count + 3).split(separator: " ")
                }
                let spacing = try words("ElementSpacing").compactMap { Double($0) }
                let matrix = try words("TransformMatrix").compactMap { Double($0) }
                let directions = (0..<3).map { axis in
                    "(" + (0..<3).map { "\(matrix[3 * axis + $0] * spacing[axis])" }.joined(separator: ",") + ")"
                }
                let header = """
                    NRRD0004
                    type: int16
                    dimension: 3
                    space: LPS
                    sizes: \(try words("DimSize").joined(separator: " "))
                    space directions: \(directions.joined(separator: " "))
                    space origin: (\(try words("Offset").joined(separator: ",")))
                    endian: little
                    encoding: raw
                    data file: \(folder)/\(scan).raw

                    """
                let made = "\(directory)/\(scan).nhdr"
                try AtomicFile.write(header, to: made)
                let mask = "\(directory)/in/seg-lungs-LUNA16/\(name)"
                var volumes: [[UInt8]] = []
                for (input, output) in [("\(folder)/\(name)", "m\(subset)"), (made, "n\(subset)")] {
                    let process = try LunaProcess(
                        "convert", "--input", input, "--masks", mask, "--output", "\(directory)/\(output)",
                        "--crop-size",
                        "32")
                    try #require(process.status == 0, "\(process.diagnosis)")
                    let fold = output.hasPrefix("m") ? subset : 0
                    let file = try HDF5File(reading: "\(directory)/\(output)/volumes/fold\(fold)/\(scan).h5")
                    volumes.append(try file.read("/volume", as: UInt8.self).values)
                }
                #expect(volumes[0] == volumes[1])
            }
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
