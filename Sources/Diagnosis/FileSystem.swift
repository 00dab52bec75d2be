import Basics
import FileIO
import HDF5

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The properties and abilities of the file system below a path.
public enum FileSystem {
    /// The number of bytes that a user may still write; nil where the path does not exist.
    public static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// The kind of the file system, such as `ext4`, `nfs4`, `lustre`; nil where the system does not say.
    public static func kind(_ path: String) -> String? {
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        guard let resolved, let mounts = SystemFile.text("/proc/self/mountinfo") else { return nil }
        return kind(String(cString: resolved), mounts: mounts)
    }

    /// The kind of the file system that a path is on.
    ///
    /// - Parameters:
    ///   - path: Absolute, without links.
    ///   - mounts: The text of `/proc/self/mountinfo`: five fields, the fifth the mount point, some more, a dash, the
    ///     kind.
    static func kind(_ path: String, mounts: String) -> String? {
        var best: (length: Int, kind: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 5, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = String(fields[4]).replacing("\\040", with: " ")
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of two at one place the later one hides the other.
            if isAbove, point.count >= best?.length ?? 0 { best = (point.count, String(fields[dash + 1])) }
        }
        return best?.kind
    }

    /// The path itself where it is a directory, or else the nearest directory above it that exists.
    public static func nearestDirectory(_ path: String) -> String {
        var path = path
        while ![".", "/"].contains(path), !FileContent.isDirectory(path) {
            path = Path.directory(of: Path.withoutTrailingSlashes(path))
        }
        return path
    }

    /// Writes a small HDF5 file into a directory as a checkpoint is written (synchronised, then renamed), reads it, and
    /// removes it.
    ///
    /// - Throws: `FileError` or `InputError` of the step that failed.
    public static func tryHDF5(in directory: String) throws {
        let path = "\(directory)/.luna-doctor-\(getpid()).h5"
        defer { unlink(path) }
        let values = (0..<1024).map { Float($0) }
        try HDF5File.write(to: path) { try $0.write("/values", shape: [1024], values: values) }
        let file = try HDF5File(reading: path)
        guard try file.read("/values", shape: [1024], as: Float.self) == values else {
            throw InputError(path, at: "/values", "holds something else than was written")
        }
    }
}

/// The answers of a file system to requests for locks: nil where they are granted, otherwise the system's reason.
public struct FileLocks: Hashable, Sendable, Codable {
    /// The answer to `flock`, which HDF5 uses.
    public var whole: String?
    /// The answer to `fcntl`, which databases use.
    public var ranges: String?

    /// Creates the two answers.
    public init(whole: String? = nil, ranges: String? = nil) {
        self.whole = whole
        self.ranges = ranges
    }

    /// Asks for shared locks on a file that exists, and gives them back.
    ///
    /// - Returns: Nil where the file cannot be opened.
    public init?(of path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            _ = flock(descriptor, LOCK_UN)
        } else if errno != EWOULDBLOCK {  // somebody holds it: there are locks
            whole = String(cString: strerror(errno))
        }
        var range = flock()
        range.l_type = Int16(F_RDLCK)
        range.l_whence = Int16(SEEK_SET)
        if fcntl(descriptor, F_SETLK, &range) != 0, errno != EACCES, errno != EAGAIN {
            ranges = String(cString: strerror(errno))
        }
    }
}
