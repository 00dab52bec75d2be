import Basics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The check of what a command is going to write, made before it works: against what it reads, which no output may
/// replace, against its other outputs, and against what stands at the place.
///
/// First all inputs are named, then the outputs, each with its option. Files are compared by what they are (device and
/// inode), not by name: links and other spellings of a path lead to the same.
public struct OutputPlan {
    /// The way in which a file is written.
    public enum Form: Sendable {
        /// From front to back: a pipe or a device will do.
        case sequential
        /// Back and forth, as HDF5 does: it has to be a regular file.
        case file
    }

    private struct Input {
        let path, name: String
        let identity: FileIdentity
        let isDirectory: Bool
    }

    private var inputs: [Input] = []
    /// The option that each planned place belongs to, by the place: the directory, and the name in it.
    private var taken: [Place: String] = [:]

    private struct Place: Hashable {
        let directory: FileIdentity
        let name: String
    }

    /// Makes a plan without inputs and outputs.
    public init() {}

    // MARK: - Inputs

    /// Adds a file that is going to be read, or a directory with all that is in it. What is not there is for its
    /// reader to refuse.
    ///
    /// - Parameters:
    ///   - path: The path as the user gave it; nil where there is none.
    ///   - name: The option, for messages.
    public mutating func read(_ path: String?, as name: String) {
        guard let path, let identity = FileIdentity(path) else { return }
        inputs.append(
            Input(path: path, name: name, identity: identity, isDirectory: FileContent.isDirectory(path)))
    }

    // MARK: - Outputs

    /// Checks and adds a file to be written.
    ///
    /// - Parameters:
    ///   - path: The path as the user gave it; nil where none is to be written.
    ///   - name: The option, for messages.
    ///   - form: The way in which it is written.
    ///   - isOwn: Whether a file that stands in a directory of inputs is what an earlier run of this command has left
    ///     there.
    /// - Throws: `UsageError` where it is an input, a directory, another output, or nothing at all; `FileError` where
    ///   it cannot be written.
    public mutating func write(
        file path: String?, as name: String, form: Form = .sequential, isOwn: (_ path: String) -> Bool = { _ in false }
    ) throws {
        guard let path else { return }
        if path.isEmpty { throw UsageError("\(name) is empty: name a file") }
        if FileContent.isDirectory(path) || path.hasSuffix("/") {
            throw UsageError("\(name) \(path) is a directory: name a file")
        }
        guard case .file(let place) = try Destination(path) else {
            if form == .file { throw FileError(path, "write", reason: AtomicFile.noFile) }
            return
        }
        let directory = Path.directory(of: place)
        guard FileContent.isDirectory(directory) else {
            throw FileError(path, "write", reason: "there is no directory \(directory)")
        }
        try Self.requireWritable(directory, for: path)
        try requireNoInput(place, path, name, isOwn)
        try take(place, in: directory, path, name)
    }

    /// Checks and adds a directory to be written into, which is made where it is missing.
    ///
    /// - Parameters:
    ///   - path: The path as the user gave it; nil where none is to be written.
    ///   - name: The option, for messages.
    ///   - files: The names of the files that it gets, as far as they are known.
    ///   - foreign: A directory in which this one must not lie, and its option.
    /// - Throws: `UsageError` where it is a file, lies in `foreign`, is another output, or is nothing at all, and where
    ///   one of `files` is an input or a directory; `FileError` where it cannot be written.
    public mutating func write(
        directory path: String?, as name: String, files: [String] = [],
        outside foreign: (path: String, name: String)? = nil
    ) throws {
        guard let path else { return }
        if path.isEmpty { throw UsageError("\(name) is empty: name a directory") }
        let place = Path.withoutTrailingSlashes(path)
        let (existing, isPlace) = try Self.nearest(place, path, name)
        if let foreign, let identity = FileIdentity(foreign.path), Self.isInside(existing, identity) {
            let relation = isPlace && FileIdentity(place) == identity ? "is" : "lies in"
            throw UsageError(
                "\(name) \(path) \(relation) \(foreign.name) \(foreign.path), which must stay as it is: name another "
                    + "directory")
        }
        try Self.requireWritable(existing, for: path)
        guard isPlace else {
            // What does not exist can only be met by other outputs, in a directory that does.
            try take(place, in: Path.directory(of: place), path, name)
            return
        }
        for file in files {
            let inside = "\(place)/\(file)"
            if FileContent.isDirectory(inside) { throw UsageError("\(inside) is a directory: remove or rename it") }
            guard case .file(let target) = try Destination(inside) else { continue }
            try requireNoInput(target, inside, name) { _ in true }
            try take(target, in: Path.directory(of: target), inside, name)
        }
    }

