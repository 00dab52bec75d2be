// A timeline of all ranks: their spans are collected one rank after another.

import Basics
import FileIO
import MPI
import Runs

extension TraceFile {
    /// The outcome of writing a timeline.
    struct Outcome {
        /// The number of spans that the ranks had no room for.
        var omitted: Int
        /// The reason why rank 0 could not write the file; nil on the others.
        var refusal: FileError?
    }

    /// Collects the spans of all ranks at rank 0, one rank after the other, and has it write the file. Collective.
    ///
    /// - Parameter failure: The error that ended the run, if one did.
    /// - Throws: `MPIError`. A file that cannot be written is no error: the other ranks tell rank 0 all the same.
    static func write(
        _ log: SpanLog, _ begin: ClockAlignment, failure: String? = nil, to path: String,
        _ communicator: any Communicator
    ) throws -> Outcome {
        let end = try ClockAlignment(communicator) { Int(log.now) }
        let own = log.content
        let headers = try communicator.gather(
            JSON.encode(TraceHeader(own, host: communicator.hostName))
        ).map { try JSON.decode(TraceHeader.self, from: $0) }
        var next = 0
        func nextSpans() throws(MPIError) -> [SpanLog.Span] {
            defer { next += 1 }
            var spans = own.spans
            if next != communicator.rank {
                let nothing = SpanLog.Span(name: 0, track: 0, step: 0, begin: 0, end: 0)
                spans = Array(repeating: nothing, count: headers[next].count)
            }
            // The error leaves the closure this way, since a closure's errors have no type.
            let result = spans.withUnsafeMutableBytes { bytes in
                Result { () throws(MPIError) in try communicator.broadcast(bytes, from: next) }
            }
            try result.get()
            return spans
        }
        var outcome = Outcome(omitted: headers.reduce(0) { $0 + $1.omitted })
        if communicator.rank == 0 {
            do {
                try AtomicFile.write(to: path, isSequential: true) { temporary in
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
}
