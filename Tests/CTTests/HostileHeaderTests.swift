import Basics
import CT
import FileIO
import TestSupport
import Testing

@Suite struct HostileHeaderTests {
    /// Reads `header` with `data` beside it.
    private func read(_ header: String, data: [UInt8]? = Hostile.data) throws -> Volume<Int16> {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(header, to: "\(directory)/v.mhd")
            if let data { try AtomicFile.write(data, to: "\(directory)/v.raw") }
            return try MetaImage.read("\(directory)/v.mhd", as: Int16.self)
        }
    }

    @Test func theUnspoiltPairIsRead() throws {
        #expect(try read(Hostile.header).voxels == Hostile.voxels)
    }

    /// Each line replaces the one of the same key; the error must name the key and say what was expected.
    @Test(arguments: [
        ("NDims = 2", "expected 3"), ("NDims = three", "not a whole number"), ("NDims =", "expected 1 whole number"),
        ("DimSize = 2 2", "expected 3 whole numbers"), ("DimSize = 2 two 2", "'two' is not a whole number"),
        ("DimSize = 2 -2 2", "positive"), ("DimSize = 0 2 2", "positive"), ("DimSize = 2.0 2 2", "whole number"),
        ("DimSize = 4611686018427387904 4 4", "more than any file holds"),
        ("DimSize = 99999999999999999999 2 2", "whole number"), ("ElementSpacing = 1 1 nan", "not a number"),
        ("ElementSpacing = 1 0 1", "positive"), ("ElementSpacing = 1 -1 1", "positive"),
        ("ElementSpacing = 1 inf 1", "not a number"), ("ElementSpacing = 1 mm 1", "'mm' is not a number"),
        ("Offset = 0 0", "expected 3 numbers"), ("TransformMatrix = 1 0 0 0 1 0 0 0", "expected 9 numbers"),
        ("ElementType = MET_SHRT", "MET_SHORT"), ("CompressedData = maybe", "True or False"),
        ("BinaryData = False", "text"), ("BinaryDataByteOrderMSB = 17", "True or False"),
        ("ObjectType = Mesh", "expected Image"), ("ElementDataFile = slice%03d.raw", "one file per slice"),
        ("ElementDataFile = LIST", "one file per slice"), ("ElementDataFile = none.raw", "no file"),
    ])
    func aBadFieldIsNamed(_ line: String, _ expected: String) throws {
        let key = line.prefix { $0 != " " }
        let header = Hostile.header.split(separator: "\n").map { $0.hasPrefix("\(key) ") ? line[...] : $0 }
            .joined(separator: "\n")
        let error = try #require(throws: InputError.self) { _ = try read(header + "\n") }
        #expect(error.file.hasSuffix("v.mhd"))
        #expect(error.place?.contains(key) == true, "\(error)")
        #expect(error.problem.contains(expected), "\(error)")
    }

    @Test(arguments: ["DimSize", "ElementSpacing", "ElementType", "ElementDataFile", "NDims"])
    func aMissingFieldIsNamed(_ key: String) throws {
        let header = Hostile.header.split(separator: "\n").filter { !$0.hasPrefix("\(key) ") }.joined(separator: "\n")
        let error = try #require(throws: InputError.self) { _ = try read(header + "\n") }
        #expect(error.place == key)
        #expect(error.problem.contains("missing"))
    }

    @Test func sizesThatTheFileCannotHoldAreRefusedBeforeAllocation() throws {
        let absurd = Hostile.header.replacing("DimSize = 2 2 2", with: "DimSize = 1000000 1000000 100000")
        let plain = try #require(throws: InputError.self) { _ = try read(absurd) }
        #expect(plain.problem.contains("16 bytes, expected 200000000000000000"))
        let compressed = absurd.replacing("CompressedData = False", with: "CompressedData = True")
        let error = try #require(throws: InputError.self) { _ = try read(compressed) }
        #expect(error.place?.contains("DimSize") == true)
        #expect(error.problem.contains("cannot come from 16 compressed"))
    }

    @Test func truncatedAndOverlongDataAreNamed() throws {
        let short = try #require(throws: InputError.self) {
            _ = try read(Hostile.header, data: Hostile.data.dropLast())
        }
        #expect(short.file.hasSuffix("v.raw"))
        #expect(short.problem.contains("15 bytes, expected 16"))
        #expect(short.remedy?.contains("download it again") == true)
        let long = try #require(throws: InputError.self) { _ = try read(Hostile.header, data: Hostile.data + [0]) }
        #expect(long.problem.contains("17 bytes, expected 16"))
        let missing = try #require(throws: InputError.self) { _ = try read(Hostile.header, data: nil) }
        #expect(missing.problem.contains("no file"))
    }

    @Test func everyDamageToACompressedStreamIsFound() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/v.mhd"
            let geometry = VolumeGeometry(extent: ZYX(4, 8, 8), spacing: ZYX(1, 1, 1))
            let volume = Volume(geometry: geometry, voxels: (0..<256).map { Int16($0 * 37 % 101) })
            try MetaImage.write(volume, to: path, compressed: true)
            let good = try FileContent.bytes("\(directory)/v.zraw")
            for position in stride(from: 0, to: good.count, by: 7) {
                var bad = good
                bad[position] ^= 0x55
                try AtomicFile.write(bad, to: "\(directory)/v.zraw")
                #expect(throws: InputError.self, "byte \(position)") { try MetaImage.read(path, as: Int16.self) }
            }
            try AtomicFile.write(good.dropLast(3), to: "\(directory)/v.zraw")
            let cut = try #require(throws: InputError.self) { _ = try MetaImage.read(path, as: Int16.self) }
            #expect(cut.remedy?.contains("download") == true)
            // The stream holds more voxels, or fewer, than the header says.
            try AtomicFile.write(good, to: "\(directory)/v.zraw")
            let header = try String(decoding: FileContent.bytes(path), as: UTF8.self)
            for size in ["8 8 3", "8 8 5"] {
                try AtomicFile.write(header.replacing("DimSize = 8 8 4", with: "DimSize = \(size)"), to: path)
                #expect(throws: InputError.self, "\(size)") { try MetaImage.read(path, as: Int16.self) }
            }
        }
    }

    @Test func whatIsNoHeaderIsRefused() throws {
        for text in ["", "\u{0}\u{1}\u{2}binary\n", "DimSize\n", Hostile.header.replacing("Offset", with: "DimSize")] {
            #expect(throws: InputError.self) { try read(text) }
        }
        let error = #expect(throws: InputError.self) { try MetaImage.read("/nowhere/v.mhd", as: Int16.self) }
        #expect(error?.file == "/nowhere/v.mhd")
    }
}
