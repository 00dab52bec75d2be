#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The facts that the system keeps of a file, by which a changed one is noticed without being read.
///
/// A copy that keeps the time of modification, as `cp -p` and `rsync -t` make it, has another inode or time of change.
/// Different stamps do not mean different content: a file that was only moved to another disk has all of it anew.
public struct FileStamp: Hashable, Sendable, Codable {
    /// The size in bytes.
    public var bytes: Int
    /// The time at which the content was written last, ns since 1970.
    public var modified: Int
    /// The time at which the content or anything known of the file changed last, ns since 1970; no program can set it.
    public var changed: Int
    /// The number of the file in its file system.
    public var inode: UInt64

    /// Asks the system about a file; of a link, about what it leads to.
    ///
    /// - Throws: `InputError` where there is no such file; `FileError` where the system refuses.
    public init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { throw InputError(path, "no such file") }
            throw FileError(path, "examine")
        }
        bytes = Int(status.st_size)
        inode = UInt64(status.st_ino)
        #if canImport(Glibc)
            modified = Self.nanoseconds(status.st_mtim)
            changed = Self.nanoseconds(status.st_ctim)
        #else
            modified = Self.nanoseconds(status.st_mtimespec)
            changed = Self.nanoseconds(status.st_ctimespec)
        #endif
    }

    private static func nanoseconds(_ time: timespec) -> Int { Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec) }
}
