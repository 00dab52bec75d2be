import CZlib

#if canImport(Glibc)
    import Glibc
    private let systemRead = Glibc.read
#else
    import Darwin
    private let systemRead = Darwin.read
#endif

extension FileContent {
    /// Computes the CRC-32 of a file's content, read in pieces.
    ///
    /// - Throws: `InputError` where there is no such file; `FileError` where reading fails.
    public static func crc32(_ path: String) throws -> UInt32 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw InputError(path, "no such file") }
            throw FileError(path, "open")
        }
        defer { close(descriptor) }
        var sum: uLong = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let got = systemRead(descriptor, &buffer, buffer.count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw FileError(path, "read") }
            if got == 0 { return UInt32(truncatingIfNeeded: sum) }
            sum = CZlib.crc32(sum, buffer, UInt32(got))
        }
    }

    /// The CRC-32 of bytes.
    public static func crc32(of bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { buffer in
            UInt32(truncatingIfNeeded: crc32_z(0, buffer.baseAddress, buffer.count))
        }
    }
}
