import FileIO
import Foundation
import Testing

/// A timeline that `luna train --timeline` has written, in the format of Chrome's trace viewer.
struct Timeline: Decodable {
    struct Event: Decodable {
        struct Arguments: Decodable { var name: String?, step: Int? }
        var ph, name: String
        var pid, tid: Int
        var ts, dur: Double?
        var args: Arguments?
        var begin: Double { ts ?? .nan }
        var end: Double { begin + (dur ?? .nan) }
    }
    struct Other: Decodable {
        var clock_error_us: [Double]
        var failure: String?
    }
    var traceEvents: [Event]
    var otherData: Other

    /// Events that last.
    var spans: [Event] { traceEvents.filter { $0.ph == "X" } }

    /// Reads one, and expects that within a thread spans nest.
    init(_ path: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(try FileContent.bytes(path)))
        for (_, thread) in Dictionary(grouping: spans, by: { [$0.pid, $0.tid] }) {
            var open: [Event] = []
            for span in thread.sorted(by: { ($0.begin, $1.end) < ($1.begin, $0.end) }) {
                while let last = open.last, last.end <= span.begin + 0.0005 { open.removeLast() }
                if let last = open.last { #expect(span.end <= last.end + 0.0005, "\(span) leaves \(last)") }
                open.append(span)
            }
        }
    }
}
