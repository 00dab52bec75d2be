#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The kernel's small text files.
enum SystemFile {
    /// The content of a file; nil where there is none, or it may not be read. These files' sizes do not tell their
    /// lengths.
    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while bytes.count < 1 << 22 {
            let got = fread(&buffer, 1, buffer.count, file)
            if got == 0 { break }
            bytes += buffer[..<got]
        }
        return String(decoding: bytes, as: UTF8.self).trimmed
    }

    /// The value behind `key` and a colon, in the first line that has it.
    static func value(_ key: String, in path: String) -> String? {
        for line in (text(path) ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].trimmed == key { return parts[1].trimmed }
        }
        return nil
    }
}
