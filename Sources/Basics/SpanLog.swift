// Where a process spent its time: what a timeline is drawn from.

import Synchronization

/// Spans of time in which a process worked at something, with a track for each of its threads.
///
/// Any thread may record on a track of its own. Spans beyond the limit are counted and left out, so that memory is
/// bounded.
public final class SpanLog: Sendable {
    /// A span of time on one track, as a log's content has it.
    public struct Span: Hashable, Sendable, BitwiseCopyable {
        /// The index of the span's name in `Content.names`.
        public var name: Int32
        /// The index of the span's track in `Content.tracks`.
        public var track: Int32
        /// The step that the span belongs to, or follows; 0 before the first, and where it is not known.
        public var step: Int32
        /// The begin, in nanoseconds since the log was made.
        public var begin: Int64
        /// The end, in nanoseconds since the log was made.
        public var end: Int64

        /// Creates a span of its parts.
        public init(name: Int32, track: Int32, step: Int32, begin: Int64, end: Int64) {
            self.name = name
            self.track = track
            self.step = step
            self.begin = begin
            self.end = end
        }
    }

    /// A copy of all that a log has recorded, to be written or sent to another rank.
    public struct Content: Hashable, Sendable {
        /// The names of the spans, each once.
        public var names: [String] = []
        /// The names of the tracks, the training thread's first. Spans of one track nest, but never overlap otherwise.
        public var tracks: [String] = []
        /// The spans, track by track, each track's in the order in which they ended.
        public var spans: [Span] = []
        /// The number of spans that were left out because the log was full.
        public var omitted = 0

        /// Creates an empty content.
        public init() {}

        /// Adds a span of the training thread that has not ended.
        ///
        /// - Parameters:
        ///   - name: The span's name.
        ///   - begin: Its begin, in nanoseconds since the log was made.
        ///   - now: The present, by the same clock.
        ///   - step: The step that it belongs to.
        public mutating func addOpen(_ name: String, since begin: Int64, until now: Int64, step: Int) {
            spans.append(
                Span(
                    name: Int32(names.count), track: 0, step: Int32(truncatingIfNeeded: step), begin: max(0, begin),
                    end: now))
            names.append(name)
        }
    }

    /// The state that all tracks share: the clock's origin, and how many spans there is room for.
    fileprivate final class Budget: Sendable {
        let limit: Int
        let origin = ContinuousClock.now
        private let taken = Atomic(0)

        init(limit: Int) { self.limit = limit }

        /// Whether there is room for one more span.
        func take() -> Bool { taken.wrappingAdd(1, ordering: .relaxed).oldValue < limit }
    }

    /// The spans of one thread, or of several that take turns.
    ///
    /// Its lock is contended by nobody before the timeline is written: threads that record do not wait for one another.
    public final class Track: Sendable {
        private struct State {
            var names: [String] = []
            var indices: [String: Int32] = [:]
            /// The spans; their names are indices into this state's `names`, their tracks mean nothing.
            var spans: [Span] = []
            var omitted = 0
            var step: Int32 = 0
        }

        private let name: String
        private let budget: Budget
        private let state = Mutex(State())

        fileprivate init(_ name: String, _ budget: Budget) {
            self.name = name
            self.budget = budget
        }

        /// Nanoseconds since the log was made.
        public var now: Int64 {
            let (seconds, attoseconds) = (ContinuousClock.now - budget.origin).components
            return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        }

        /// Assigns the spans recorded from now on to a step.
        public func setStep(_ step: Int) { state.withLock { $0.step = Int32(truncatingIfNeeded: step) } }

        /// Records a span that ends now.
        ///
        /// - Parameters:
        ///   - name: The span's name.
        ///   - begin: The value of `now` at the span's begin.
        ///   - step: The step it belongs to; by default the one given to `setStep`.
        public func record(_ name: String, since begin: Int64, step: Int? = nil) {
            let end = now
            let hasRoom = budget.take()
            state.withLock {
                guard hasRoom else {
                    $0.omitted += 1
                    return
                }
                let index = $0.indices[name] ?? Int32($0.names.count)
                if index == $0.names.count {
                    $0.names.append(name)
                    $0.indices[name] = index
                }
                let step = step.map { Int32(truncatingIfNeeded: $0) } ?? $0.step
                $0.spans.append(Span(name: index, track: 0, step: step, begin: begin, end: end))
            }
        }

        /// Adds this track, and what it has recorded so far, to a content.
        fileprivate func add(to content: inout Content, _ indices: inout [String: Int32]) {
            let own = state.withLock { $0 }
            let names = own.names.map { name in
                if let index = indices[name] { return index }
                let index = Int32(content.names.count)
                indices[name] = index
                content.names.append(name)
                return index
            }
            let track = Int32(content.tracks.count)
            content.tracks.append(name)
            content.omitted += own.omitted
            for var span in own.spans {
                span.name = names[Int(span.name)]
                span.track = track
                content.spans.append(span)
            }
        }
    }

    /// The training thread's track.
    public let training: Track
    private let budget: Budget
    private let others = Mutex<[Track]>([])

    /// Creates an empty log.
    ///
    /// - Parameter limit: The number of spans that are kept at most, over all tracks.
    public init(limit: Int) {
        budget = Budget(limit: limit)
        training = Track("training", budget)
    }

    /// The number of spans that are kept at most, over all tracks.
    public var limit: Int { budget.limit }

    /// The memory in bytes that a log's spans take at most, and a copy of its content.
    public static func bytes(limit: Int) -> (log: Int, content: Int) {
        let spans = limit * MemoryLayout<Span>.stride
        // While an array grows, half of it may be there twice.
        return (spans + spans / 2, spans)
    }

    /// Nanoseconds since the log was made.
    public var now: Int64 { training.now }

    /// A copy of what all tracks have recorded so far. Any thread may ask for it, also while others record.
    public var content: Content {
        var content = Content()
        var indices: [String: Int32] = [:]
        for track in [training] + others.withLock({ $0 }) { track.add(to: &content, &indices) }
        return content
    }

    /// Adds a track for another thread.
    ///
    /// - Parameter name: The track's name in the timeline.
    public func addTrack(_ name: String) -> Track {
        let track = Track(name, budget)
        others.withLock { $0.append(track) }
        return track
    }

    /// Assigns the training thread's spans from now on to a step.
    public func setStep(_ step: Int) { training.setStep(step) }
}

/// A span of the training thread that has begun; without a log it does nothing.
public struct OpenSpan {
    private let log: SpanLog?
    private let name: String
    private let begin: Int64

    /// Begins a span.
    ///
    /// - Parameters:
    ///   - name: The span's name, evaluated only where there is a log.
    ///   - log: The log to record in, or nil.
    public init(_ name: @autoclosure () -> String, in log: SpanLog?) {
        self.log = log
        self.name = log == nil ? "" : name()
        begin = log?.now ?? 0
    }

    /// Ends the span and records it.
    public func end() { log?.training.record(name, since: begin) }
}
