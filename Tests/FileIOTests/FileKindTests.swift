import FileIO
import TestSupport
import Testing

@Suite struct FileKindTests {
    @Test(
        arguments: [
            ("a", [], "an empty file"), ("a", [0, 0, 0], "a file of zeros, as copies that broke off leave"),
            ("a.nii.gz", [0x1f, 0x8b, 8], "a NIfTI scan, compressed"), ("a.gz", [0x1f, 0x8b, 8], "a gzip stream"),
            ("a", [0x5c, 1, 0, 0, 9], "a NIfTI scan"), ("a", [0, 0, 2, 0x1c, 9], "a NIfTI scan"),
            ("a", Array("NRRD0004\n".utf8), "an NRRD scan"), ("a", Array("NDims = 3\n".utf8), "a MetaImage header"),
            ("a", [UInt8](repeating: 1, count: 128) + Array("DICM".utf8), "a DICOM file"),
            ("a", [9, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":{}}".utf8), "a safetensors file"),
            ("a", Array("PK\u{3}\u{4}..".utf8), "a zip archive, as PyTorch's checkpoints are"),
            ("a", Array(" {\"a\": 1}".utf8), "a JSON text"), ("a", Array("seriesuid,x\n".utf8), "a text file"),
            ("a", Array("<html>".utf8), "a web page"), ("a", [7, 200, 3], nil),
        ] as [(String, [UInt8], String?)])
    func filesAreKnownByTheirFirstBytes(_ name: String, _ bytes: [UInt8], _ kind: String?) throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(bytes, to: "\(directory)/\(name)")
            #expect(FileKind.description(of: "\(directory)/\(name)") == kind)
            #expect(FileKind.description(of: "\(directory)/absent") == nil)
        }
    }
}
