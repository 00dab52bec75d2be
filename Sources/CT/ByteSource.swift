import CZlib
import FileIO

#if canImport(Glibc)
    import Glibc
    private let systemPread = Glibc.pread
#else
    import Darwin
    private let systemPread = Darwin.pread
#endif

/// A stretch of a file, read from front to back. The file is closed when the source goes out of scope.
struct FileSource: ~Copyable {
    let path: String
    private let descriptor: Int32
    private var position: Int
    private var remaining: Int

    /// Opens a file at a stretch.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - offset: The byte at which the stretch begins.
    ///   - count: The stretch's bytes; nil for all to the end.
    /// - Throws: `InputError` where there is no such file; `FileError` where it cannot be opened.
    init(path: String, offset: Int, count: Int?) throws {
        guard let size = FileContent.size(path) else { throw InputError(path, "no such file") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "open") }
        self.path = path
        self.descriptor = descriptor
        position = offset
        remaining = count ?? max(0, size - offset)
    }

    deinit { close(descriptor) }

    /// Reads the next bytes of the stretch; fewer than the buffer holds only at its end.
    ///
    /// - Throws: `FileError`.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(buffer.count, remaining)
        var count = 0
        while count < wanted, let base = buffer.baseAddress {
            let got = systemPread(descriptor, base + count, wanted - count, off_t(position))
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw FileError(path, "read") }
            if got == 0 { break }
            count += got
            position += got
        }
        remaining -= count
        return count
    }

    /// The first bytes of the stretch, at most `limit`.
    ///
    /// - Throws: `FileError`.
    consuming func prefix(_ limit: Int) throws -> [UInt8] {
        let size = min(limit, remaining)
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        bytes.removeLast(size - count)
        return bytes
    }
}

/// The bytes that a zlib or gzip stream in a file inflates to, from front to back, in little memory. Gzip streams one
/// after the other, as parallel compressors write them, are one.
struct InflateSource: ~Copyable {
    private var file: FileSource
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var isEnded = false

    /// Makes a source that inflates a stretch of a file.
    ///
    /// - Throws: `FileError` where zlib has no memory.
    init(_ file: consuming FileSource) throws {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 32 more: zlib's or gzip's framing, whichever is there.
        let status = inflateInit2_(stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw FileError(file.path, "inflate", reason: "zlib does not start (\(status))")
        }
        self.file = file
        self.stream = stream
        input = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Inflates the next bytes; fewer than the buffer holds only at the stream's end, whose checksum is then verified.
    ///
    /// - Throws: `InputError` where the stream is damaged or cut off; `FileError` where reading fails.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let base = buffer.bindMemory(to: UInt8.self).baseAddress else { return 0 }
        var done = 0
        while done < buffer.count && !isEnded {
            if stream.pointee.avail_in == 0 {
                guard try refill() > 0 else {
                    throw InputError(
                        file.path, "the compressed data are cut off", remedy: "download the file again")
                }
            }
            let space = min(buffer.count - done, 1 << 30)
            stream.pointee.next_out = base + done
            stream.pointee.avail_out = UInt32(space)
            let status = inflate(stream, Z_NO_FLUSH)
            done += space - Int(stream.pointee.avail_out)
            if status == Z_STREAM_END { isEnded = try !beginNextStream() }
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
                throw InputError(
                    file.path, "the compressed data are damaged (\(reason))", remedy: "download the file again")
            }
        }
        return done
    }

    /// Reads on behind what is not yet inflated, and returns the number of bytes that are then there.
    private mutating func refill() throws -> Int {
        let left = Int(stream.pointee.avail_in)
        if let rest = stream.pointee.next_in, left > 0 {
            input.copyMemory(from: UnsafeRawBufferPointer(start: rest, count: left))
        }
        let count = left + (try file.read(into: UnsafeMutableRawBufferPointer(rebasing: input[left...])))
        stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(count)
        return count
    }

    /// Begins another gzip stream, and returns whether one follows the one that ended; whatever else follows is passed
    /// over.
    private mutating func beginNextStream() throws -> Bool {
        if stream.pointee.avail_in < 2 { _ = try refill() }
        guard stream.pointee.avail_in >= 2, let next = stream.pointee.next_in, next[0] == 0x1f, next[1] == 0x8b else {
            return false
        }
        return inflateReset(stream) == Z_OK
    }
}
