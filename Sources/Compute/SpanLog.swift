// Where a process spent its time: what a timeline is drawn from.

import Synchronization

/// Spans of time in which a process worked at something.
///
/// Any thread may record. Beyond the limit spans are counted and left out, so that memory is bounded.
public final class SpanLog: Sendable {
    public struct Span: Hashable, Sendable, BitwiseCopyable {
        /// In `Content.names`.
        public var name: Int32
        /// In `Content.tracks`.
        public var track: Int32
        /// The step it belongs to, or follows; 0 before the first and on tracks other than the training thread's.
        public var step: Int32
        /// Nanoseconds since the log was made.
        public var begin, end: Int64

        public init(name: Int32, track: Int32, step: Int32, begin: Int64, end: Int64) {
            self.name = name
            self.track = track
            self.step = step
            self.begin = begin
            self.end = end
        }
    }

    public struct Content: Hashable, Sendable {
        public var names: [String] = []
        /// The threads: spans of one nest, but never overlap otherwise. The first is the training thread.
        public var tracks: [String]
        public var spans: [Span] = []
        /// How many were left out.
        public var omitted = 0

        public init(tracks: [String] = ["training"]) { self.tracks = tracks }
    }

    private struct State {
        var content = Content()
        var indices: [String: Int32] = [:]
        var step: Int32 = 0
    }

    public let limit: Int
    private let origin = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter limit: The most spans that are kept, of about 40 bytes each.
    public init(limit: Int) { self.limit = limit }

    /// Nanoseconds since the log was made.
    public var now: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - origin).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    public var content: Content { state.withLock { $0.content } }

    /// A line of the timeline for another thread.
    public func addTrack(_ name: String) -> Int {
        state.withLock {
            $0.content.tracks.append(name)
            return $0.content.tracks.count - 1
        }
    }

    /// Spans of the training thread belong to this step from now on.
    public func setStep(_ step: Int) { state.withLock { $0.step = Int32(truncatingIfNeeded: step) } }

    /// Records a span that ends now.
    ///
    /// - Parameters:
    ///   - begin: What `now` was at its begin.
    ///   - track: As `addTrack` gave it; 0: the training thread's.
    public func record(_ name: String, since begin: Int64, track: Int = 0) {
        let end = now
        state.withLock {
            guard $0.content.spans.count < limit else {
                $0.content.omitted += 1
                return
            }
            let index = $0.indices[name] ?? Int32($0.content.names.count)
            if index == $0.content.names.count {
                $0.content.names.append(name)
                $0.indices[name] = index
            }
            $0.content.spans.append(
                Span(name: index, track: Int32(track), step: track == 0 ? $0.step : 0, begin: begin, end: end))
        }
    }
}

/// A span that has begun; nothing at all where no log is kept.
public struct OpenSpan {
    private let log: SpanLog?
    private let name: String
    private let begin: Int64

    /// - Parameter name: Made only where there is a log.
    public init(_ name: @autoclosure () -> String, in log: SpanLog?) {
        self.log = log
        self.name = log == nil ? "" : name()
        begin = log?.now ?? 0
    }

    public func end() { log?.record(name, since: begin) }
}

extension Engine {
    /// Begins a span of the training thread.
    public func begin(_ name: @autoclosure () -> String) -> OpenSpan { OpenSpan(name(), in: spans) }

    /// Runs `body` as a span of the training thread.
    public func span<Result>(_ name: @autoclosure () -> String, _ body: () throws -> Result) rethrows -> Result {
        let span = begin(name())
        defer { span.end() }
        return try body()
    }
}
