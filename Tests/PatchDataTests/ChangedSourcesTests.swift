import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import PatchData

/// Conversions of scans that have changed since an earlier one: what changed is made again, to the bytes of a fresh
/// conversion, and nothing else.
@Suite struct ChangedSourcesTests {
    private static let options = ConversionOptions(preset: "luna16", cropSize: 32, jitter: 4, backgroundPatches: 1)

    private func convert(_ input: String, _ output: String) throws -> Converter.Outcome {
        try Converter(
            layout: LUNA16Layout(directory: input), output: output, options: Self.options, jobs: 2, skipBad: false
        ).run()
    }

    /// Calls `body` with phantoms of which `out` has been made.
    private func withConversion(
        _ body: (_ directory: String, _ scans: [LUNA16Layout.Scan]) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            try PhantomDataSet(scans: 3, seed: 3, size: 64).write(to: "\(directory)/in", pool: ThreadPool(threads: 2))
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.convertedScans == 3 && outcome.unrecordedScans == 0)
            try body(directory, try LUNA16Layout(directory: "\(directory)/in").scans)
        }
    }

    /// Expects that `out` has become what a fresh conversion makes.
    private func expectFresh(_ directory: String) throws {
        _ = try convert("\(directory)/in", "\(directory)/fresh")
        let isSame = try MadeScans.content("\(directory)/fresh") == MadeScans.content("\(directory)/out")
        #expect(isSame)
        try FileManager.default.removeItem(atPath: "\(directory)/fresh")
    }

    /// Writes over a file's bytes in place, which keeps its size and inode, and sets its time of modification back.
    private func overwrite(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
        let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        var bytes = try FileContent.bytes(path)
        change(&bytes)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: bytes)
        try handle.close()
        try FileManager.default.setAttributes([.modificationDate: try #require(date)], ofItemAtPath: path)
    }

    @Test func changedVoxelsAreConvertedAgain() throws {
        try withConversion { directory, scans in
            let raw = scans[1].path.replacing(".mhd", with: ".raw")
            let before = try FileStamp(raw)
            try overwrite(raw) { for index in $0.count / 2..<$0.count / 2 + 4000 { $0[index] ^= 0x55 } }
            let after = try FileStamp(raw)
            #expect(after.inode == before.inode && after.bytes == before.bytes)
            #expect(abs(after.modified - before.modified) < 1_000_000 && after.changed != before.changed)
            let old = try FileContent.crc32("\(directory)/out/volumes/fold1/\(scans[1].seriesUID).h5")
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.convertedScans == 1 && outcome.keptScans == 2)
            #expect(
                outcome.changedScans
                    == [.init(seriesUID: scans[1].seriesUID, change: "\(raw) has changed")])
            #expect(try FileContent.crc32("\(directory)/out/volumes/fold1/\(scans[1].seriesUID).h5") != old)
            try expectFresh(directory)
        }
    }

    @Test func changedHeadersAndMasksAreConvertedAgain() throws {
        try withConversion { directory, scans in
            let path = "\(directory)/in/seg-lungs-LUNA16/\(scans[0].seriesUID).mhd"
            var mask = try ScanFile.read(path, as: UInt8.self)
            for index in 0..<mask.voxels.count / 2 { mask.voxels[index] = 0 }
            try MetaImage.write(mask, to: path, compressed: true)
            let text = String(decoding: try FileContent.bytes(scans[1].path), as: UTF8.self)
            try AtomicFile.write(text + "Comment = the same voxels\n", to: scans[1].path)
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.changedScans.map(\.seriesUID) == [scans[0].seriesUID, scans[1].seriesUID])
            #expect(outcome.keptScans == 1)
            try expectFresh(directory)
        }
    }

    @Test func annotationsAreComparedScanByScan() throws {
        try withConversion { directory, scans in
            let list = "\(directory)/in/CSVFILES/annotations.csv"
            var lines = String(decoding: try FileContent.bytes(list), as: UTF8.self).split(separator: "\n")
            let place = try #require(lines.lastIndex { !$0.hasPrefix("seriesuid") })
            let fields = lines[place].split(separator: ",")
            lines[place] = Substring((fields[..<4] + ["5.25"]).joined(separator: ","))
            try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: list)
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.keptScans == 2 && outcome.convertedScans == 1)
            #expect(
                outcome.changedScans == [.init(seriesUID: String(fields[0]), change: "its annotations have changed")])
            try expectFresh(directory)
            // A list that is laid out otherwise, and says the same.
            try AtomicFile.write(lines.joined(separator: "\r\n") + "\r\n\r\n", to: list)
            #expect(try convert("\(directory)/in", "\(directory)/out").keptScans == 3)
            try expectFresh(directory)
        }
    }

    @Test func whatIsOnlyMovedOrTouchedIsKept() throws {
        try withConversion { directory, scans in
            let (input, output) = ("\(directory)/in", "\(directory)/out")
            func volumes() throws -> [FileStamp] {
                try scans.map { try FileStamp("\(output)/\(Converter.volumePath($0))") }
            }
            let before = try volumes()
            #expect(try convert(input, output).keptScans == 3)
            try overwrite(scans[0].path) { _ in }
            try FileManager.default.copyItem(atPath: input, toPath: "\(directory)/copy")
            try FileManager.default.removeItem(atPath: input)
            try FileManager.default.moveItem(atPath: "\(directory)/copy", toPath: input)
            let outcome = try convert(input, output)
            #expect(outcome.keptScans == 3 && outcome.changedScans.isEmpty)
            #expect(try volumes() == before)
            // From now on it is known by the new files' stamps.
            let path = ScanSources.path(scans[2], in: output)
            #expect(try ScanSources(at: path)?.files[0].stamp == FileStamp(scans[2].path))
        }
    }

    /// Data sets of earlier versions have no record of their sources.
    @Test func withoutARecordItIsConvertedOnceMore() throws {
        try withConversion { directory, scans in
            let output = "\(directory)/out"
            try FileManager.default.removeItem(atPath: "\(output)/sources")
            let once = try convert("\(directory)/in", output)
            #expect(once.convertedScans == 3 && once.unrecordedScans == 3 && once.changedScans.isEmpty)
            let again = try convert("\(directory)/in", output)
            #expect(again.keptScans == 3 && again.unrecordedScans == 0)
            try expectFresh(directory)
            try AtomicFile.write("{", to: ScanSources.path(scans[0], in: output))
            #expect(try convert("\(directory)/in", output).unrecordedScans == 1)
        }
    }

    @Test func aSourceThatIsGoneMakesABadScan() throws {
        try withConversion { directory, scans in
            let raw = scans[1].path.replacing(".mhd", with: ".raw")
            try FileManager.default.removeItem(atPath: raw)
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.manifest == nil && outcome.keptScans == 2)
            #expect(outcome.badScans.map(\.seriesuid) == [scans[1].seriesUID])
            #expect(outcome.badScans.first?.reason.contains(raw) == true)
        }
    }

    /// A scan that the system does not let be read is as bad as a damaged one.
    @Test func whatCannotBeReadIsNamedAndTheOthersConverted() throws {
        try withConversion { directory, scans in
            try FileManager.default.removeItem(atPath: scans[0].path)
            try FileManager.default.createSymbolicLink(
                atPath: scans[0].path, withDestinationPath: Path.name(of: scans[0].path))
            let outcome = try convert("\(directory)/in", "\(directory)/out")
            #expect(outcome.badScans.map(\.seriesuid) == [scans[0].seriesUID] && outcome.keptScans == 2)
        }
    }
}
