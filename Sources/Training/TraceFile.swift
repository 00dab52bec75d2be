// A timeline as a file: the trace event format that chrome://tracing and Perfetto read, a process for each rank and a line
// for each of its threads.

import Compute
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
}

enum TraceFile {
    /// Collects the spans of all ranks at rank 0, one rank after the other, and has it write the file; every rank calls it.
    ///
    /// - Returns: How many spans the ranks had no room for.
    /// - Throws: `FileError`, `MPIError`.
    static func write(
        _ log: SpanLog, _ begin: ClockAlignment, to path: String, _ communicator: any Communicator
    ) throws -> Int {
        let end = try ClockAlignment(communicator) { Int(log.now) }
        let own = log.content
        let header = TraceHeader(
            host: communicator.hostName, names: own.names, tracks: own.tracks, count: own.spans.count,
            omitted: own.omitted)
        let headers = try communicator.gather(Array(JSONEncoder().encode(header))).map {
            try JSONDecoder().decode(TraceHeader.self, from: Data($0))
        }
        func spans(of rank: Int) throws -> [SpanLog.Span] {
            var spans = own.spans
            if rank != communicator.rank {
                let nothing = SpanLog.Span(name: 0, track: 0, step: 0, begin: 0, end: 0)
                spans = Array(repeating: nothing, count: headers[rank].count)
            }
            try spans.withUnsafeMutableBytes { try communicator.broadcast($0, from: rank) }
            return spans
        }
        if communicator.rank == 0 {
            try AtomicFile.write(to: path) { temporary in
                let output = try TraceOutput(temporary, for: path)
                for (rank, header) in headers.enumerated() {
                    try output.write(
                        header, spans(of: rank), rank: rank, of: headers.count, AlignedClock(rank: rank, begin, end))
                }
                let errors = zip(begin.errors, end.errors).map { Double(max($0, $1)) / 1000 }
                try output.finish(clockErrors: errors)
            }
        } else {
            for rank in headers.indices { _ = try spans(of: rank) }
        }
        return headers.reduce(0) { $0 + $1.omitted }
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

    /// - Parameter errors: By rank, how far its clock may be from rank 0's, in microseconds.
    func finish(clockErrors errors: [Double]) throws {
        let list = errors.map { "\(($0 * 10).rounded() / 10)" }.joined(separator: ",")
        add("\n],\"otherData\":{\"clock_error_us\":[\(list)]}}\n")
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
