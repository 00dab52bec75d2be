import FileIO

/// The stored words of a slice.
enum PixelData {
    /// Reads the pixels of a slice, `[y, x]`, as the words that the file stores.
    ///
    /// - Throws: `InputError` where the file is damaged or has changed; `FileError` where it cannot be read.
    static func words(of slice: Slice) throws -> [UInt16] {
        let bytes = try FileContent.bytes(slice.path, limit: DataSet.fileLimit)
        guard bytes.count == slice.fileSize else { throw InputError(slice.path, "changes while it is read") }
        return try words(of: slice, in: bytes)
    }

    /// Reads the pixels of a slice, `[y, x]`, from the file's bytes.
    ///
    /// - Throws: `InputError` where the file is damaged or has changed.
    static func words(of slice: Slice, in bytes: [UInt8]) throws -> [UInt16] {
        guard !slice.syntax.isCompressed else {
            return try FrameDecoder.decode(codestream(of: slice, in: bytes), of: slice)
        }
        guard slice.byteCount <= bytes.count - slice.pixels.offset else {
            throw InputError(slice.path, at: Tag.pixelData.description, "cut off", remedy: "copy it again")
        }
        let isBigEndian = slice.syntax == .explicitBigEndian
        return (0..<slice.columns * slice.rows).map { index in
            let (first, second) = (
                UInt16(bytes[slice.pixels.offset + 2 * index]), UInt16(bytes[slice.pixels.offset + 2 * index + 1])
            )
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
    }

    /// Whether two slices hold the same voxels: the files are the same bytes, or their uncompressed pixels are.
    ///
    /// - Throws: `InputError` where a file has changed; `FileError` where one cannot be read.
    static func areAlike(_ a: Slice, _ b: Slice) throws -> Bool {
        guard a.format == b.format, (a.rows, a.columns) == (b.rows, b.columns), a.syntax == b.syntax else {
            return false
        }
        let (first, second) = (
            try FileContent.bytes(a.path, limit: DataSet.fileLimit),
            try FileContent.bytes(b.path, limit: DataSet.fileLimit)
        )
        if first == second { return true }
        guard !a.syntax.isCompressed else { return false }
        let pixels = [(a, first), (b, second)].map { $1.dropFirst($0.pixels.offset).prefix($0.byteCount) }
        return pixels[0].count == a.byteCount && pixels[0].elementsEqual(pixels[1])
    }

    /// Joins the one frame of compressed pixels: all fragments but the first, which is a table of offsets (PS3.5, A.4).
    static func codestream(of slice: Slice, in bytes: [UInt8]) throws -> Codestream {
        var reader = ElementReader(
            path: slice.path, bytes: bytes, fileSize: bytes.count, position: slice.pixels.offset)
        var frame: [UInt8] = []
        var isTable = true
        while true {
            let item = try reader.element()
            if item.tag == .sequenceEnd { return try Codestream(frame, of: slice) }
            guard item.tag == .item, let length = item.length else {
                throw InputError(
                    slice.path, at: Tag.pixelData.description, "\(item.tag) where a fragment was expected",
                    remedy: "the file is damaged: copy it again from its source")
            }
            let fragment = try reader.value(length)
            if !isTable { frame += fragment }
            isTable = false
        }
    }
}
