// A timeline as a file: the trace event format that chrome://tracing and Perfetto read, a process for each rank and a
// line for each of its threads.

import Basics
import FileIO
import Foundation

/// The description that a rank's part of a timeline has beside its spans.
public struct TraceHeader: Codable, Sendable {
    /// The name of the rank's host.
    public var host: String
    /// The names of spans, by number.
    public var names: [String]
    /// The names of the rank's threads, by number.
    public var tracks: [String]
    /// The number of spans that follow.
    public var count: Int
    /// The number of spans that were left out.
    public var omitted: Int

    /// Describes what a rank has recorded.
    public init(_ content: SpanLog.Content, host: String) {
        self.host = host
        names = content.names
        tracks = content.tracks
        count = content.spans.count
        omitted = content.omitted
    }
}

/// The file of a timeline.
public enum TraceFile {
    /// Writes the spans of one rank without asking any other. Times are aligned by the measurement at the beginning
    /// alone.
    ///
    /// - Parameters:
    ///   - ranks: The number of ranks of the job.
    ///   - failure: The error that ended the run.
    /// - Throws: `FileError`.
    public static func writeAlone(
        _ own: SpanLog.Content, _ begin: ClockAlignment, rank: Int, of ranks: Int, host: String, failure: String,
        to path: String
    ) throws {
        try AtomicFile.write(to: path, isSequential: true) { temporary in
            let output = try TraceOutput(temporary, for: path)
            try output.write(
                TraceHeader(own, host: host), own.spans, rank: rank, of: ranks,
                AlignedClock(rank: rank, begin, begin))
            try output.finish(clockErrors: begin.errors, failure: failure)
        }
    }

    /// The most memory that a timeline takes, in bytes: a rank's log, its spans as they are collected, another rank's,
    /// and what it takes to sort them.
    public static func bytes(limit: Int) -> Int {
        let (log, content) = SpanLog.bytes(limit: limit)
        return log + content + content + content / 2
    }
}

/// A timeline's file while it is written, some bytes at a time.
public final class TraceOutput {
    private let path: String
    private let handle: FileHandle
    /// The text that every timeline begins with.
    public static let beginning = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
    private var bytes = Array(TraceOutput.beginning.utf8)
    private var isFirst = true

    /// Creates the file at `temporary`.
    ///
    /// - Parameter path: The file's name in messages.
    /// - Throws: `FileError`.
    public init(_ temporary: String, for path: String) throws {
        self.path = path
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw FileError(path, "create") }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Adds a rank's spans, in the order in which they begin.
    ///
    /// - Throws: `FileError`.
    public func write(
        _ header: TraceHeader, _ spans: [SpanLog.Span], rank: Int, of ranks: Int, _ clock: AlignedClock
    ) throws {
        let label = ranks > 1 ? "rank \(rank) on \(header.host)" : "luna on \(header.host)"
        try describe("process_name", rank, 0, "\"name\":\(quoted(label))")
        try describe("process_sort_index", rank, 0, "\"sort_index\":\(rank)")
        for (track, name) in header.tracks.enumerated() {
            try describe("thread_name", rank, track, "\"name\":\(quoted(name))")
            try describe("thread_sort_index", rank, track, "\"sort_index\":\(track)")
        }
        let names = header.names.map { Array(quoted($0).utf8) }
        // Where spans begin together, the longest is the outermost.
        for span in spans.sorted(by: { ($0.begin, $1.end) < ($1.begin, $0.end) }) {
            let (begin, end) = (clock.aligned(Int(span.begin)), clock.aligned(Int(span.end)))
            startEvent()
            add("{\"ph\":\"X\",\"name\":")
            bytes += names[Int(span.name)]
            add(",\"pid\":")
            add(Int64(rank))
            add(",\"tid\":")
            add(Int64(span.track))
            add(",\"ts\":")
            addMicroseconds(Int64(begin))
            add(",\"dur\":")
            addMicroseconds(Int64(end - begin))
            if span.step > 0 {
                add(",\"args\":{\"step\":")
                add(Int64(span.step))
                add("}")
            }
            add("}")
            if bytes.count > 1 << 20 { try flush() }
        }
    }

    /// Completes the file.
    ///
    /// - Parameters:
    ///   - errors: The uncertainty of each rank's clock against rank 0's, in nanoseconds.
    ///   - failure: The error that ended the run, if one did.
    /// - Throws: `FileError`.
    public func finish(clockErrors errors: [Int], failure: String?) throws {
        let list = errors.map { "\((Double($0) / 100).rounded() / 10)" }.joined(separator: ",")
        let failure = failure.map { ",\"failure\":\(quoted($0))" } ?? ""
        add("\n],\"otherData\":{\"clock_error_us\":[\(list)]\(failure)}}\n")
        try flush()
        do { try handle.close() } catch { throw FileError(path, "close", reason: error.localizedDescription) }
    }

    private func describe(_ kind: String, _ rank: Int, _ track: Int, _ argument: String) throws {
        startEvent()
        add("{\"ph\":\"M\",\"name\":\"\(kind)\",\"pid\":\(rank),\"tid\":\(track),\"args\":{\(argument)}}")
    }

    private func startEvent() {
        if !isFirst { add(",\n") }
        isFirst = false
    }

    private func add(_ text: String) { bytes += text.utf8 }

    private func add(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var digits: [UInt8] = []
        var rest = value.magnitude
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes += digits.reversed()
    }

    private func addMicroseconds(_ nanoseconds: Int64) {
        let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        if nanoseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        add(Int64(whole))
        bytes.append(UInt8(ascii: "."))
        for digit in [rest / 100, rest / 10 % 10, rest % 10] { bytes.append(UInt8(ascii: "0") + UInt8(digit)) }
    }

    private func quoted(_ text: String) -> String {
        (try? JSON.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    private func flush() throws {
        do { try handle.write(contentsOf: bytes) } catch {
            throw FileError(path, "write \(bytes.count) bytes", reason: error.localizedDescription)
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
