import Basics
import CT
import Detection
import Evaluation
import FileIO
import Foundation
import MPI
import TestSupport
import Testing

@testable import Inference

/// Searches of many scans of which some cannot be read or searched, and of which some have been searched before.
@Suite struct BadScansTests {
    private func volume(_ seriesUID: String, level: UInt8 = 100) -> CleanVolume {
        let extent = ZYX(32, 32, 32)
        var voxels = [UInt8](repeating: level, count: extent.product)
        voxels[(17 * 32 + 21) * 32 + 25] = 255
        return CleanVolume(
            seriesUID: seriesUID, extent: extent, voxels: voxels,
            frame: WorldFrame(
                origin: ZYX(-10, 20, 30), spacing: ZYX(2, 0.5, 0.5), flipped: false, scanExtent: ZYX(100, 200, 200),
                cropStart: ZYX(3, 4, 5)))
    }

    private func scan(_ seriesUID: String, level: UInt8 = 100, files: [String] = []) -> PendingScan {
        PendingScan(seriesUID: seriesUID, extent: ZYX(32, 32, 32), files: files) { volume(seriesUID, level: level) }
    }

    /// A network that finds the bright voxel; `spoil` becomes the first score of a dark scan.
    private func search(spoil: Float = .nan) -> ScanSearch {
        ScanSearch(
            ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, coord in
                let (d, h, w) = (coord.shape[2], coord.shape[3], coord.shape[4])
                var output = Tensor(shape: [1, d, h, w, 1, 5])
                for cell in 0..<d * h * w {
                    let (z, y, x) = (cell / (h * w), cell / w % h, cell % w)
                    let voxel = ((4 * z + 1) * 4 * h + 4 * y + 1) * 4 * w + 4 * x + 1
                    output.values[5 * cell] = input.values[voxel] > 0.9 ? 3 : -9
                }
                if input.values[0] < -0.99 { output.values[0] = spoil }
                return output
            })
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func scoresThatAreNotFiniteAreNoFindings(spoil: Float) throws {
        let detector = search(spoil: spoil).detectors[0]
        #expect(try detector.detect(volume("a")).count == 1)
        let error = #expect(throws: ScoresNotFinite.self) { try detector.detect(volume("dark", level: 0)) }
        #expect(error?.strange == 1 && error?.count == 8 * 8 * 8 * 5)
        #expect(error?.description.hasPrefix("dark: tensor output: 1 of 2560 numbers are not finite") == true)
    }

    @Test func theOthersAreSearched() throws {
        let bad = InputError("c.mhd", "cut off")
        let scans = [
            scan("a"), scan("dark", level: 0), scan("b"), PendingScan(seriesUID: "c", failure: bad),
            PendingScan(seriesUID: "d", extent: ZYX(9, 9, 9)) { throw FileError("d.raw", "read", reason: "I/O error") },
        ]
        var searched: [String] = []
        let outcome = try search().outcome(
            of: scans, SingleCommunicator(), tolerates: { _ in true },
            searched: { scan, _, _ in searched.append(scan.seriesUID) })
        #expect(outcome.candidates.map(\.seriesUID) == ["a", "b"] && searched.sorted() == ["a", "b"])
        #expect(outcome.failures.map(\.seriesUID) == ["dark", "c", "d"])
        #expect(outcome.failures[1].reason == "c.mhd: cut off" && outcome.failures[2].reason.contains("I/O error"))
        let strict = search()
        #expect(throws: FileError.self) {
            _ = try strict.outcome(of: scans, SingleCommunicator(), tolerates: { $0 is ScoresNotFinite })
        }
    }

    @Test func whatIsKnownIsNotSearchedAgain() throws {
        let whole = try search().outcome(of: [scan("a"), scan("b"), scan("c")], SingleCommunicator()).candidates
        #expect(whole.count == 3)
        let known = ["b": whole.filter { $0.seriesUID == "b" }]
        let unreadable = PendingScan(seriesUID: "b", failure: InputError("b", "must not be read"))
        let outcome = try search().outcome(of: [scan("a"), unreadable, scan("c")], SingleCommunicator(), known: known)
        #expect(outcome.candidates == whole && outcome.failures.isEmpty)
    }

    @Test func aRecordGoesOnForTheSameSearchAndScans() throws {
        try withTemporaryDirectory { directory in
            let output = "\(directory)/found.csv"
            for name in ["a", "b", "c"] { try AtomicFile.write(name, to: "\(directory)/\(name).mhd") }
            let scans = ["a", "b", "c"].map { scan($0, files: ["\(directory)/\($0).mhd"]) }
            func candidate(_ name: String) -> Candidate {
                Candidate(seriesUID: name, x: 0.1, y: -1 / 3, z: 1e-17, probability: 0.7, diameter: nil)
            }
            for (rank, scan) in scans.enumerated() {
                let record = try SearchRecord(output: output, key: "one", rank: rank)
                let stamps = try scan.files.map(FileStamp.init)
                try record.append(scan, stamps: stamps, [candidate(scan.seriesUID)])
            }
            // A kill has cut off a line of rank 2; the scan of rank 1 has been replaced since.
            let cut = try FileContent.bytes("\(output).partial-2")
            try AtomicFile.write(cut.dropLast(20), to: "\(output).partial-2")
            try AtomicFile.write("B", to: "\(directory)/b.mhd")
            for _ in 0..<2 {
                let known = try SearchRecord.resume(output: output, key: "one", scans)
                #expect(known == ["a": [candidate("a")]])
                let left = try FileContent.names(inDirectory: directory).filter { $0.contains(".partial-") }
                #expect(left == ["found.csv.partial-0"])
            }
            // Other weights or options begin afresh.
            #expect(try SearchRecord.resume(output: output, key: "two", scans).isEmpty)
            #expect(try SearchRecord.resume(output: output, key: "one", scans).isEmpty)
            try SearchRecord.removeAll(output: output)
            #expect(try FileContent.names(inDirectory: directory) == ["a.mhd", "b.mhd", "c.mhd"])
        }
    }
}
