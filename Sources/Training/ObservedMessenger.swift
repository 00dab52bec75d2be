// The buckets' ways in the timeline: from when to when each was under way, whoever moves it on.

import Compute
import MPI

/// A messenger whose transfers are spans of the timeline, where one is kept: those that travel at the same time on lines of
/// their own.
final class ObservedMessenger: Messenger {
    private let base: any Messenger
    private let whereabouts: Whereabouts
    /// Of the timeline, and whether something travels on it.
    private var lines: [(track: SpanLog.Track, isTaken: Bool)] = []

    init(_ base: any Messenger, _ whereabouts: Whereabouts) {
        self.base = base
        self.whereabouts = whereabouts
    }

    var servesOtherThreads: Bool { base.servesOtherThreads }

    func start(sends: [Message], receives: [Message], tag: Int) throws(MPIError) -> any Transfer {
        guard let spans = whereabouts.spans else {
            return try base.start(sends: sends, receives: receives, tag: tag)
        }
        let line = takeLine(spans)
        let begin = spans.now
        let transfer = try base.start(sends: sends, receives: receives, tag: tag)
        let step = whereabouts.place.step + 1
        return ObservedTransfer(transfer) { [self] in
            lines[line].track.record(BucketExchange.round(ofTag: tag), since: begin, step: step)
            lines[line].isTaken = false
        }
    }

    /// The first line that is free.
    private func takeLine(_ spans: SpanLog) -> Int {
        let line = lines.firstIndex { !$0.isTaken } ?? lines.count
        if line == lines.count { lines.append((spans.addTrack("exchange \(line + 1)"), true)) }
        lines[line].isTaken = true
        return line
    }
}

private final class ObservedTransfer: Transfer {
    private let base: any Transfer
    private var end: (() -> Void)?

    /// - Parameter end: Called once, when all has arrived.
    init(_ base: any Transfer, end: @escaping () -> Void) {
        self.base = base
        self.end = end
    }

    func isDone() throws(MPIError) -> Bool {
        guard try base.isDone() else { return false }
        end?()
        end = nil
        return true
    }
}
