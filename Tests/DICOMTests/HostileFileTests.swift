import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

@testable import DICOM

/// Damaged files end in an `InputError` or in a volume of the size announced, never otherwise.
@Suite struct HostileFileTests {
    private static let uncompressed = [
        "explicit", "implicit, signed, padded", "big-endian, signed 12 bits", "nested sequences",
    ]

    /// Reads a file as the slice between two others; true where it could be read.
    private func reads(_ bytes: [UInt8], beside others: [Slice]) throws -> Bool {
        do {
            let slice = try Slice(DataSet(path: "c.dcm", bytes: bytes, fileSize: bytes.count))
            let words = try PixelData.words(of: slice, in: bytes)
            #expect(words.count == slice.rows * slice.columns)
            _ = try SliceStack([slice] + others, source: "folder")
            return true
        } catch let error as InputError {
            #expect(!error.description.contains("Secret"))
            return false
        }
    }

    /// The middle slice's bytes, and the others.
    private func slices(of name: String) throws -> ([UInt8], [Slice]) {
        let fixture = try Fixture.shared.get()
        let others = try ["a.dcm", "b.dcm"].map { file in
            let bytes = try fixture.bytes(file, of: name)
            return try Slice(DataSet(path: file, bytes: bytes, fileSize: bytes.count))
        }
        return (try fixture.bytes("c.dcm", of: name), others)
    }

    @Test(arguments: uncompressed) func everyTruncationIsFound(_ name: String) throws {
        let (good, others) = try slices(of: name)
        #expect(try reads(good, beside: others))
        for count in 132..<good.count { #expect(try !reads(Array(good[..<count]), beside: others), "\(count) bytes") }
    }

    /// Cut between two elements, a slice looks like a file without an image.
    @Test func aFolderWithATruncatedSliceIsRefused() throws {
        try Fixture.withFolder("explicit") { folder in
            let good = try FileContent.bytes("\(folder)/b.dcm")
            for count in stride(from: 133, to: good.count, by: 2) {
                // Not atomically: hundreds of files would be synced to the disk.
                try Data(good[..<count]).write(to: URL(fileURLWithPath: "\(folder)/b.dcm"))
                #expect(throws: InputError.self, "\(count) bytes") { try Fixture.series(folder) }
            }
        }
    }

    @Test(arguments: uncompressed) func noChangedByteHurts(_ name: String) throws {
        let (good, others) = try slices(of: name)
        var refused = 0
        for position in 128..<good.count {
            for value: UInt8 in [0, 0xff, good[position] ^ 1, good[position] ^ 0x80] {
                var bad = good
                bad[position] = value
                if try !reads(bad, beside: others) { refused += 1 }
            }
        }
        #expect(refused > good.count)
    }

    @Test func lengthsBeyondTheFileAreRefusedAtTheirElement() throws {
        try Fixture.withFolder("explicit") { folder in
            let good = try FileContent.bytes("\(folder)/b.dcm")
            // PixelData (7fe0,0010) OW, two reserved bytes, its length.
            let tag = try #require(good.indices.first { good[$0...].starts(with: [0xe0, 0x7f, 0x10, 0, 0x4f, 0x57]) })
            for length: [UInt8] in [
                [0, 0, 0, 0x80], [0xfe, 0xff, 0xff, 0xff], [25, 0, 0, 0], [0xff, 0xff, 0xff, 0xff],
            ] {
                var bad = good
                bad.replaceSubrange(tag + 8..<tag + 12, with: length)
                try AtomicFile.write(bad, to: "\(folder)/b.dcm")
                let error = try #require(throws: InputError.self) { _ = try Fixture.series(folder) }
                #expect(error.place == "PixelData (7fe0,0010)")
            }
        }
    }

    @Test func endlessNestingIsRefused() throws {
        try Fixture.withFolder("explicit") { folder in
            let good = try FileContent.bytes("\(folder)/b.dcm")
            let place = try #require(good.indices.first { good[$0...].starts(with: [0x20, 0, 0x0e, 0]) })
            // A sequence and an item in it, both without an end, again and again.
            let level: [UInt8] = [0x09, 0, 1, 0x10, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0]
            let nest = Array(repeatElement(level + [0xff, 0xff, 0xff, 0xff], count: 20_000).joined())
            try AtomicFile.write(Array(good[..<place] + nest + good[place...]), to: "\(folder)/b.dcm")
            let error = try #require(throws: InputError.self) { _ = try Fixture.series(folder) }
            #expect(error.problem.contains("sequences in each other"))
        }
    }

    /// A private element longer than the part of a file that is read first.
    @Test func headersOfAnyLengthAreRead() throws {
        try Fixture.withFolder("explicit") { folder in
            let good = try FileContent.bytes("\(folder)/b.dcm")
            let expected = try Fixture.series(folder).volume(as: Int16.self)
            let place = try #require(good.indices.first { good[$0...].starts(with: [0x20, 0, 0x0e, 0]) })
            let element: [UInt8] =
                [0x09, 0, 1, 0x10, 0x4f, 0x42, 0, 0, 0, 0, 2, 0] + [UInt8](repeating: 7, count: 1 << 17)
            try AtomicFile.write(Array(good[..<place] + element + good[place...]), to: "\(folder)/b.dcm")
            #expect(try Fixture.series(folder).volume(as: Int16.self).voxels == expected.voxels)
        }
    }

    @Test func aFileThatChangesMeanwhileIsRefused() throws {
        try Fixture.withFolder("explicit") { folder in
            let series = try Fixture.series(folder)
            let good = try FileContent.bytes("\(folder)/b.dcm")
            try AtomicFile.write(good + [0, 0], to: "\(folder)/b.dcm")
            let error = try #require(throws: InputError.self) { _ = try series.volume(as: Int16.self) }
            #expect(error.problem.contains("changes"))
        }
    }

    #if DICOM
        @Test(arguments: SeriesTests.compressed) func noChangedByteOfAFrameHurts(_ name: String) throws {
            let (good, others) = try slices(of: name)
            #expect(try reads(good, beside: others))
            let start = try #require(good.indices.first { good[$0...].starts(with: [0xe0, 0x7f, 0x10, 0]) })
            var refused = 0
            for position in start..<good.count {
                for value: UInt8 in [0, 0x7f, 0xff, good[position] ^ 1, good[position] ^ 0x80] {
                    var bad = good
                    bad[position] = value
                    if try !reads(bad, beside: others) { refused += 1 }
                }
                #expect(try !reads(Array(good[..<position]), beside: others), "\(position) bytes")
            }
            #expect(refused > 100)
        }

        @Test(arguments: ["another frame", "another JPEG frame", "another JPEG-LS frame"])
        func aFrameOfAnotherSizeIsRefused(_ name: String) throws {
            try Fixture.withFolder(name) { folder in
                let image = try DataSet(path: "\(folder)/a.dcm")
                let error = try #require(throws: InputError.self) { _ = try PixelData.words(of: Slice(image)) }
                #expect(error.problem.contains("a compressed frame of 4 x 3, expected 3 x 4"))
            }
        }
    #endif
}
