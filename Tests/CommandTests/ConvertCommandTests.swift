import FileIO
import Foundation
import HDF5
import TestSupport
import Testing

@Suite(.runsPrograms) struct ConvertCommandTests {
    /// Calls `body` with a directory and the path of phantoms, which all tests read.
    private func withPhantoms(_ body: (_ directory: String, _ input: String) throws -> Void) throws {
        let input = try TinyData.shared.get().phantoms
        try withTemporaryDirectory { try body($0, input) }
    }

    private func convert(_ input: String, _ output: String, _ options: String...) -> [String] {
        ["convert", "--input", input, "--output", output, "--crop-size", "32"] + options
    }

    /// The files that an undisturbed conversion of the phantoms makes.
    private static let whole = Result {
        let output = "\(try makeSharedDirectory())/whole"
        let suite = ConvertCommandTests()
        let made = try luna(suite.convert(try TinyData.shared.get().phantoms, output, "--jobs", "1"))
        try #require(made.status == 0, "\(made.diagnosis)")
        return try filesBelow(output)
    }

    /// Killed whenever it has got a file further, a conversion is cut off in every stage.
    @Test func killedConversionsEndWithTheSameBytes() throws {
        try withPhantoms { directory, input in
            let output = "\(directory)/out"
            func files() -> Int {
                let names = (try? FileManager.default.subpathsOfDirectory(atPath: output)) ?? []
                return names.count { !$0.contains(".tmp-") }
            }
            var kills = 0
            while kills < 100 {
                let before = files()
                let run = try luna(convert(input, output)) { run in
                    if run.wait(until: { files() > before }) { run.send(SIGKILL) }
                }
                if run.status == 0 { break }
                try #require(run.status == SIGKILL, "\(run.diagnosis)")
                kills += 1
            }
            // Before it dies, a conversion may get a few files further.
            #expect((4..<100).contains(kills))
            let resumed = try luna(convert(input, output, "--jobs", "2"))
            #expect(resumed.status == 0)
            #expect(try Self.whole.get() == filesBelow(output))
            let inspected = try luna("inspect", output)
            #expect(inspected.status == 0 && inspected.output.contains("every checksum is right"))
        }
    }

    /// A disk that is full at some file: earlier files stay, nothing half-written is left, and with room again the
    /// conversion goes on to the bytes that it always has.
    @Test(arguments: [1, 40, 300]) func aFullDiskIsAnIOFailure(kilobytes: Int) throws {
        try withPhantoms { directory, input in
            let output = "\(directory)/out"
            let full = try luna(convert(input, output, "--jobs", "1"), fileLimit: 2 * kilobytes)
            #expect(full.status == 74)
            #expect(full.diagnosis.contains("\(output)/") && full.diagnosis.contains("File too large"))
            let left = try filesBelow(output)
            #expect(left["dataset.json"] == nil && !left.keys.contains { $0.contains(".tmp-") })
            let resumed = try luna(convert(input, output, "--jobs", "1"))
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            let result = try filesBelow(output)
            let isSame = try Self.whole.get() == result
            #expect(isSame)
            for (name, bytes) in left where name != "conversion.json" { #expect(result[name] == bytes) }
        }
    }

    @Test func aFlippedByteEndsInspectWith65() throws {
        try withPhantoms { directory, input in
            let output = "\(directory)/out"
            let made = try luna(convert(input, output))
            try #require(made.status == 0, "\(made.diagnosis)")
            let shard = "\(output)/shards/fold1-00000.h5"
            var bytes = try FileContent.bytes(shard)
            bytes[bytes.count / 3] ^= 8
            try AtomicFile.write(bytes, to: shard)
            for path in [output, shard] {
                let inspected = try luna("inspect", path)
                #expect(inspected.status == 65)
                #expect(inspected.diagnosis.contains("\(shard): /patches"))
            }
            let mended = try luna(convert(input, output))
            #expect(mended.status == 0)
            let json = try luna("inspect", "--json", shard)
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(json.status == 0 && object?["kind"] as? String == "patch shard")
        }
    }

    @Test func scansWithoutMasksAreNamed() throws {
        try withTemporaryDirectory { directory in
            let (input, masks) = ("\(directory)/in", "\(directory)/in/seg-lungs-LUNA16")
            // Large enough that their lungs can be told.
            let made = try luna("phantom", "--output", input, "--scans", "3", "--size", "96")
            try #require(made.status == 0, "\(made.diagnosis)")
            let one = try #require(FileContent.names(inDirectory: masks).first { $0.hasSuffix(".mhd") })
            try FileManager.default.removeItem(atPath: "\(masks)/\(one)")
            let refused = try luna(convert(input, "\(directory)/a"))
            #expect(refused.status == 65 && refused.diagnosis.contains("--segment-lungs"))
            let asked = try luna(convert(input, "\(directory)/a", "--segment-lungs"))
            #expect(
                asked.status == 0 && asked.diagnosis.contains("lungs segmented by luna in 1 scans: \(one.dropLast(4))"))
            try FileManager.default.removeItem(atPath: masks)
            let none = try luna(convert(input, "\(directory)/b"))
            #expect(none.status == 0 && none.diagnosis.contains("no seg-lungs-LUNA16 found: luna segments the lungs"))
        }
    }

    /// One of the phantoms, its voxels described by an NRRD header too: the same clean volume.
    @Test func oneScanOfAnotherFormatIsConverted() throws {
        try withPhantoms { directory, phantoms in
            for subset in 0..<3 {
                let folder = "\(phantoms)/subset\(subset)"
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
                let mask = "\(phantoms)/seg-lungs-LUNA16/\(name)"
                var volumes: [[UInt8]] = []
                for (input, output) in [("\(folder)/\(name)", "m\(subset)"), (made, "n\(subset)")] {
                    let process = try luna(convert(input, "\(directory)/\(output)", "--masks", mask))
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
        try withPhantoms { directory, input in
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
                let process = try luna(arguments)
                #expect(process.status == status, "\(arguments): \(process.diagnosis)")
            }
            #expect(!FileContent.isDirectory("\(directory)/x"))
        }
    }
}
