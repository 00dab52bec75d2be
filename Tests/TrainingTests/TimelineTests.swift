import Compute
import FileIO
import Foundation
import MPI
import TestSupport
import Testing

@testable import Training

@Suite struct TimelineTests {
    /// A clock that runs fast is corrected by both measurements.
    @Test func driftIsCorrected() {
        let begin = ClockAlignment(times: [0, 1000], offsets: [0, 1000], errors: [0, 1])
        let end = ClockAlignment(times: [1_000_000, 1_003_000], offsets: [0, 3000], errors: [0, 1])
        let clock = AlignedClock(rank: 1, begin, end)
        #expect(clock.aligned(1000) == 0 && clock.aligned(1_003_000) == 1_000_000)
        #expect(clock.aligned(502_000) == 500_000)
    }

    private struct Trace: Decodable {
        struct Event: Decodable {
            struct Arguments: Decodable { var name: String?, step: Int? }
            var ph, name: String
            var pid, tid: Int
            var ts, dur: Double?
            var args: Arguments?
        }
        var traceEvents: [Event]
    }

    @Test func spansAreBoundedAndWritten() throws {
        let log = SpanLog(limit: 3)
        let loader = log.addTrack("loader \"1\"")
        log.setStep(4)
        let outer = log.now
        let inner = log.now
        log.record("forw1.0.conv1", since: inner)
        log.record("forward", since: outer)
        log.record("micro-batch", since: outer, track: loader)
        log.record("one too many", since: outer)
        #expect(log.content.omitted == 1 && log.content.spans.count == 3 && !log.content.names.contains("one too many"))
        let communicator = SingleCommunicator()
        let begin = try ClockAlignment(communicator) { Int(log.now) }
        try withTemporaryDirectory { directory in
            let path = "\(directory)/timeline.json"
            #expect(try TraceFile.write(log, begin, to: path, communicator) == 1)
            let trace = try JSONDecoder().decode(Trace.self, from: Data(try FileContent.bytes(path)))
            let names = trace.traceEvents.filter { $0.ph == "M" && $0.name == "thread_name" }.map { $0.args?.name }
            #expect(names == ["training", "loader \"1\""])
            let spans = trace.traceEvents.filter { $0.ph == "X" }
            #expect(Set(spans.map(\.name)) == ["forward", "forw1.0.conv1", "micro-batch"])
            let training = spans.filter { $0.tid == 0 }
            #expect(training.map(\.name) == ["forward", "forw1.0.conv1"] && training.allSatisfy { $0.args?.step == 4 })
            #expect(spans.first { $0.tid == loader }?.args == nil)
            let span = try #require(log.content.spans.first { log.content.names[Int($0.name)] == "forward" })
            #expect(training[0].ts == Double(span.begin) / 1000)
            #expect(training[0].dur == Double(span.end - span.begin) / 1000)
        }
    }

    @Test func nothingIsRecordedWithoutALog() {
        let engine = Engine(pool: ThreadPool(threads: 1))
        var made = 0
        func name() -> String {
            made += 1
            return "a"
        }
        #expect(engine.span(name()) { 3 } == 3 && made == 0)
        engine.spans = SpanLog(limit: 8)
        #expect(engine.span(name()) { 4 } == 4 && made == 1)
        #expect(engine.spans?.content.spans.count == 1)
    }
}
