import FileIO

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How fast a rank reads its part of some files.
public struct ReadMeasurement: Hashable, Sendable, Codable {
    public var bytes: Int
    public var seconds: Double

    /// Bytes a second.
    public var speed: Double { Double(bytes) / max(seconds, 1e-9) }

    public init(bytes: Int, seconds: Double) {
        self.bytes = bytes
        self.seconds = seconds
    }

    private static let piece = 1 << 20

    /// Reads from this rank's place in the files on, in pieces of 1 MiB, until `limit` bytes or `time` seconds.
    ///
    /// The system is asked to forget its copies of the pieces first (`posix_fadvise`). It need not, and only root can
    /// make it; nor does that reach the caches of a file server or a disk. So this is the most that a first epoch can
    /// get.
    ///
    /// - Throws: `FileError`.
    public init(files: [String], rank: Int, of ranks: Int, limit: Int = 64 << 20, time: Double = 2) throws {
        let places = files.flatMap { path in
            stride(from: 0, to: FileContent.size(path) ?? 0, by: Self.piece).map { (path: path, offset: $0) }
        }
        // Its own part only: what another rank has just read would come from memory.
        let count = min(places.count, max(1, min(limit / Self.piece, places.count / ranks)))
        let first = places.isEmpty ? 0 : rank * places.count / ranks
        let chosen = (0..<count).map { places[(first + $0) % places.count] }
        let paths = Set(chosen.map(\.path))
        var descriptors: [String: Int32] = [:]
        defer { for descriptor in descriptors.values { close(descriptor) } }
        for path in paths {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileError(path, "open") }
            descriptors[path] = descriptor
        }
        #if canImport(Glibc)
            for place in chosen {
                posix_fadvise(descriptors[place.path] ?? -1, place.offset, Self.piece, POSIX_FADV_DONTNEED)
            }
        #endif
        var buffer = [UInt8](repeating: 0, count: Self.piece)
        var total = 0
        let start = ContinuousClock.now
        var elapsed = 0.0
        for place in chosen where elapsed < time {
            let got = pread(descriptors[place.path] ?? -1, &buffer, buffer.count, off_t(place.offset))
            guard got >= 0 else { throw FileError(place.path, "read") }
            total += got
            elapsed = (ContinuousClock.now - start) / .seconds(1)
        }
        bytes = total
        seconds = elapsed
    }
}
