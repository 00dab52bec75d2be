/// The kinds of files that users give by mistake, told by their first bytes, so that a message can say what a file is
/// and not only what it is not.
public enum FileKind {
    /// The number of bytes that are looked at.
    private static let length = 1024

    /// The signatures at a file's begin.
    private static let signatures: [(bytes: [UInt8], kind: String)] = [
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        (Array("PK\u{3}\u{4}".utf8), "a zip archive, as PyTorch's checkpoints are"),
        ([0x80, 2], "a Python pickle"), ([0x80, 3], "a Python pickle"), ([0x80, 4], "a Python pickle"),
        (Array("NRRD000".utf8), "an NRRD scan"), (Array("version https://git-lfs".utf8), "a pointer of Git LFS"),
        ([0x89, 0x50, 0x4e, 0x47], "a PNG picture"), ([0xff, 0xd8, 0xff], "a JPEG picture"),
        ([0x37, 0x7a, 0xbc, 0xaf], "a 7z archive"), (Array("%PDF".utf8), "a PDF document"),
        (Array("<!DOCTYPE".utf8), "a web page"), (Array("<html".utf8), "a web page"),
        (Array("<!doctype".utf8), "a web page"),
    ]

    /// Describes a file, such as `a NIfTI scan`; nil where its kind is not known or it cannot be read.
    public static func description(of path: String) -> String? {
        guard let bytes = try? FileContent.prefix(path, count: length) else { return nil }
        guard !bytes.isEmpty else { return "an empty file" }
        if bytes.allSatisfy({ $0 == 0 }) { return "a file of zeros, as copies that broke off leave" }
        if let known = signatures.first(where: { bytes.starts(with: $0.bytes) }) { return known.kind }
        if bytes.dropFirst(128).starts(with: Array("DICM".utf8)) { return "a DICOM file" }
        if bytes.starts(with: [0x1f, 0x8b]) {
            return path.lowercased().hasSuffix(".nii.gz") ? "a NIfTI scan, compressed" : "a gzip stream"
        }
        // NIfTI's headers begin with their size, 348 or 540, in either byte order.
        let sizes: [[UInt8]] = [[0x5c, 1, 0, 0], [0, 0, 1, 0x5c], [0x1c, 2, 0, 0], [0, 0, 2, 0x1c]]
        if sizes.contains(where: bytes.starts) { return "a NIfTI scan" }
        // Safetensors: the header's length in eight bytes, then the header.
        if bytes.count > 9, bytes[5..<8].allSatisfy({ $0 == 0 }), bytes[8] == UInt8(ascii: "{") {
            return "a safetensors file"
        }
        return text(bytes)
    }

    /// Describes a text; nil where the bytes are none.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.allSatisfy({ $0 >= 32 || 9...13 ~= $0 }) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("NDims") && text.contains("=") { return "a MetaImage header" }
        if let first = text.first(where: { !$0.isWhitespace }), first == "{" || first == "[" { return "a JSON text" }
        return "a text file"
    }
}
