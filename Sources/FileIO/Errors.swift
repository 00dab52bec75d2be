// What goes wrong with files, in the two kinds that a user acts on differently: a file whose content is wrong
// (mend the file), and an operation that the system refused (mend the disk, the path, the permissions).

/// A file or an argument that holds something else than what was expected.
///
/// Its description is one line: `FILE: PLACE: PROBLEM; REMEDY`. The command ends with status 65 (`EX_DATAERR`) for it.
public struct InputError: Error, Hashable, CustomStringConvertible {
    /// The path as the user gave it, or the option (`--set crop_size`).
    public var file: String
    /// The place in the file: `line 3`, `/volume`, `ElementSpacing`; nil where the whole file is meant.
    public var place: String?
    /// The mistake: what was found, and what was expected there.
    public var problem: String
    /// The way out for the user, if one is known.
    public var remedy: String?

    /// Makes an error from its parts.
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

/// An operation on a file that the system refused. The command ends with status 74 (`EX_IOERR`) for it.
public struct FileError: Error, Hashable, CustomStringConvertible {
    /// The path as the user gave it.
    public var file: String
    /// The operation that was tried: `open`, `write 4096 bytes`.
    public var operation: String
    /// The system's reason: `No space left on device`.
    public var reason: String

    /// Makes an error from its parts.
    public init(_ file: String, _ operation: String, reason: String) {
        self.file = file
        self.operation = operation
        self.reason = reason
    }

    public var description: String { "\(file): cannot \(operation): \(reason)" }
}

/// A wrong use that argument parsing cannot see, such as a rank count that does not divide the replicas. The command
/// ends with status 64 (`EX_USAGE`) for it.
public struct UsageError: Error, Hashable, CustomStringConvertible {
    public var description: String

    /// Makes an error that says what is wrong.
    public init(_ description: String) { self.description = description }
}
