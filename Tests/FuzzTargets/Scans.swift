import Basics
import CT
import FileIO

extension FuzzTarget {
    /// A NIfTI file, plain or in gzip's frame, as its first bytes say.
    static let nifti = FuzzTarget(
        name: "nifti", file: "scan.nii", words: ["n+1\0", "ni1\0", "n+2\0\r\n\u{1A}\n", "\u{1F}"],
        seed: { directory in
            let plain = [(UInt16(4), UInt16(16), 2), (16, 32, 4), (64, 64, 8), (2, 8, 1)].map(niftiFile)
            return try plain + plain.map { try gzip($0, directory) }
        }, read: readScan)

    /// An NRRD file with its data attached.
    static let nrrd = FuzzTarget(
        name: "nrrd", file: "scan.nrrd",
        words: [
            "NRRD0005\n", "dimension: 3\n", "type: short\n", "type: uint64\n", "sizes: 2 3 4\n", "encoding: raw\n",
            "encoding: gzip\n", "encoding: ascii\n", "endian: big\n", "spacings: 1 1 1\n",
            "space directions: (1,0,0) (0,1,0) (0,0,1)\n", "space origin: (0,0,0)\n", "space: RAS\n",
            "space dimension: 3\n",
            "kinds: domain domain domain\n", "data file: scan.nrrd\n", "byte skip: -1\n", "line skip: 1\n",
            "9223372036854775807", "none", "nan", ":=",
        ],
        seed: { directory in
            let lines =
                "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 3 4\n"
                + "space directions: (0.7,0,0) (0,0.7,0) (0,0,2.5)\nkinds: domain domain domain\nendian: little\n"
            let voxels = [UInt8](0..<48)
            let simple = "NRRD0001\ntype: uchar\ndimension: 3\nsizes: 4 4 3\nspacings: 1 1 2\nencoding: raw\n\n"
            return [
                Array((lines + "encoding: raw\nspace origin: (-10,2,3)\n\n").utf8) + voxels,
                Array((lines + "encoding: gzip\n\n").utf8) + (try gzip(voxels, directory)),
                Array((lines.replacing("little", with: "big") + "# comment\nkey:=value\nencoding: raw\n\n").utf8)
                    + voxels,
                Array(simple.utf8) + voxels,
            ]
        }, read: readScan)

    private static func readScan(_ path: String) throws {
        try attempt {
            let file = try ScanFile(path: path)
            try attempt { _ = try file.read(as: Int16.self).reoriented() }
            try attempt { _ = try file.read(as: UInt8.self) }
            try attempt { _ = try file.read(as: Double.self) }
        }
    }

    /// NIfTI-1 of 2 × 3 × 4 voxels.
    private static func niftiFile(datatype: UInt16, bits: UInt16, bytes: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 352)
        func put(_ value: some FixedWidthInteger, _ offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { header.replaceSubrange(offset..<offset + $0.count, with: $0) }
        }
        put(UInt32(348), 0)
        for (axis, extent) in [3, 2, 3, 4, 1, 1, 1, 1].enumerated() { put(UInt16(extent), 40 + 2 * axis) }
        put(datatype, 70)
        put(bits, 72)
        for (axis, spacing) in [1, 0.7, 0.7, 2.5].enumerated() { put(Float(spacing).bitPattern, 76 + 4 * axis) }
        put(Float(352).bitPattern, 108)
        put(Float(1).bitPattern, 112)
        put(UInt16(1), 252)
        header[123] = 2
        header.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
        return header + (0..<24 * bytes).map { UInt8($0) }
    }

    /// Stored, not deflated, in gzip's frame (RFC 1952).
    private static func gzip(_ bytes: [UInt8], _ directory: String) throws -> [UInt8] {
        let path = "\(directory)/seed"
        try AtomicFile.write(bytes, to: path)
        func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1] + little(UInt16(bytes.count)) + little(~UInt16(bytes.count))
            + bytes + little(try FileContent.crc32(path)) + little(UInt32(bytes.count))
    }
}
