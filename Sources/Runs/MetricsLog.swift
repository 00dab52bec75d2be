import Basics
import FileIO
import Foundation

/// The log of a run, one JSON object per line. Nothing else writes or reads `metrics.jsonl`.
public final class MetricsLog {
    private let path: String
    private let handle: FileHandle

    /// Opens the log and cuts off what a stopped run wrote after `step`, since it will be written again: the validation
    /// at `step` too, where it is owed.
    ///
    /// - Throws: `FileError`, `InputError`.
    public init(_ path: String, keepingUpTo step: Int, owesValidation: Bool) throws {
        self.path = path
        var kept = ""
        if FileContent.size(path) != nil {
            let text = String(decoding: try FileContent.bytes(path), as: UTF8.self)
            for line in text.split(separator: "\n") {
                guard let place = try? JSON.decode(LogPlace.self, from: line.utf8) else { continue }
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
            try handle.write(contentsOf: try JSON.encode(record) + [UInt8(ascii: "\n")])
        } catch { throw FileError(path, "append", reason: "\(error.localizedDescription)") }
    }

    /// The largest size of a log, in bytes, that of some 100 million steps: a guard against files with holes.
    private static let sizeLimit = 1 << 32

    /// Reads a log in the order of its lines.
    ///
    /// - Parameters:
    ///   - tail: How many bytes are read, from the end; by default all. A line that this cuts counts as unreadable.
    ///   - body: Receives every line; nil stands for one that cannot be read, such as the last one after a kill.
    /// - Throws: `InputError` where there is no file or it is too large; `FileError`.
    public static func read(_ path: String, tail: Int? = nil, _ body: (LogRecord?) -> Void) throws {
        for line in try bytes(path, tail).split(separator: UInt8(ascii: "\n")) {
            body(try? JSON.decode(LogRecord.self, from: line))
        }
    }

    private static func bytes(_ path: String, _ tail: Int?) throws -> [UInt8] {
        guard let tail, let size = FileContent.size(path), size > tail else {
            return try FileContent.bytes(path, limit: sizeLimit)
        }
        guard let file = FileHandle(forReadingAtPath: path) else { throw FileError(path, "open") }
        defer { try? file.close() }
        do {
            try file.seek(toOffset: UInt64(size - tail))
            return [UInt8](try file.read(upToCount: tail) ?? Data())
        } catch { throw FileError(path, "read", reason: error.localizedDescription) }
    }
}
