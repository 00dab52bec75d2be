import FileIO

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The speed at which a rank reads its part of some files.
public struct ReadMeasurement: Hashable, Sendable, Codable {
    /// The number of bytes that were read.
    public var bytes: Int
    /// The time that it took, in s.
    public var seconds: Double

    /// The speed in bytes per second.
    public var speed: Double { Double(bytes) / max(seconds, 1e-9) }

    /// Creates a measurement of its parts.
    public init(bytes: Int, seconds: Double) {
        self.bytes = bytes
        self.seconds = seconds
    }

    private static let piece = 1 << 20

    /// Reads from this rank's place in the files on, in pieces of 1 MiB, until `limit` bytes or `time` seconds.
    ///
    /// The system is asked first to forget its copies of the pieces (`posix_fadvise`). It need not, and only root can
    /// make it; nor does that reach the caches of a file server or a disk. So this is the most that a first epoch can
    /// get.
    ///
    /// - Parameters:
    ///   - files: The files, the same on all ranks.
    ///   - rank: This rank.
    ///   - ranks: The number of ranks.
    ///   - limit: The number of bytes to read at most.
    ///   - time: The time in s after which no further piece is read.
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
