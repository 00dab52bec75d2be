import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Headers that leave room for two readings, read as SimpleITK 2.5.7 reads them.
@Suite struct ReferenceReadersTests {
    /// Bytes in a gzip stream of one stored block.
    private func gzip(_ bytes: [UInt8], in directory: String) throws -> [UInt8] {
        try AtomicFile.write(bytes, to: "\(directory)/plain")
        func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
        let (low, high) = (UInt8(bytes.count & 255), UInt8(bytes.count >> 8))
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, low, high, ~low, ~high] + bytes
            + number(try FileContent.crc32("\(directory)/plain")) + number(UInt32(bytes.count))
    }

    /// -1 says that the voxels are the last bytes, -2 that one byte is behind them, and so on.
    @Test(arguments: ["raw", "gzip"]) func byteSkipsOfNRRDCountFromTheEnd(_ encoding: String) throws {
        try withTemporaryDirectory { directory in
            func read(_ skip: Int, _ data: [UInt8]) throws -> [Int16] {
                let header = """
                    NRRD0004
                    type: short
                    dimension: 3
                    sizes: 2 2 2
                    spacings: 1 1 1
                    endian: little
                    encoding: \(encoding)
                    byte skip: \(skip)


                    """
                let stored = encoding == "raw" ? data : try gzip(data, in: directory)
                try AtomicFile.write(Array(header.utf8) + stored, to: "\(directory)/v.nrrd")
                return try ScanFile.read("\(directory)/v.nrrd", as: Int16.self).voxels
            }
            for (before, after) in [([], []), ([1, 2, 3], []), ([1, 2, 3], [4]), ([], [5, 6, 7])]
                as [([UInt8], [UInt8])]
            {
                let voxels = try read(-1 - after.count, before + Hostile.data + after)
                #expect(voxels == Hostile.voxels)
            }
            #expect(throws: InputError.self) { try read(-1, Array(Hostile.data.dropLast())) }
            #expect(throws: InputError.self) { try read(-3, Hostile.data + [1]) }
            #expect(throws: InputError.self) { try read(-1_000_000, Hostile.data) }
        }
    }

    /// A place within the header stands for the header's end.
    @Test(arguments: [0, 100, 348, -5] as [Float]) func voxelsOfNIfTICanFollowTheHeader(_ offset: Float) throws {
        try ScanCase.named("int16.nii").withFiles { path in
            let expected = try ScanFile.read(path, as: Int16.self)
            var bytes = try FileContent.bytes(path)
            bytes.replaceSubrange(108..<112, with: (0..<4).map { UInt8(offset.bitPattern >> (8 * $0) & 255) })
            let directory = Path.directory(of: path)
            let joined = Array(bytes[..<348] + bytes[352...])
            try AtomicFile.write(joined, to: "\(directory)/joined.nii")
            #expect(try ScanFile.read("\(directory)/joined.nii", as: Int16.self).voxels == expected.voxels)
            try AtomicFile.write(gzip(joined, in: directory), to: "\(directory)/joined.nii.gz")
            #expect(try ScanFile.read("\(directory)/joined.nii.gz", as: Int16.self).voxels == expected.voxels)
            // With four bytes between them the header is wrong: ITK reads voxels that are two places off.
            try AtomicFile.write(bytes, to: path)
            let error = try #require(throws: InputError.self) { _ = try ScanFile(path: path) }
            #expect(error.place == "vox_offset" || offset == 348)
            #expect(error.problem.contains("expected \(expected.extent.product * 2)"))
        }
    }

    @Test(arguments: ["a%b.raw", "slice%03d.raw", "100%.raw"]) func namesWithPercentAreFilesWhereThereAreSuch(
        _ name: String
    ) throws {
        try withTemporaryDirectory { directory in
            let nrrd = """
                NRRD0004
                type: short
                dimension: 3
                sizes: 2 2 2
                spacings: 1 1 1
                endian: little
                encoding: raw
                data file: \(name)

                """
            try AtomicFile.write(Hostile.header.replacing("v.raw", with: name), to: "\(directory)/v.mhd")
            try AtomicFile.write(nrrd, to: "\(directory)/v.nhdr")
            for header in ["v.mhd", "v.nhdr"] {
                #expect(throws: InputError.self) { try ScanFile(path: "\(directory)/\(header)") }
            }
            try AtomicFile.write(Hostile.data, to: "\(directory)/\(name)")
            for header in ["v.mhd", "v.nhdr"] {
                #expect(try ScanFile.read("\(directory)/\(header)", as: Int16.self).voxels == Hostile.voxels)
            }
        }
    }
}
