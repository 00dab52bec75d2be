import FileIO
import Foundation

/// The log of a run, one JSON object a line.
public final class MetricsLog {
    private let path: String
    private let handle: FileHandle
    private let encoder = JSONEncoder()

    /// Opens the log and cuts off what a stopped run wrote after `step`, since it will be written again: the validation
    /// at `step` too, where it is owed.
    ///
    /// - Throws: `FileError`, `InputError`.
    public init(_ path: String, keepingUpTo step: Int, owesValidation: Bool) throws {
        self.path = path
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        var kept = ""
        if FileContent.size(path) != nil {
            struct Place: Decodable { var kind: String, step: Int }
            let text = String(decoding: try FileContent.bytes(path), as: UTF8.self)
            for line in text.split(separator: "\n") {
                guard let place = try? JSONDecoder().decode(Place.self, from: Data(line.utf8)) else { continue }
                let isOwed = owesValidation && place.step == step && ["validation", "froc"].contains(place.kind)
                if place.step <= step && !isOwed { kept += line + "\n" }
            }
        }
        try AtomicFile.write(kept, to: path)
        guard let handle = FileHandle(forWritingAtPath: path) else { throw FileError(path, "open") }
        self.handle = handle
        try handle.seekToEnd()
    }

    /// Appends one object.
    ///
    /// - Throws: `FileError`.
    public func append(_ record: some Encodable) throws {
        do {
            try handle.write(contentsOf: try encoder.encode(record) + Data("\n".utf8))
        } catch { throw FileError(path, "append", reason: "\(error.localizedDescription)") }
    }
}
