import Basics

#if canImport(Glibc)
    import Glibc
    private let systemRead = Glibc.read
#else
    import Darwin
    private let systemRead = Darwin.read
#endif

/// The reading of whole files and directories, with errors that name the path.
public enum FileContent {
    /// Reads all bytes of a regular file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The most bytes that a file of this kind can sensibly have.
    /// - Throws: `InputError` where there is no such file or it is larger than `limit`; `FileError` where reading
    ///   fails.
    public static func bytes(_ path: String, limit: Int = .max) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw InputError(path, "no such file") }
            throw FileError(path, "open")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(path, "examine") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw InputError(path, "not a regular file") }
        let size = Int(status.st_size)
        guard size <= limit else { throw InputError(path, "\(size) bytes, expected at most \(limit)") }
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = systemRead(descriptor, buffer.baseAddress! + count, size - count)
                if got < 0 && errno == EINTR { continue }
                guard got >= 0 else { throw FileError(path, "read") }
                if got == 0 { break }
                count += got
            }
        }
    }

    /// Reads the first bytes of a file, `count` or as many as it has.
    ///
    /// - Throws: `FileError` where it cannot be read.
    public static func prefix(_ path: String, count: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "open") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: min(count, size(path) ?? 0))
        var done = 0
        while done < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                systemRead(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw FileError(path, "read") }
            if got == 0 { break }
            done += got
        }
        return Array(bytes[..<done])
    }

    /// Returns a file's size in bytes, or nil where there is no regular file.
    public static func size(_ path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Returns whether there is a directory at a path.
    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Lists the names in a directory, sorted by their bytes, without `.` and `..`.
    ///
    /// - Throws: `InputError` where there is no such directory; `FileError` where it cannot be read.
    public static func names(inDirectory path: String) throws -> [String] {
        guard isDirectory(path) else { throw InputError(path, "no such directory") }
        guard let stream = opendir(path) else { throw FileError(path, "list") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Returns the last component of a path once links, `.` and `..` are resolved: the name of the directory `.`, say.
    public static func absoluteName(_ path: String) -> String {
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        let absolute = resolved.map { String(cString: $0) } ?? path
        let name = Path.name(of: absolute)
        return name.isEmpty ? "root" : name
    }

    /// Makes a directory and those above it, as far as they are missing.
    ///
    /// - Throws: `FileError` where the system refuses.
    public static func makeDirectory(_ path: String) throws {
        if isDirectory(path) { return }
        let above = Path.directory(of: path)
        if above != path { try makeDirectory(above) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError(path, "make the directory") }
    }
}
