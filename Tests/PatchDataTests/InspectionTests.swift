import FileIO
import TestSupport
import Testing

@testable import HDF5
@testable import PatchData

@Suite struct InspectionTests {
    private func withDataset(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let layout = try MadeScans.layout("\(directory)/in")
            _ = try MadeScans.converter(layout, "\(directory)/out").run()
            try body("\(directory)/out")
        }
    }

    @Test func everyKindIsRecognised() throws {
        try withDataset { out in
            let whole = try Inspection(out)
            #expect(whole.kind == "data set" && whole.files.count == 7)
            let shard = try Inspection("\(out)/shards/fold0-00000.h5")
            #expect(shard.kind == "patch shard" && shard.objects.count == 8)
            let unchecked = shard.objects.filter { !$0.isChecksummed }
            #expect(unchecked.isEmpty)
            #expect(shard.objects.first { $0.path == "/patches" }?.shape == [12, 51, 51, 51])
            #expect(try Inspection("\(out)/volumes/fold0/1.1.h5").kind == "clean volume")
        }
    }

    /// On one thread or many: the same findings, and of several damaged files the first in order.
    @Test func threadsDoNotChangeTheOutcome() throws {
        try withDataset { out in
            var calls: [[Int]] = []
            let results = try [1, 4].map { threads -> Inspection in
                var done: [Int] = []
                defer { calls.append(done) }
                return try Inspection(out, threads: threads) { done.append($0 + 100 * $1) }
            }
            #expect(results[0] == results[1])
            #expect(calls == [Array(701...707), Array(701...707)])
            for file in results[0].files.suffix(4) {
                var bytes = try FileContent.bytes("\(out)/\(file.path)")
                bytes[bytes.count / 2] ^= 1
                try AtomicFile.write(bytes, to: "\(out)/\(file.path)")
            }
            let first = "\(out)/\(results[0].files.suffix(4)[3].path)"
            for threads in [1, 2, 4, 4, 4] {
                #expect { _ = try Inspection(out, threads: threads) } throws: { ($0 as? InputError)?.file == first }
            }
        }
    }

    @Test func aFlippedByteOfAPatchIsNamed() throws {
        try withDataset { out in
            let path = "\(out)/shards/fold0-00000.h5"
            var bytes = try FileContent.bytes(path)
            let packed = try HDF5File(reading: path).dataset("/patches").rawChunk(row: 3).bytes
            let start = try #require(bytes.indices.first { bytes[$0...].starts(with: packed) })
            bytes[start + packed.count / 2] ^= 1
            try AtomicFile.write(bytes, to: path)
            func place(_ body: () throws -> Void) -> InputError? {
                do { try body() } catch { return error as? InputError }
                return nil
            }
            let inspected = place { _ = try Inspection(out) }
            #expect(inspected?.file == path && inspected?.place?.hasPrefix("/patches") == true)
            #expect(inspected?.problem.contains("letcher") == true)
            let dataset = try PatchDataset(directory: out)
            let read = place { for index in dataset.patches.indices { _ = try dataset.voxels(index) } }
            #expect(read?.file == path && read?.place == "/patches [3]")
        }
    }

    @Test func truncatedMissingAndForeignFilesAreNamed() throws {
        try withDataset { out in
            let path = "\(out)/shards/fold3-00000.h5"
            let bytes = try FileContent.bytes(path)
            try AtomicFile.write(bytes.dropLast(100), to: path)
            #expect { _ = try PatchDataset(directory: out) } throws: { ($0 as? InputError)?.file == path }
            #expect { _ = try Inspection(out) } throws: { ($0 as? InputError)?.file == path }
            // A clean volume in a shard's place.
            try AtomicFile.write(try FileContent.bytes("\(out)/volumes/fold0/1.1.h5"), to: path)
            #expect { _ = try ShardReader(path) } throws: { ($0 as? InputError)?.place == "attribute format" }
        }
    }

    /// Whole files that do not belong together: each disagreement is named.
    @Test func disagreementsAreNamed() throws {
        try withDataset { out in
            let good = try DatasetManifest(directory: out)
            #expect(try Inspection(out).folds.map(\.scans) == good.folds.map(\.scans))
            func problem(_ change: (inout DatasetManifest) -> Void) throws -> String {
                var manifest = good
                change(&manifest)
                try manifest.write(toDirectory: out)
                defer { try? good.write(toDirectory: out) }
                do {
                    _ = try Inspection(out)
                    return "none"
                } catch let error as InputError { return "\(error)" }
            }
            #expect(
                try problem { manifest in
                    let twice = manifest.folds[0].volumes[1]
                    manifest.folds[1].volumes.append(twice)
                    manifest.folds[1].scans += 1
                    manifest.folds[1].nodules += twice.nodules
                }.contains("1.2 is in fold 3 and in fold 0, expected in one"))
            #expect(try problem { $0.folds[0].scans += 1 }.contains("counts 4 scans and lists 3 volumes"))
            #expect(try problem { $0.folds[0].nodules += 1 }.contains("nodules, its volumes"))
            #expect(try problem { $0.folds[1].patches -= 1 }.contains("patches, its shards"))
            #expect(try problem { $0.folds[1].fold = 0 }.contains("fold 0"))
            #expect(
                try problem { manifest in
                    manifest.folds[0].nodules -= manifest.folds[0].volumes[1].nodules - 1
                    manifest.folds[0].volumes[1].nodules = 1
                }.contains("holds 1.2 with 2 nodules, expected 1.2 with 1"))
            // A scan whose volume is not there any more leaves patches of nobody.
            #expect(
                try problem { manifest in
                    let gone = manifest.folds[0].volumes.remove(at: 1)
                    manifest.folds[0].scans -= 1
                    manifest.folds[0].nodules -= gone.nodules
                }.contains("is of scan 1.2"))
        }
    }

    @Test func anotherVersionIsRefused() throws {
        try withDataset { out in
            let json = DatasetManifest.path(in: out)
            let text = String(decoding: try FileContent.bytes(json), as: UTF8.self)
            for (old, new) in [
                ("\"version\" : 1", "\"version\" : 2"), ("luna-dataset", "other"), ("\"folds\"", "\"f\""),
            ] {
                try AtomicFile.write(text.replacing(old, with: new), to: json)
                #expect { _ = try PatchDataset(directory: out) } throws: { ($0 as? InputError)?.file == json }
            }
            try AtomicFile.write(text.replacing("shards/fold0", with: "../fold0"), to: json)
            #expect(throws: InputError.self) { _ = try PatchDataset(directory: out) }
        }
    }
}
