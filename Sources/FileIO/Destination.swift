import Basics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The place that a path to be written leads to: links are followed, and what is no regular file stays what it is.
enum Destination: Hashable {
    /// A regular file or a free name, the path of which ends in no link.
    case file(String)
    /// A terminal, a pipe, `/dev/null`: bytes are written into it, and nothing can take its place.
    case stream(String)
    /// A descriptor that this process has open, as `/dev/stdout` and `/dev/fd/3` name it.
    case descriptor(Int32)

    /// The most links in a row, as the system has it.
    private static let mostLinks = 40

    /// Follows a path.
    ///
    /// - Throws: `FileError` where a directory, a disk or a socket is there, a stream that may not be written, or links
    ///   that go round in a circle.
    init(_ path: String) throws {
        if path.isEmpty { throw FileError(path, "write", reason: "the path is empty") }
        var place = path
        for _ in 0...Self.mostLinks {
            if let descriptor = Self.ownDescriptor(place) {
                let flags = fcntl(descriptor, F_GETFL)
                guard flags >= 0, flags & O_ACCMODE != O_RDONLY else { throw FileError(errno: EBADF, path, "write") }
                self = .descriptor(descriptor)
                return
            }
            var status = stat()
            guard lstat(place, &status) == 0 else {
                // What else is wrong with a free name comes out when it is created.
                guard errno == ENOENT else { throw FileError(path, "write") }
                self = .file(place)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK: place = Path.beside(place, try Self.target(ofLink: place, for: path))
            case S_IFREG:
                self = .file(place)
                return
            case S_IFCHR, S_IFIFO:
                guard access(place, W_OK) == 0 else { throw FileError(path, "write") }
                self = .stream(place)
                return
            case S_IFDIR: throw FileError(path, "write", reason: "it is a directory")
            default: throw FileError(path, "write", reason: "it is neither a file nor a pipe")
            }
        }
        throw FileError(errno: ELOOP, path, "write")
    }

    private static func target(ofLink link: String, for path: String) throws -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes {
            readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard count > 0 else { throw FileError(path, "follow the link") }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The descriptor that an entry of `/proc/self/fd` stands for. To open such an entry anew would write over the
    /// beginning of a file that the shell has opened.
    private static func ownDescriptor(_ path: String) -> Int32? {
        guard let number = Int32(Path.name(of: path)) else { return nil }
        let directory = realpath(Path.directory(of: path), nil)
        defer { free(directory) }
        guard let directory, String(cString: directory) == "/proc/\(getpid())/fd" else { return nil }
        return number
    }

    /// Whether this is the standard output, where messages would be mixed with the content.
    var isStandardOutput: Bool {
        switch self {
        case .file: return false
        case .descriptor(let number): return number == STDOUT_FILENO
        case .stream(let path):
            guard let own = FileIdentity(descriptor: STDOUT_FILENO) else { return false }
            return FileIdentity(path) == own && path != "/dev/null"
        }
    }
}

/// The identity of a file, whatever its names: two paths with the same one lead to the same bytes.
struct FileIdentity: Hashable {
    private let device, inode: UInt64

    /// Finds out what a path leads to; nil where there is nothing.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
    }
}
