import Basics
import FileIO
import Foundation
import Synchronization

/// The directory that a conversion writes to: one conversion at a time, with one set of options.
///
/// `conversion.json` keeps the options while `dataset.json` is not there yet.
struct OutputDirectory: ~Copyable {
    let path: String
    private let descriptor: Int32

    /// Makes the directory where needed, and clears away what a killed conversion had half written.
    ///
    /// - Throws: `UsageError` where another conversion is writing there, or another one's data are there; `FileError`.
    init(_ path: String, options: ConversionOptions) throws {
        try FileContent.makeDirectory(path)
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "open") }
        do {
            // File systems without locks are taken as they are.
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
                throw UsageError(
                    "\(path): another luna convert is writing there; wait for it or choose another --output")
            }
            try Self.claim(path, options)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // A process that another thread is just starting has a copy of the descriptor until it is a program of its own:
        // closing alone would leave the lock to it.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func conversionPath(_ path: String) -> String { "\(path)/conversion.json" }

    private static func claim(_ path: String, _ options: ConversionOptions) throws {
        try removeTemporaries(in: path)
        let names = try FileContent.names(inDirectory: path)
        var found: ConversionOptions?
        if names.contains("dataset.json") {
            found = try DatasetManifest(directory: path).options
        } else if names.contains("conversion.json") {
            let file = conversionPath(path)
            do {
                let bytes = try FileContent.bytes(file, limit: 1 << 20)
                found = try JSON.decode(ConversionOptions.self, from: bytes)
            } catch is DecodingError {
                throw InputError(file, "not the options of a conversion", remedy: "choose another --output")
            }
        } else if !names.isEmpty {
            throw UsageError("\(path): holds `\(names[0])` and is no data set; choose an empty or new --output")
        }
        if let found, !options.agrees(with: found) {
            throw UsageError(
                "\(path): holds a conversion with other options (\(found.text)), asked for \(options.text); "
                    + "choose another --output or the same options")
        }
        // Where a data set is finished, it stays so until something in it changes.
        if found == nil || found != options && !names.contains("dataset.json") { try write(options, path) }
    }

    private static func removeTemporaries(in directory: String) throws {
        for name in try FileContent.names(inDirectory: directory) {
            let path = "\(directory)/\(name)"
            if name.contains(".h5.tmp-") || name.contains(".json.tmp-") {
                try remove(path)
            } else if ["volumes", "shards", "sources"].contains(name) || name.hasPrefix("fold"),
                FileContent.isDirectory(path)
            {
                try removeTemporaries(in: path)
            }
        }
    }

    /// Removes a file; a missing one is no failure.
    ///
    /// - Throws: `FileError`.
    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError(path, "remove") }
    }

    /// Takes `dataset.json` away before anything it describes changes; the options stay known.
    ///
    /// - Throws: `FileError`.
    static func invalidate(_ path: String, options: ConversionOptions) throws {
        // Several scans may come to this at a time.
        try invalidation.withLock { _ in
            guard FileContent.size(DatasetManifest.path(in: path)) != nil else { return }
            try write(options, path)
            try remove(DatasetManifest.path(in: path))
        }
    }

    private static let invalidation = Mutex(())

    private static func write(_ options: ConversionOptions, _ path: String) throws {
        try AtomicFile.write(try JSON.encode(options, isIndented: true) + [10], to: conversionPath(path))
    }

    /// Writes `dataset.json`: from now on there is a data set.
    ///
    /// - Throws: `FileError`.
    func finish(_ manifest: DatasetManifest) throws {
        try manifest.write(toDirectory: path)
        try Self.remove(Self.conversionPath(path))
    }

    /// The files under `folder` that are not in `expected`, sorted by name; paths are relative to the directory.
    func strangers(in folder: String, expected: Set<String>) throws -> [String] {
        guard FileContent.isDirectory("\(path)/\(folder)") else { return [] }
        return try FileContent.names(inDirectory: "\(path)/\(folder)").flatMap { name -> [String] in
            let relative = "\(folder)/\(name)"
            if FileContent.isDirectory("\(path)/\(relative)") { return try strangers(in: relative, expected: expected) }
            return expected.contains(relative) ? [] : [relative]
        }
    }
}
