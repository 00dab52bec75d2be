import FileIO

#if DICOM
    import CGDCM
#endif

/// The decoders of GDCM.
enum FrameDecoder {
    /// Whether this build has the decoders.
    static let isBuiltIn: Bool = {
        #if DICOM
            true
        #else
            false
        #endif
    }()

    /// The error for a folder of DICOM, in a build without the decoders.
    static func absence(_ folder: String) -> InputError {
        InputError(
            folder, "holds DICOM, which this build of luna does not read",
            remedy: "install GDCM and build it in: apt-get install libgdcm-dev && swift build -c release --traits DICOM"
        )
    }

    /// Decodes a frame, `[y, x]`, into words as an uncompressed file stores them.
    ///
    /// - Throws: `InputError` where it is damaged.
    static func decode(_ codestream: Codestream, of slice: Slice) throws -> [UInt16] {
        #if DICOM
            var message = [CChar](repeating: 0, count: 256)
            var status: Int32 = 0
            let words = [UInt16](unsafeUninitializedCapacity: slice.columns * slice.rows) { words, count in
                status = slice.syntax.rawValue.withCString { syntax in
                    var frame = luna_gdcm_frame(
                        syntax: syntax, columns: UInt32(slice.columns), rows: UInt32(slice.rows),
                        precision: UInt16(codestream.precision), is_signed: codestream.isSigned ? 1 : 0)
                    return luna_gdcm_decode(
                        &frame, codestream.bytes, codestream.bytes.count, words.baseAddress, &message, message.count)
                }
                count = status == 0 ? slice.columns * slice.rows : 0
            }
            guard status == 0 else {
                let reason = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                throw InputError(
                    slice.path, at: Tag.pixelData.description, reason,
                    remedy: "copy it again from its source, or write it anew: gdcmconv --raw IN OUT")
            }
            return words
        #else
            throw absence(slice.path)
        #endif
    }
}
