// What goes wrong with files, in the two kinds that a user acts on differently: a file whose content is wrong
// (mend the file), and an operation that the system refused (mend the disk, the path, the permissions).

/// A file or an argument holds something else than what was expected.
///
/// Printed as one line; the command exits with 65 (`EX_DATAERR`).
public struct InputError: Error, Hashable, CustomStringConvertible {
    /// The path as the user gave it, or the option (`--set crop_size`).
    public var file: String
    /// The place in it: `line 3`, `/volume`, `ElementSpacing`.
    public var place: String?
    /// What was found and what was expected there.
    public var problem: String
    /// What the user can do about it.
    public var remedy: String?

    public init(_ file: String, at place: String? = nil, _ problem: String, remedy: String? = nil) {
        self.file = file
        self.place = place
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String {
        let location = place.map { "\(file): \($0)" } ?? file
        let text = "\(location): \(problem)"
        // One line, and nothing that a terminal would obey: parts of the text come from the file.
        let scalars = (remedy.map { "\(text); \($0)" } ?? text).unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}

/// The system refused an operation on a file. The command exits with 74 (`EX_IOERR`).
public struct FileError: Error, Hashable, CustomStringConvertible {
    /// The path as the user gave it.
    public var file: String
    /// What was tried: `open`, `write 4096 bytes`.
    public var operation: String
    /// The system's reason: `No space left on device`.
    public var reason: String

    public init(_ file: String, _ operation: String, reason: String) {
        self.file = file
        self.operation = operation
        self.reason = reason
    }

    public var description: String { "\(file): cannot \(operation): \(reason)" }
}

/// The command was used wrongly in a way that argument parsing cannot see, such as a rank count that does not
/// divide the replicas. The command exits with 64 (`EX_USAGE`).
public struct UsageError: Error, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