    /// Refuses an input that lies in a directory where a command removes what it does not know.
    ///
    /// - Parameters:
    ///   - directory: The directory.
    ///   - output: The option that it belongs to.
    ///   - path: The input's path; nil where there is none.
    ///   - name: Its option.
    /// - Throws: `UsageError`.
    public static func requireOutside(_ directory: String, of output: String, _ path: String?, _ name: String) throws {
        guard let path, let identity = FileIdentity(directory), FileIdentity(path) != nil else { return }
        let own = FileContent.isDirectory(path) ? path : Path.directory(of: path)
        guard isInside(own, identity) else { return }
        throw UsageError(
            "\(name) \(path) lies in \(directory), where \(output) may remove it: name another \(output)")
    }

    /// Whether what is written to a path is mixed with what is printed, which then has to go elsewhere.
    ///
    /// - Throws: `FileError` where the path leads to nothing that can be written.
    public static func isStandardOutput(_ path: String) throws -> Bool { try Destination(path).isStandardOutput }

    // MARK: - Checks

    private func requireNoInput(_ place: String, _ path: String, _ name: String, _ isOwn: (String) -> Bool) throws {
        guard let identity = FileIdentity(place) else { return }
        for input in inputs where !input.isDirectory && input.identity == identity {
            throw UsageError(
                "\(name) \(path) is the file that \(input.name) \(input.path) reads, which it would replace: name "
                    + "another file")
        }
        if isOwn(place) { return }
        for input in inputs where input.isDirectory {
            var seen: Set<FileIdentity> = []
            guard Self.holds(input.path, identity, &seen) else { continue }
            throw UsageError(
                "\(name) \(path) is a file of \(input.name) \(input.path), which it would replace: name another file")
        }
    }

    /// Whether a file is in a directory or in those below.
    private static func holds(_ directory: String, _ file: FileIdentity, _ seen: inout Set<FileIdentity>) -> Bool {
        guard let own = FileIdentity(directory), seen.insert(own).inserted,
            let names = try? FileContent.names(inDirectory: directory)
        else { return false }
        return names.contains { name in
            let path = "\(directory)/\(name)"
            return FileContent.isDirectory(path) ? holds(path, file, &seen) : FileIdentity(path) == file
        }
    }

    /// The nearest directory at or above a path that exists, and whether it is the path itself.
    private static func nearest(_ place: String, _ path: String, _ name: String) throws -> (String, isPlace: Bool) {
        var current = place
        while !FileContent.isDirectory(current) {
            if FileIdentity(current) != nil {
                if current == place { throw UsageError("\(name) \(path) is no directory: name a directory") }
                throw FileError(path, "make the directory", reason: "\(current) is no directory")
            }
            let above = Path.directory(of: current)
            if above == current { break }
            current = above
        }
        return (current, current == place)
    }

    /// Whether a directory that exists is another one, or lies below it.
    private static func isInside(_ directory: String, _ other: FileIdentity) -> Bool {
        let resolved = realpath(directory, nil)
        defer { free(resolved) }
        guard let resolved else { return false }
        var current = String(cString: resolved)
        while true {
            if FileIdentity(current) == other { return true }
            let above = Path.directory(of: current)
            if above == current { return false }
            current = above
        }
    }

    private static func requireWritable(_ directory: String, for path: String) throws {
        guard access(directory, W_OK) == 0 else { throw FileError(path, "write into \(directory)") }
    }

    private mutating func take(_ place: String, in directory: String, _ path: String, _ name: String) throws {
        guard let identity = FileIdentity(directory) else { return }
        if let other = taken.updateValue(name, forKey: Place(directory: identity, name: Path.name(of: place))) {
            throw UsageError("\(name) \(path) is an output of \(other), too: name another one")
        }
    }
}
