import Basics
import CT
import FileIO
import Foundation
import TestSupport
import Testing

/// Damaged NIfTI, NRRD and MetaImage files: never a trap, never a large allocation, always an error that names the
/// file.
@Suite struct HostileScanTests {
    private static let victims = [
        "int16.mha", "int16.nii", "uint16-big.nii", "float32.nii.gz", "two-int16-little.nii", "two-uint64-big.nii",
        "qform-turned.nii.gz", "int16.nrrd", "uint8-gz.nrrd", "ras-short.nrrd", "lines.nrrd", "inflated.nrrd",
    ]

    @Test(arguments: victims) func everyTruncationIsFound(_ name: String) throws {
        let scan = try ScanCase.named(name)
        let bytes = try Array(#require(scan.files[name]))
        try withTemporaryDirectory { directory in
            let path = "\(directory)/\(name)"
            for count in 0..<bytes.count {
                try Data(bytes[..<count]).write(to: URL(fileURLWithPath: path))
                let error = #expect(throws: InputError.self, "\(count) bytes") {
                    try ScanFile.read(path, as: Int16.self)
                }
                #expect(error?.file == path)
            }
        }
    }

    /// Each byte of header and data changed in turn, in a way that differs from byte to byte.
    @Test(arguments: victims) func mutationsAreReadOrRefused(_ name: String) throws {
        let scan = try ScanCase.named(name)
        let bytes = try Array(#require(scan.files[name]))
        try withTemporaryDirectory { directory in
            let path = "\(directory)/\(name)"
            var random = UInt64(bytes.count)
            var refused = 0
            for round in 0..<200 {
                var bad = bytes
                for _ in 0...(round % 3) {
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bad[Int(random >> 33) % bad.count] = [0, 0xff, 0x7f, 0x80, 0x2d, 0x39][Int(random >> 20) % 6]
                }
                try Data(bad).write(to: URL(fileURLWithPath: path))
                do {
                    let volume = try ScanFile.read(path, as: Float.self)
                    #expect(volume.voxels.count == volume.extent.product && volume.voxels.count < 1 << 20)
                    _ = try? volume.reoriented()
                } catch let error as InputError {
                    refused += 1
                    #expect(error.file.hasPrefix(directory))
                }
            }
            #expect(refused > 0)
        }
    }

    /// Reads a NIfTI-1 file with some bytes of its header replaced.
    private func damaged(_ changes: [(at: Int, bytes: [UInt8])]) throws -> InputError {
        try ScanCase.named("int16.nii").withFiles { path in
            var bytes = try FileContent.bytes(path)
            for change in changes {
                bytes.replaceSubrange(change.at..<change.at + change.bytes.count, with: change.bytes)
            }
            try AtomicFile.write(bytes, to: path)
            return try #require(throws: InputError.self) { _ = try ScanFile.read(path, as: Int16.self) }
        }
    }

    private func float(_ value: Float) -> [UInt8] { (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 255) } }

    @Test func niftiErrorsNameTheField() throws {
        let series = try damaged([(40, [4, 0]), (48, [2, 0])])
        #expect(series.place == "dim[4]" && series.problem.contains("is 2") && series.remedy != nil)
        let flat = try damaged([(40, [2, 0])])
        #expect(flat.place == "dim[0]")
        let empty = try damaged([(42, [0, 0])])
        #expect(empty.place == "dim" && empty.problem.contains("positive"))
        let huge = try damaged([(42, [0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f])])
        #expect(huge.problem.contains("24 bytes, expected 70362"))
        let complex = try damaged([(70, [32, 0])])
        #expect(complex.place == "datatype" && complex.problem.contains("COMPLEX64"))
        let offset = try damaged([(108, float(0))])
        #expect(offset.place == "vox_offset")
        let spacing = try damaged([(80, float(-1))])
        #expect(spacing.place == "pixdim" && spacing.problem.contains("positive"))
        let contradiction = try damaged([(80, float(2))])
        #expect(contradiction.place == "pixdim[1]" && contradiction.problem.contains("sform"))
        let position = try damaged([(252, [0, 0]), (292, float(.nan))])
        #expect(position.place == "srow" && position.problem.contains("not a number"))
        let sheared = try damaged([(252, [0, 0]), (284, float(1))])
        #expect(sheared.place == "srow" && sheared.problem.contains("right angles"))
        let pair = try damaged([(344, Array("ni1".utf8))])
        #expect(pair.place == "magic" && pair.remedy?.contains(".nii.gz") == true)
        let analyze = try damaged([(344, [0, 0, 0, 0])])
        #expect(analyze.place == "magic" && analyze.remedy?.contains("Analyze") == true)
        let size = try damaged([(0, [1, 2, 3, 4])])
        #expect(size.place == "sizeof_hdr")
    }

