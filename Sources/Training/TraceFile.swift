// A timeline as a file: the trace event format that chrome://tracing and Perfetto read, a process for each rank and a line
// for each of its threads.

import Basics
import FileIO
import Foundation
import MPI

/// What is needed beside its spans to draw a rank's part of a timeline.
struct TraceHeader: Codable {
    var host: String
    var names: [String]
    var tracks: [String]
    var count: Int
    var omitted: Int

    init(_ content: SpanLog.Content, host: String) {
        self.host = host
        names = content.names
        tracks = content.tracks
        count = content.spans.count
        omitted = content.omitted
    }
}

enum TraceFile {
    /// What became of a timeline.
    struct Outcome {
        /// How many spans the ranks had no room for.
        var omitted: Int
        /// Why rank 0 could not write it; nil on the others.
        var refusal: FileError?
    }

    /// Collects the spans of all ranks at rank 0, one rank after the other, and has it write the file; every rank calls it.
    ///
    /// - Parameter failure: What ended the run, where it was an error.
    /// - Throws: `MPIError`. A file that cannot be written is no error: the other ranks tell rank 0 all the same.
    static func write(
        _ log: SpanLog, _ begin: ClockAlignment, failure: String? = nil, to path: String,
        _ communicator: any Communicator
    ) throws -> Outcome {
        let end = try ClockAlignment(communicator) { Int(log.now) }
        let own = log.content
        let headers = try communicator.gather(
            Array(JSONEncoder().encode(TraceHeader(own, host: communicator.hostName)))
        ).map { try JSONDecoder().decode(TraceHeader.self, from: Data($0)) }
        var next = 0
        func nextSpans() throws(MPIError) -> [SpanLog.Span] {
            defer { next += 1 }
            var spans = own.spans
            if next != communicator.rank {
                let nothing = SpanLog.Span(name: 0, track: 0, step: 0, begin: 0, end: 0)
                spans = Array(repeating: nothing, count: headers[next].count)
            }
            // Out of the closure, whose errors have no type.
            let result = spans.withUnsafeMutableBytes { bytes in
                Result { () throws(MPIError) in try communicator.broadcast(bytes, from: next) }
            }
            try result.get()
            return spans
        }
        var outcome = Outcome(omitted: headers.reduce(0) { $0 + $1.omitted })
        if communicator.rank == 0 {
            do {
                try AtomicFile.write(to: path) { temporary in
                    let output = try TraceOutput(temporary, for: path)
                    for (rank, header) in headers.enumerated() {
                        try output.write(
                            header, nextSpans(), rank: rank, of: headers.count, AlignedClock(rank: rank, begin, end))
                    }
                    try output.finish(clockErrors: zip(begin.errors, end.errors).map { max($0, $1) }, failure: failure)
                }
            } catch let refusal as FileError { outcome.refusal = refusal }
        }
        while next < headers.count { _ = try nextSpans() }
        return outcome
    }

    /// Writes the spans of one rank, which asks no other. Clocks are as they were at the begin.
    ///
    /// - Parameters:
    ///   - ranks: Of the job.
    ///   - failure: What ended the run.
    /// - Throws: `FileError`.
    static func writeAlone(
        _ own: SpanLog.Content, _ begin: ClockAlignment, rank: Int, of ranks: Int, host: String, failure: String,
        to path: String
    ) throws {
        try AtomicFile.write(to: path) { temporary in
            let output = try TraceOutput(temporary, for: path)
            try output.write(
                TraceHeader(own, host: host), own.spans, rank: rank, of: ranks,
                AlignedClock(rank: rank, begin, begin))
            try output.finish(clockErrors: begin.errors, failure: failure)
        }
    }

    /// Bytes that a timeline takes at most: a rank's log, its spans as they are collected, another rank's, and what it takes
    /// to sort them.
    static func bytes(limit: Int) -> Int {
        let (log, content) = SpanLog.bytes(limit: limit)
        return log + content + content + content / 2
    }
}

/// The file as it is written, some bytes at a time.
final class TraceOutput {
    private let path: String
    private let handle: FileHandle
    private var bytes: [UInt8] = Array("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".utf8)
    private var isFirst = true

    /// - Parameter path: The name for messages.
    /// - Throws: `FileError`.
    init(_ temporary: String, for path: String) throws {
        self.path = path
        guard FileManager.default.createFile(atPath: temporary, contents: nil),
            let handle = FileHandle(forWritingAtPath: temporary)
        else { throw FileError(path, "create") }
        self.handle = handle
    }

    /// Adds a rank's spans, in the order of their begins.
    func write(
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
        // Of those that begin together the longest is the outermost.
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

    /// - Parameters:
    ///   - errors: By rank, how far its clock may be from rank 0's, in nanoseconds.
    ///   - failure: What ended the run, where it was an error.
    func finish(clockErrors errors: [Int], failure: String?) throws {
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
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    private func flush() throws {
        do { try handle.write(contentsOf: bytes) } catch {
            throw FileError(path, "write \(bytes.count) bytes", reason: error.localizedDescription)
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
