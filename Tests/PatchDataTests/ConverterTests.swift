import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import PatchData

@Suite struct ConverterTests {
    @Test func aDataSetHoldsWhatTheScansHold() throws {
        try withTemporaryDirectory { directory in
            let layout = try MadeScans.layout("\(directory)/in")
            let outcome = try MadeScans.converter(layout, "\(directory)/out").run()
            #expect(outcome.convertedScans == 5 && outcome.keptScans == 0)
            #expect(outcome.missingSubsets == [1, 2, 4, 5, 6, 7, 8, 9])
            #expect(outcome.outsideLabels.count == 5)
            let dataset = try PatchDataset(directory: "\(directory)/out")
            #expect(dataset.patchSide == 51)  // ceil(32 / 0.75) + 2 * 4
            #expect(dataset.manifest.scans == 5 && dataset.manifest.nodules == 5)
            #expect(dataset.patches.count == 5 * 3 + 5)
            #expect(dataset.patches.count { $0.kind == .nodule && $0.fold == 0 } == 3)
            #expect(dataset.volumes(fold: 3).map(\.seriesUID) == ["2.1", "2.2"])
            for (index, patch) in dataset.patches.enumerated() {
                let volume = try #require(MadeScans.volumes[patch.seriesUID])
                #expect(patch.volumeExtent == volume.extent)
                let voxels = try dataset.voxels(index)
                // Voxel by voxel against the volume, padding outside.
                for place in stride(from: 0, to: voxels.count, by: 97) {
                    let v = patch.corner + ZYX(place / 51 / 51, place / 51 % 51, place % 51)
                    let inside = (0..<3).allSatisfy { 0..<volume.extent[$0] ~= v[$0] }
                    let expected = inside ? volume.voxels[(v.z * volume.extent.y + v.y) * volume.extent.x + v.x] : 170
                    #expect(voxels[place] == expected)
                }
                guard let target = patch.target else { continue }
                let nodule = patch.nodules[target]
                #expect(volume.nodules.contains(nodule))
                let middle = nodule.center.map { Int($0.rounded()) } - patch.corner
                #expect(voxels[(middle.z * 51 + middle.y) * 51 + middle.x] == 200)
            }
            // Both nodules of the scan reach into both of its patches.
            let several = dataset.patches.filter { $0.seriesUID == "1.2" && $0.kind == .nodule }
            #expect(several.map(\.nodules.count) == [2, 2] && several.map(\.target) == [0, 1])
        }
    }

    @Test func aCleanVolumeComesBack() throws {
        try withTemporaryDirectory { directory in
            let volume = try #require(MadeScans.volumes["1.2"])
            try CleanVolumeFile.write(volume, to: "\(directory)/v.h5", source: "test")
            let read = try CleanVolumeFile.read("\(directory)/v.h5")
            #expect(read.voxels == volume.voxels && read.extent == volume.extent && read.frame == volume.frame)
            #expect(read.nodules == volume.nodules && read.outsideLabels == volume.outsideLabels)
            #expect(read.seriesUID == "1.2")
        }
    }

    @Test func resumedConversionsEndWithTheSameBytes() throws {
        try withTemporaryDirectory { directory in
            let layout = try MadeScans.layout("\(directory)/in")
            _ = try MadeScans.converter(layout, "\(directory)/whole", jobs: 1).run()
            let whole = try MadeScans.content("\(directory)/whole")
            #expect(whole.keys.contains("dataset.json") && !whole.keys.contains("conversion.json"))

            // Killed after some scans: those files, half of another one, and no dataset.json.
            let out = "\(directory)/out"
            _ = try MadeScans.converter(layout, out, bad: ["1.3", "2.1"]).run()
            #expect(try !FileContent.names(inDirectory: out).contains("dataset.json"))
            try AtomicFile.write([1, 2, 3], to: "\(out)/volumes/fold0/1.3.h5.tmp-77")
            try AtomicFile.write([1, 2, 3], to: "\(out)/dataset.json.tmp-77")
            let resumed = try MadeScans.converter(layout, out).run()
            #expect(resumed.keptScans == 3 && resumed.convertedScans == 2)
            #expect(try MadeScans.content(out) == whole)

            // Killed while shards were written, and a damaged volume and shard.
            for damaged in ["volumes/fold3/2.2.h5", "shards/fold0-00000.h5"] {
                var bytes = try #require(whole[damaged])
                bytes[bytes.count / 2] ^= 4
                try AtomicFile.write(bytes, to: "\(out)/\(damaged)")
            }
            try FileManager.default.removeItem(atPath: "\(out)/shards/fold3-00000.h5")
            _ = try MadeScans.converter(layout, out).run()
            #expect(try MadeScans.content(out) == whole)

            // Nothing to do.
            let again = try MadeScans.converter(layout, out).run()
            #expect(again.convertedScans == 0)
            #expect(try MadeScans.content(out) == whole)
        }
    }

