import Basics
import Compute
import Exchange
import FileIO
import Foundation
import MPI
import MPITestSupport
import Runs
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
        struct Other: Decodable {
            var clock_error_us: [Double]
            var failure: String?
        }
        var traceEvents: [Event]
        var otherData: Other
    }

    @Test func spansAreBoundedAndWritten() throws {
        let log = SpanLog(limit: 3)
        let loader = log.addTrack("loader \"1\"")
        log.setStep(4)
        let outer = log.now
        let inner = log.now
        log.training.record("forw1.0.conv1", since: inner)
        log.training.record("forward", since: outer)
        loader.record("micro-batch", since: outer)
        log.training.record("one too many", since: outer)
        #expect(log.content.omitted == 1 && log.content.spans.count == 3 && !log.content.names.contains("one too many"))
        let communicator = SingleCommunicator()
        let begin = try ClockAlignment(communicator) { Int(log.now) }
        try withTemporaryDirectory { directory in
            let path = "\(directory)/timeline.json"
            let outcome = try TraceFile.write(log, begin, to: path, communicator)
            #expect(outcome.omitted == 1 && outcome.refusal == nil)
            let trace = try JSONDecoder().decode(Trace.self, from: Data(try FileContent.bytes(path)))
            let names = trace.traceEvents.filter { $0.ph == "M" && $0.name == "thread_name" }.map { $0.args?.name }
            #expect(names == ["training", "loader \"1\""])
            let spans = trace.traceEvents.filter { $0.ph == "X" }
            #expect(Set(spans.map(\.name)) == ["forward", "forw1.0.conv1", "micro-batch"])
            let training = spans.filter { $0.tid == 0 }
            #expect(training.map(\.name) == ["forward", "forw1.0.conv1"] && training.allSatisfy { $0.args?.step == 4 })
            #expect(spans.first { $0.tid == 1 }?.args == nil)
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

    /// Threads record on tracks of their own while another one reads.
    @Test func threadsRecordAtTheSameTime() {
        let log = SpanLog(limit: 3500)
        let tracks = (0..<4).map { log.addTrack("thread \($0)") }
        DispatchQueue.concurrentPerform(iterations: 5) { worker in
            guard worker < 4 else {
                for _ in 0..<20 { #expect(log.content.spans.count <= 3500) }
                return
            }
            for index in 0..<1000 { tracks[worker].record("span \(index % 7)", since: tracks[worker].now, step: index) }
        }
        let content = log.content
        #expect(content.spans.count == 3500 && content.omitted == 500 && content.names.count == 7)
        #expect(content.tracks == ["training"] + (0..<4).map { "thread \($0)" })
        for track in 1...4 {
            let spans = content.spans.filter { $0.track == track }
            #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.step < $1.step && $0.end <= $1.end })
            #expect(spans.allSatisfy { content.names[Int($0.name)] == "span \($0.step % 7)" && $0.begin <= $0.end })
        }
    }

    /// Where buckets are summed, each has a span for either of its rounds, and those of a line do not overlap.
    @Test(arguments: [OverlapMode.thread, .poll]) func bucketsAreSpans(_ overlap: OverlapMode) throws {
        let contents = RankGroup.run(2) { communicator -> SpanLog.Content? in
            let whereabouts = Whereabouts()
            whereabouts.spans = SpanLog(limit: 10_000)
            let observed = ObservedCommunicator(communicator, whereabouts, messageName: MessageTag.name)
            guard
                let reduction = try? GradientReduction(
                    mode: .tree, replicas: 2, count: 1000, communicator: observed),
                (try? reduction.connect(overlap, order: [500..<1000, 0..<500], bucketBytes: 400)) != nil
            else { return nil }
            for step in 1...3 {
                reduction.add { $0.update(repeating: 1) }
                guard (try? reduction.finish()) != nil else { return nil }
                whereabouts.finish(step: step)
            }
            return whereabouts.spans?.content
        }
        for content in contents {
            let content = try #require(content)
            #expect(content.tracks == ["training"] + (1..<content.tracks.count).map { "exchange \($0)" })
            #expect(content.tracks.count > 1)
            let expected = (1...10).flatMap { ["bucket \($0) collected", "bucket \($0) shared"] }
            for step in 1...3 {
                let names = content.spans.filter { $0.step == step }.map { content.names[Int($0.name)] }
                #expect(names.sorted() == expected.sorted(), "step \(step)")
            }
            for (track, spans) in Dictionary(grouping: content.spans, by: \.track) {
                #expect(track > 0)
                let sorted = spans.sorted { $0.begin < $1.begin }
                #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.end <= $1.begin })
            }
        }
    }

    /// A file that cannot be written is told, and is no error.
    @Test func aRefusalIsTold() throws {
        let log = SpanLog(limit: 3)
        log.training.record("forward", since: log.now)
        let communicator = SingleCommunicator()
        let begin = try ClockAlignment(communicator) { Int(log.now) }
        try withTemporaryDirectory { directory in
            let outcome = try TraceFile.write(log, begin, to: "\(directory)/none/a.json", communicator)
            #expect(outcome.refusal?.file == "\(directory)/none/a.json" && outcome.omitted == 0)
        }
    }

    @Test func aRankWritesItsOwnPart() throws {
        let log = SpanLog(limit: 1)
        log.training.record("load", since: log.now)
        log.training.record("counts", since: log.now)
        let begin = ClockAlignment(times: [0, 0], offsets: [0, -5000], errors: [0, 300])
        var part = LoneTimeline(log: log, begin: begin, path: "", rank: 1, ranks: 2, host: "node1")
        for (path, own) in [
            ("runs/a.json", "runs/a-rank1.json"), ("runs.b/a", "runs.b/a-rank1"), ("a.b.json", "a.b-rank1.json"),
            ("c/.a", "c/.a-rank1"),
        ] {
            part.path = path
            #expect(part.ownPath == own)
        }
        try withTemporaryDirectory { directory in
            part.path = "\(directory)/a.json"
            let text = part.write(failure: "a \"shard\" is damaged")
            #expect(text?.contains("a-rank1.json is the timeline of this rank alone") == true)
            #expect(text?.contains("1 spans more are left out") == true)
            let bytes = try FileContent.bytes("\(directory)/a-rank1.json")
            let trace = try JSONDecoder().decode(Trace.self, from: Data(bytes))
            #expect(trace.otherData.failure == "a \"shard\" is damaged" && trace.otherData.clock_error_us == [0, 0.3])
            let spans = trace.traceEvents.filter { $0.ph == "X" }
            #expect(spans.map(\.name) == ["load"] && spans[0].pid == 1)
            #expect(spans[0].ts == Double(log.content.spans[0].begin + 5000) / 1000)
            #expect(FileContent.size("\(directory)/a.json") == nil)
            part.path = "\(directory)/none/a.json"
            #expect(part.write(failure: "")?.contains("there is no timeline") == true)
            // A job of one rank has one file.
            part = LoneTimeline(
                log: SpanLog(limit: 1), begin: begin, path: "\(directory)/b.json", rank: 0, ranks: 1, host: "node1")
            #expect(part.ownPath == part.path && part.write(failure: "x") == nil)
        }
    }
}
