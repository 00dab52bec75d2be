import Basics
import Testing

/// The time that spans take without those inside them.
@Suite struct OwnTimeTests {
    @Test func insideIsTakenOff() {
        var content = SpanLog.Content()
        content.names = ["a", "b", "c"]
        func add(_ name: Int32, _ begin: Int64, _ end: Int64, step: Int32 = 1, track: Int32 = 0) {
            content.spans.append(.init(name: name, track: track, step: step, begin: begin, end: end))
        }
        // a [0, 100] holds b [10, 40], which holds c [20, 30], and c [50, 60]; then c by itself.
        add(2, 20, 30)
        add(1, 10, 40)
        add(2, 50, 60)
        add(0, 0, 100)
        add(2, 100, 105)
        // Another step and another thread.
        add(0, 200, 300, step: 2)
        add(0, 0, 1000, track: 1)
        #expect(content.ownSeconds(steps: 1...1) == ["a": 60e-9, "b": 20e-9, "c": 25e-9])
        #expect(content.ownSeconds(steps: 2...9) == ["a": 100e-9])
        #expect(content.ownSeconds(steps: 3...9).isEmpty)
    }
}
