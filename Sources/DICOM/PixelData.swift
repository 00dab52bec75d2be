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
