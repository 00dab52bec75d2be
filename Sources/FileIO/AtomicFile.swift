import Basics

#if canImport(Glibc)
    import Glibc
    private let systemWrite = Glibc.write
#else
    import Darwin
    private let systemWrite = Darwin.write
#endif

extension FileError {
    /// Makes an error with the system's words for a number, by default for the last failure of this thread.
    public init(errno number: Int32 = errno, _ file: String, _ operation: String) {
        self.init(file, operation, reason: String(cString: strerror(number)))
    }
}

/// The writing of files so that a crash at any instant leaves either the old one or the new one, never half of one.
///
/// A file is written beside its final name, forced to the disk and renamed; then its directory is forced to the disk. A
/// link is followed: the file that it leads to is replaced, and the link stays. What is no regular file, such as a pipe
/// or `/dev/null`, is written into.
public enum AtomicFile {
    /// Has `body` write a file under a temporary name in the same directory, then puts it at `path` durably.
    ///
    /// - Parameters:
    ///   - path: The file's final place.
    ///   - isSequential: Whether `body` does nothing but append to the file, so that a pipe will do, the path of which
    ///     it then receives.
    ///   - body: Receives the temporary path, which is free, and leaves a closed, complete file there.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`, or `FileError`; either way nothing is left behind and `path` is as it was.
    public static func write<Result>(
        to path: String, isSequential: Bool = false, _ body: (_ temporary: String) throws -> Result
    ) throws -> Result {
        switch try Destination(path) {
        case .file(let place): return try replace(place, for: path, durably: true, body)
        case .stream(let place) where isSequential: return try body(place)
        case .descriptor(let number) where isSequential: return try body("/dev/fd/\(number)")
        default: throw FileError(path, "write", reason: noFile)
        }
    }

    /// The reason why a file that is not written from front to back has no place in a pipe or device.
    static let noFile = "it is no regular file, which this format needs"

    /// Puts `bytes` at `path` durably, in one piece or not at all.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
        try write(bytes, to: path, durably: true)
    }

    /// Puts `bytes` at `path` in one piece, but without forcing them to the disk: for what is written again every
    /// second.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func replace(_ path: String, with bytes: some Collection<UInt8>) throws {
        try write(bytes, to: path, durably: false)
    }

    private static func write(_ bytes: some Collection<UInt8>, to path: String, durably: Bool) throws {
        switch try Destination(path) {
        case .file(let place):
            try replace(place, for: path, durably: durably) {
                try fill($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, bytes, for: path)
            }
        case .stream(let place): try fill(place, O_WRONLY | O_CLOEXEC | O_NOCTTY, bytes, for: path)
        case .descriptor(let number):
            // What was printed before comes before.
            fflush(nil)
            try fill(number, bytes, for: path)
        }
    }

    private static func replace<Result>(
        _ place: String, for path: String, durably: Bool, _ body: (_ temporary: String) throws -> Result
    ) throws -> Result {
        let temporary = "\(place).tmp-\(getpid())"
        unlink(temporary)
        do {
            let result = try body(temporary)
            // Who may read a file stays as it was.
            var old = stat()
            if stat(place, &old) == 0 { chmod(temporary, old.st_mode & 0o777) }
            if durably { try synchronize(temporary) }
            guard rename(temporary, place) == 0 else { throw FileError(path, "rename into place") }
            if durably { try synchronize(Path.directory(of: place)) }
            return result
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func fill(
        _ place: String, _ flags: Int32, _ bytes: some Collection<UInt8>, for path: String
    ) throws {
        let descriptor = open(place, flags, 0o644)
        guard descriptor >= 0 else { throw FileError(path, "create") }
        defer { close(descriptor) }
        try fill(descriptor, bytes, for: path)
    }

    private static func fill(_ descriptor: Int32, _ bytes: some Collection<UInt8>, for path: String) throws {
        try Array(bytes).withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw FileError(path, "write \(buffer.count) bytes") }
                written += count
            }
        }
    }

    /// Puts `text` as UTF-8 at `path` durably, in one piece or not at all.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    /// Forces a file's or directory's content to the disk.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "open to synchronise") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(path, "synchronise") }
    }
}
