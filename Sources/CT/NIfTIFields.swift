import FileIO

/// The fields of a NIfTI header that a scan needs, from 348 bytes (NIfTI-1) or 540 (NIfTI-2) in either byte order.
struct NIfTIFields {
    let path: String
    let byteOrder: ByteOrder
    /// The header's length, bytes.
    let byteCount: Int
    /// The number of axes, then the voxels along each, [8].
    let dim: [Int]
    let datatype: Int
    /// The sign of the third axis in the qform, then the voxels' distances, [8].
    let pixdim: [Double]
    /// The byte at which the voxels begin once the file is inflated.
    let offset: Double
    let slope: Double
    let intercept: Double
    let units: Int
    let qformCode: Int
    let sformCode: Int
    /// The b, c and d of the rotation's quaternion, then the first voxel's position, [6].
    let quaternion: [Double]
    /// The matrix from voxel indices and 1 to the position, [3][4].
    let sform: [[Double]]

    /// Reads a file's header.
    ///
    /// - Throws: `InputError` where this is no NIfTI file in one piece; `FileError` where reading fails.
    init(path: String, isCompressed: Bool) throws {
        self.path = path
        let bytes = try Self.head(of: path, isCompressed: isCompressed)
        guard bytes.count >= 348 else {
            throw InputError(
                path, "\(bytes.count) bytes, expected a header of 348 at least", remedy: "download the file again")
        }
        let sizes = ByteOrder.allCases.map { HeaderBytes(bytes: bytes, byteOrder: $0) }
        guard let header = sizes.first(where: { [348, 540].contains($0.integer(Int32.self, at: 0)) }) else {
            throw InputError(
                path, at: "sizeof_hdr", "is neither 348 nor 540: not a NIfTI header",
                remedy: "download the file again, or give it the ending of its own format")
        }
        byteOrder = header.byteOrder
        byteCount = header.integer(Int32.self, at: 0)
        let isFirst = byteCount == 348
        guard bytes.count >= byteCount else {
            throw InputError(
                path, "\(bytes.count) bytes, expected a header of \(byteCount)", remedy: "download the file again")
        }
        try Self.checkMagic(bytes[(isFirst ? 344 : 4)...].prefix(isFirst ? 4 : 8), path: path)
        if isFirst {
            dim = (0..<8).map { header.integer(Int16.self, at: 40 + 2 * $0) }
            datatype = header.integer(Int16.self, at: 70)
            pixdim = (0..<8).map { header.float(at: 76 + 4 * $0) }
            offset = header.float(at: 108)
            slope = header.float(at: 112)
            intercept = header.float(at: 116)
            units = header.integer(UInt8.self, at: 123)
            qformCode = header.integer(Int16.self, at: 252)
            sformCode = header.integer(Int16.self, at: 254)
            quaternion = (0..<6).map { header.float(at: 256 + 4 * $0) }
            sform = (0..<3).map { row in (0..<4).map { header.float(at: 280 + 16 * row + 4 * $0) } }
        } else {
            datatype = header.integer(Int16.self, at: 12)
            dim = (0..<8).map { header.integer(Int64.self, at: 16 + 8 * $0) }
            pixdim = (0..<8).map { header.double(at: 104 + 8 * $0) }
            offset = Double(header.integer(Int64.self, at: 168))
            slope = header.double(at: 176)
            intercept = header.double(at: 184)
            qformCode = header.integer(Int32.self, at: 344)
            sformCode = header.integer(Int32.self, at: 348)
            quaternion = (0..<6).map { header.double(at: 352 + 8 * $0) }
            sform = (0..<3).map { row in (0..<4).map { header.double(at: 400 + 32 * row + 8 * $0) } }
            units = header.integer(Int32.self, at: 500)
        }
    }

    /// Reads the first bytes of the file, inflated; fewer than the larger header where the file ends before.
    private static func head(of path: String, isCompressed: Bool) throws -> [UInt8] {
        let file = try FileSource(path: path, offset: 0, count: nil)
        guard isCompressed else { return try file.prefix(540) }
        var stream = try InflateSource(file)
        return try [UInt8](unsafeUninitializedCapacity: 540) { buffer, count in
            count = try stream.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    private static func checkMagic(_ magic: ArraySlice<UInt8>, path: String) throws {
        let text = String(decoding: magic.prefix(3), as: UTF8.self)
        // NIfTI-2 tells by its line ends whether a text transfer has changed the file.
        let isWhole = magic.count == 4 ? magic.last == 0 : magic.dropFirst(3) == [0, 13, 10, 26, 10]
        if isWhole && text == (magic.count == 4 ? "n+1" : "n+2") { return }
        if isWhole && text == (magic.count == 4 ? "ni1" : "ni2") {
            throw InputError(
                path, at: "magic", "the voxels are in another file (.img)",
                remedy: "write the scan anew as one .nii or .nii.gz")
        }
        throw InputError(
            path, at: "magic", "is not that of NIfTI",
            remedy: "an Analyze file does not say where left and right are: write the scan anew as .nii")
    }
}

/// The numbers of a binary header, by place.
private struct HeaderBytes {
    let bytes: [UInt8]
    let byteOrder: ByteOrder

    private func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        return byteOrder == .native ? value : value.byteSwapped
    }

    func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Int {
        Int(load(type, at: offset))
    }

    func float(at offset: Int) -> Double { Double(Float(bitPattern: load(UInt32.self, at: offset))) }

    func double(at offset: Int) -> Double { Double(bitPattern: load(UInt64.self, at: offset)) }
}