    /// A scan is called what its file is called.
    @Test func scansMayBeCalledAnything() throws {
        let names = [" before", "a \"b\"", "a,b", "after ", "two\nlines", "ä#1"]
        try withTemporaryDirectory { directory in
            for name in names {
                try FileContent.makeDirectory("\(directory)/in")
                try AtomicFile.write("", to: "\(directory)/in/\(name).mhd")
            }
            let layout = try LUNA16Layout(directory: "\(directory)/in")
            func convert() throws -> Converter.Outcome {
                try Converter(
                    layout: layout, output: "\(directory)/out", options: MadeScans.options, jobs: 2, skipBad: false
                ) { MadeScans.volume($0.seriesUID, extent: ZYX(9, 9, 9)) }.run()
            }
            #expect(try convert().convertedScans == names.count)
            #expect(try convert().keptScans == names.count)
            let dataset = try PatchDataset(directory: "\(directory)/out")
            #expect(Set(dataset.patches.map(\.seriesUID)) == Set(names))
            #expect(dataset.volumes(fold: 0).map(\.seriesUID) == names)
            #expect(try Inspection("\(directory)/out").files.compactMap(\.seriesuid) == names)
        }
    }

    @Test func badScansAreNamedAndTheOthersConverted() throws {
        try withTemporaryDirectory { directory in
            let layout = try MadeScans.layout("\(directory)/in")
            let out = "\(directory)/out"
            let outcome = try MadeScans.converter(layout, out, bad: ["2.1"]).run()
            #expect(outcome.manifest == nil && outcome.convertedScans == 4)
            #expect(outcome.badScans.map(\.seriesuid) == ["2.1"])
            #expect(outcome.badScans[0].reason.contains("2.1.mhd: DimSize: missing; download it again"))
            #expect(throws: InputError.self) { _ = try PatchDataset(directory: out) }
            let skipped = try MadeScans.converter(layout, out, bad: ["2.1"], skipBad: true).run()
            #expect(skipped.manifest?.scans == 4 && skipped.manifest?.skippedScans.count == 1)
            _ = try PatchDataset(directory: out)
        }
    }

    @Test func otherOptionsOrContentsAreRefused() throws {
        try withTemporaryDirectory { directory in
            let layout = try MadeScans.layout("\(directory)/in")
            let out = "\(directory)/out"
            _ = try MadeScans.converter(layout, out).run()
            var other = MadeScans.options
            other.seed = 6
            let changed = MadeScans.converter(layout, out, options: other)
            #expect(throws: UsageError.self) { _ = try changed.run() }
            // A directory with something else in it.
            try FileContent.makeDirectory("\(directory)/mine")
            try AtomicFile.write("thesis", to: "\(directory)/mine/thesis.txt")
            let mine = MadeScans.converter(layout, "\(directory)/mine")
            #expect(throws: UsageError.self) { _ = try mine.run() }
            #expect(try FileContent.names(inDirectory: "\(directory)/mine") == ["thesis.txt"])
            // A scan that the input no longer has.
            try FileManager.default.removeItem(atPath: "\(directory)/in/subset0/1.1.mhd")
            let fewer = MadeScans.converter(try LUNA16Layout(directory: "\(directory)/in"), out)
            #expect(throws: UsageError.self) { _ = try fewer.run() }
        }
    }
}