    @Test func aSmallGzipFileCannotAnnounceALargeScan() throws {
        try withTemporaryDirectory { directory in
            // The header of a scan of 32,767³ voxels, in a gzip stream of one stored block without voxels.
            var header = try ScanCase.named("int16.nii").withFiles { Array(try FileContent.bytes($0)[..<352]) }
            header.replaceSubrange(42..<48, with: [0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f])
            let length = [UInt8(352 & 255), UInt8(352 >> 8), UInt8(~352 & 255), UInt8(~352 >> 8 & 255)]
            let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0] + length + header
            let path = "\(directory)/bomb.nii.gz"
            // Padded, so that the header can be inflated without the stream's end.
            try AtomicFile.write(gzip + [0, 188, 0, 67, 255] + [UInt8](repeating: 0, count: 188), to: path)
            let error = try #require(throws: InputError.self) { _ = try ScanFile(path: path) }
            #expect(error.place == "dim" && error.problem.contains("cannot come from"))
        }
    }

    private static let header = """
        NRRD0004
        type: short
        dimension: 3
        space: left-posterior-superior
        sizes: 2 2 2
        space directions: (1,0,0) (0,1,0) (0,0,1)
        kinds: domain domain domain
        endian: little
        encoding: raw
        space origin: (0,0,0)
        data file: v.raw
        """

    /// Each line replaces the one of the same field; the error must name the field and say what was expected.
    @Test(arguments: [
        ("type: block", "expected one of"), ("type: char", "expected one of"), ("dimension: 4", "expected 3"),
        ("space: scanner-xyz", "left-posterior-superior"), ("sizes: 2 2", "expected 3 whole numbers"),
        ("sizes: 2 -2 2", "positive"), ("sizes: 4611686018427387904 4 4", "more than any file holds"),
        ("space directions: (1,0,0) (0,1,0)", "expected 3 vectors"), ("space directions: none (1,0) (1)", "3 vectors"),
        ("space directions: (1,0,0) (0,1,0) (0,0,nan)", "3 vectors"),
        ("space directions: (1,0,0) (0,1,0) (0,0,0)", "positive millimetres"),
        ("kinds: RGB-color domain domain", "three axes of space"), ("endian: middle", "little or big"),
        ("encoding: bzip2", "raw or gzip"), ("encoding: ascii", "raw or gzip"), ("space origin: 0 0 0", "(x,y,z)"),
        ("data file: LIST", "several data files"), ("data file: s%03d.raw 1 9 1", "several data files"),
        ("data file: none.raw", "no file"),
    ])
    func aBadNRRDFieldIsNamed(_ line: String, _ expected: String) throws {
        let field = line.prefix { $0 != ":" }
        let header = Self.header.split(separator: "\n").map { $0.hasPrefix("\(field):") ? line[...] : $0 }
        let error = try #require(throws: InputError.self) { _ = try read(header.joined(separator: "\n")) }
        #expect(error.file.hasSuffix("v.nhdr"))
        #expect(error.place?.contains(field) == true, "\(error)")
        #expect("\(error)".contains(expected), "\(error)")
    }

    @Test(arguments: ["type", "dimension", "sizes", "space directions", "endian", "encoding"])
    func aMissingNRRDFieldIsNamed(_ field: String) throws {
        let header = Self.header.split(separator: "\n").filter { !$0.hasPrefix("\(field):") }
        let error = try #require(throws: InputError.self) { _ = try read(header.joined(separator: "\n")) }
        #expect(error.place == field && error.problem == "missing")
    }

    @Test func addedNRRDLinesAreChecked() throws {
        #expect(try read(Self.header).voxels == Hostile.voxels)
        for (line, expected) in [
            ("type: short", "given twice"), ("tpye: short", "not a field"), ("no field", "expected 'field: value'"),
            ("byte skip: 17", "has 16 bytes"), ("byte skip: -2", "15 bytes, expected 16"),
            ("line skip: 9", "fewer lines"),
            ("byte skip: -9223372036854775808", "has 16 bytes"), ("line skip: -1", "count of lines"),
            ("space units: \"um\" \"um\" \"um\"", "expected mm"),
            ("byte skip: 2", "14 bytes, expected 16"),
        ] {
            let error = try #require(throws: InputError.self) { _ = try read(Self.header + "\n" + line) }
            #expect("\(error)".contains(expected), "\(error)")
        }
        let compressed = Self.header.replacing("encoding: raw", with: "encoding: gzip")
        for (line, expected) in [
            ("byte skip: -1", "damaged"), ("byte skip: -18", "has 16 bytes"),
            ("byte skip: 9223372036854775807", "cannot come from"), ("", "damaged"),
        ] {
            let error = try #require(throws: InputError.self) { _ = try read(compressed + "\n" + line) }
            #expect("\(error)".contains(expected), "\(error)")
        }
    }

    private func read(_ header: String) throws -> Volume<Int16> {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(header + "\n", to: "\(directory)/v.nhdr")
            try AtomicFile.write(Hostile.data, to: "\(directory)/v.raw")
            return try ScanFile.read("\(directory)/v.nhdr", as: Int16.self)
        }
    }
}
