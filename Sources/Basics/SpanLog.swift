// Where a process spent its time: what a timeline is drawn from.

import Synchronization

/// Spans of time in which a process worked at something, a track for each of its threads.
///
/// Any thread may record on a track of its own. Beyond the limit spans are counted and left out, so that memory is
/// bounded.
public final class SpanLog: Sendable {
    /// A time in which a thread worked at something.
    public struct Span: Hashable, Sendable, BitwiseCopyable {
        /// The number of its name in `Content.names`.
        public var name: Int32
        /// The number of its thread in `Content.tracks`.
        public var track: Int32
        /// The step it belongs to, or follows; 0 before the first, and where it is not known.
        public var step: Int32
        /// When it began, in nanoseconds since the log was made.
        public var begin: Int64
        /// When it ended, in nanoseconds since the log was made.
        public var end: Int64

        public init(name: Int32, track: Int32, step: Int32, begin: Int64, end: Int64) {
            self.name = name
            self.track = track
            self.step = step
            self.begin = begin
            self.end = end
        }
    }

    /// What was recorded up to some time.
    public struct Content: Hashable, Sendable {
        /// The names that spans have.
        public var names: [String] = []
        /// The names of the tracks; the first is the training thread's. Spans of one track nest, or do not overlap.
        public var tracks: [String] = []
        /// The spans, track by track.
        public var spans: [Span] = []
        /// How many spans were left out.
        public var omitted = 0

        /// Nothing recorded.
        public init() {}

        /// Adds a span of the training thread that has not ended.
        public mutating func addOpen(_ name: String, since begin: Int64, until now: Int64, step: Int) {
            spans.append(
                Span(
                    name: Int32(names.count), track: 0, step: Int32(truncatingIfNeeded: step), begin: max(0, begin),
                    end: now))
            names.append(name)
        }
    }

    /// What the tracks share.
    fileprivate final class Budget: Sendable {
        let limit: Int
        let origin = ContinuousClock.now
        private let taken = Atomic(0)

        init(limit: Int) { self.limit = limit }

        /// Whether there is room for one more span.
        func take() -> Bool { taken.wrappingAdd(1, ordering: .relaxed).oldValue < limit }
    }

    /// What one thread records, or several by turns.
    ///
    /// Its lock is wanted by nobody else before the timeline is written: threads that record do not wait for one
    /// another.
    public final class Track: Sendable {
        private struct State {
            var names: [String] = []
            var indices: [String: Int32] = [:]
            /// Their names are numbers in `names`, their tracks mean nothing.
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

        /// Spans belong to this step from now on.
        public func setStep(_ step: Int) { state.withLock { $0.step = Int32(truncatingIfNeeded: step) } }

        /// Records a span that ends now.
        ///
        /// - Parameters:
        ///   - begin: What `now` was at its begin.
        ///   - step: The one it belongs to; by default that of `setStep`.
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

        /// Adds what was recorded so far.
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

    /// An empty log, whose time begins now.
    ///
    /// - Parameter limit: The most spans that are kept, of all tracks.
    public init(limit: Int) {
        budget = Budget(limit: limit)
        training = Track("training", budget)
    }

    /// The most spans that are kept, of all tracks.
    public var limit: Int { budget.limit }

    /// Bytes that a log takes at most, which are those of its spans, and those of a `content`.
    public static func bytes(limit: Int) -> (log: Int, content: Int) {
        let spans = limit * MemoryLayout<Span>.stride
        // While an array grows, half of it may be there twice.
        return (spans + spans / 2, spans)
    }

    /// Nanoseconds since the log was made.
    public var now: Int64 { training.now }

    /// What all tracks have recorded so far. Any thread may ask, also while others record.
    public var content: Content {
        var content = Content()
        var indices: [String: Int32] = [:]
        for track in [training] + others.withLock({ $0 }) { track.add(to: &content, &indices) }
        return content
    }

    /// A line of the timeline for another thread.
    public func addTrack(_ name: String) -> Track {
        let track = Track(name, budget)
        others.withLock { $0.append(track) }
        return track
    }

    /// Spans of the training thread belong to this step from now on.
    public func setStep(_ step: Int) { training.setStep(step) }
}

/// A span that has begun; nothing at all where no log is kept.
public struct OpenSpan {
    private let log: SpanLog?
    private let name: String
    private let begin: Int64

    /// A span of the training thread that begins now.
    ///
    /// - Parameter name: Made only where there is a log.
    public init(_ name: @autoclosure () -> String, in log: SpanLog?) {
        self.log = log
        self.name = log == nil ? "" : name()
        begin = log?.now ?? 0
    }

    /// Ends the span now.
    public func end() { log?.training.record(name, since: begin) }
}
