import FileIO
import TestSupport
import Testing

@Suite(.runsPrograms) struct ViewCommandTests {
    private func withDataset(
        _ body: (_ directory: String, _ tiny: TinyData, _ volume: String) throws -> Void
    ) throws {
        let tiny = try TinyData.shared.get()
        let fold = "\(tiny.patches)/volumes/fold0"
        let volume = "\(fold)/\(try #require(try FileContent.names(inDirectory: fold).first))"
        try withTemporaryDirectory { try body($0, tiny, volume) }
    }

    private func content(_ directory: String) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in try FileContent.names(inDirectory: directory) {
            result[name] = try FileContent.bytes("\(directory)/\(name)")
        }
        return result
    }

    @Test func everyKindIsDrawnTwiceAlike() throws {
        try withDataset { directory, tiny, volume in
            let candidates = "\(directory)/candidates.csv"
            let text = try String(
                decoding: FileContent.bytes("\(tiny.phantoms)/CSVFILES/annotations.csv"), as: UTF8.self
            ).split(separator: "\n").dropFirst().map {
                "\($0.split(separator: ",")[..<4].joined(separator: ",")),0.5\n"
            }
            try AtomicFile.write(
                "seriesuid,coordX,coordY,coordZ,probability\n" + text.joined(), to: candidates)
            let data = tiny.patches
            let cases: [(arguments: [String], pictures: [String])] = [
                ([volume], ["-slices.png"]),
                (["\(data)/shards/fold0-00000.h5"], ["fold0-00000-patches-01.png"]),
                (
                    [data, "--crops", "3", "--set", "validation_fold=null", "--set", "augment.swap=true"],
                    ["crops-epoch-1-01.png", "labels-epoch-1-01.png", "scans-01.png"]
                ),
                ([data, "--candidates", candidates, "--top", "2"], ["-candidates.png"]),
            ]
            for (index, test) in cases.enumerated() {
                var outputs: [[String: [UInt8]]] = []
                for pass in ["a", "b"] {
                    let output = "\(directory)/\(index)\(pass)"
                    let run = try luna(["view"] + test.arguments + ["--output", output])
                    #expect(run.status == 0, "\(run.diagnosis)")
                    let files = try content(output)
                    #expect(
                        run.output.split(separator: "\n").map(String.init).sorted()
                            == files.keys.map { "\(output)/\($0)" }.sorted())
                    #expect(files.values.allSatisfy { $0.starts(with: [137, 80, 78, 71]) })
                    outputs.append(files)
                }
                #expect(outputs[0] == outputs[1])
                for name in test.pictures { #expect(outputs[0].keys.contains { $0.hasSuffix(name) }) }
            }
        }
    }

    @Test func nothingIsReplacedSilently() throws {
        try withDataset { directory, tiny, volume in
            let output = "\(directory)/out"
            let first = try luna("view", volume, "--output", output, "--slices", "4")
            try #require(first.status == 0, "\(first.diagnosis)")
            let slices = try #require(try FileContent.names(inDirectory: output).first { $0.hasSuffix("slices.png") })
            let before = try content(output)
            let again = try luna("view", volume, "--output", output, "--slices", "5")
            #expect(again.status == 64 && again.diagnosis.contains("--overwrite"))
            #expect(try content(output) == before)
            let replaced = try luna("view", volume, "--output", output, "--slices", "5", "--overwrite")
            #expect(replaced.status == 0 && replaced.output.contains("\(slices) (replaced)"))
            #expect(try content(output)[slices] != before[slices])
        }
    }

    @Test func wrongUseAndBadInputHaveTheirStatus() throws {
        try withDataset { directory, tiny, volume in
            let (data, out) = (tiny.patches, "\(directory)/x")
            try AtomicFile.write("no picture", to: "\(directory)/file")
            try AtomicFile.write("seriesuid,coordX,coordY,coordZ,probability\n9,1,2,3,0.5\n", to: "\(directory)/c.csv")
            try AtomicFile.write("seriesuid,coordX\n", to: "\(directory)/bad.csv")
            var damaged = try FileContent.bytes(volume)
            damaged[damaged.count / 2] ^= 4
            try AtomicFile.write(damaged, to: "\(directory)/damaged.h5")
            let shard = "\(data)/shards/fold0-00000.h5"
            let cases: [(Int32, [String])] = [
                (0, ["--help"]), (64, [volume]), (64, ["--output", out]),
                (64, [volume, "--output", out, "--slices", "0"]), (64, [volume, "--output", out, "--top", "101"]),
                (64, [data, "--output", out, "--crops", "-1"]), (64, [data, "--output", out, "--epoch", "0"]),
                (64, [data, "--output", out, "--crops", "0", "--scans", "0"]),
                (64, [shard, "--output", out, "--candidates", "\(directory)/c.csv"]),
                (65, [data, "--output", out, "--candidates", "\(directory)/c.csv"]),
                (65, [data, "--output", out, "--candidates", "\(directory)/bad.csv"]),
                (65, [data, "--output", out, "--set", "crop_size=96"]),
                (65, [data, "--output", out, "--set", "augment.tilt=true"]),
                (65, [data, "--output", out, "--config", "\(directory)/none.yaml"]),
                (65, ["\(directory)/file", "--output", out]), (65, ["\(directory)/none.h5", "--output", out]),
                (65, [directory, "--output", out]), (65, ["\(directory)/damaged.h5", "--output", out]),
                (74, [volume, "--output", "\(directory)/file/out"]),
            ]
            for (status, arguments) in cases {
                let process = try luna(["view"] + arguments)
                #expect(process.status == status, "\(arguments): \(process.diagnosis)")
                #expect(process.diagnosis.split(separator: "\n").count == 1 || [0, 64].contains(status))
            }
            #expect(!FileContent.isDirectory(out))
        }
    }
}
