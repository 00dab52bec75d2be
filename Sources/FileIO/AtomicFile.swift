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
/// A file is written beside its final name, forced to the disk and renamed; then its directory is forced to the disk.
public enum AtomicFile {
    /// Has `body` write a file under a temporary name in the same directory, then puts it at `path` durably.
    ///
    /// - Parameters:
    ///   - path: The file's final place.
    ///   - body: Receives the temporary path and leaves a closed, complete file there.
    /// - Returns: The result of `body`.
    /// - Throws: The error of `body`, or `FileError`; either way nothing is left behind and `path` is as it was.
    public static func write<Result>(to path: String, _ body: (_ temporary: String) throws -> Result) throws -> Result {
        let temporary = "\(path).tmp-\(getpid())"
        do {
            let result = try body(temporary)
            try synchronize(temporary)
            guard rename(temporary, path) == 0 else { throw FileError(path, "rename into place") }
            try synchronize(Path.directory(of: path))
            return result
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Puts `bytes` at `path` durably, in one piece or not at all.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
        try write(to: path) { try fill($0, bytes, for: path) }
    }

    /// Puts `bytes` at `path` in one piece, but without forcing them to the disk: for what is written again every
    /// second.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func replace(_ path: String, with bytes: some Collection<UInt8>) throws {
        let temporary = "\(path).tmp-\(getpid())"
        do {
            try fill(temporary, bytes, for: path)
            guard rename(temporary, path) == 0 else { throw FileError(path, "rename into place") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func fill(_ temporary: String, _ bytes: some Collection<UInt8>, for path: String) throws {
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path, "create") }
        defer { close(descriptor) }
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
