// The journeys of buckets in the timeline: when each was under way, whichever thread drives it.

import Basics
import MPI

/// A messenger whose transfers are spans of the timeline, where one is kept: those of one tag that are under way
/// together are one span, and spans at the same time lie on lines of their own.
final class ObservedMessenger: Messenger {
    private let base: any Messenger
    private let whereabouts: Whereabouts
    private let name: (_ tag: Int) -> String
    /// The lines of the timeline, and whether something travels on each.
    private var lines: [(track: SpanLog.Track, isTaken: Bool)] = []
    /// The transfers under way, by tag.
    private var spans: [Int: OpenTransfers] = [:]

    private struct OpenTransfers {
        let line: Int
        let begin: Int64
        let step: Int
        var count = 1
    }

    /// - Parameter name: Names what travels with a tag, for people.
    init(_ base: any Messenger, _ whereabouts: Whereabouts, name: @escaping (_ tag: Int) -> String) {
        self.base = base
        self.whereabouts = whereabouts
        self.name = name
    }

    var servesOtherThreads: Bool { base.servesOtherThreads }

    func start(sends: [Message], receives: [Message], tag: Int) throws(MPIError) -> any Transfer {
        guard let log = whereabouts.spans else {
            return try base.start(sends: sends, receives: receives, tag: tag)
        }
        let begin = log.now
        let transfer = try base.start(sends: sends, receives: receives, tag: tag)
        if spans[tag] == nil {
            spans[tag] = OpenTransfers(line: takeLine(log), begin: begin, step: whereabouts.place.step + 1)
        } else {
            spans[tag]?.count += 1
        }
        return ObservedTransfer(transfer) { [self] in end(tag) }
    }

    private func end(_ tag: Int) {
        guard var open = spans[tag] else { return }
        open.count -= 1
        spans[tag] = open.count > 0 ? open : nil
        guard open.count == 0 else { return }
        lines[open.line].track.record(name(tag), since: open.begin, step: open.step)
        lines[open.line].isTaken = false
    }

    /// The first line that is free.
    private func takeLine(_ log: SpanLog) -> Int {
        let line = lines.firstIndex { !$0.isTaken } ?? lines.count
        if line == lines.count { lines.append((log.addTrack("exchange \(line + 1)"), true)) }
        lines[line].isTaken = true
        return line
    }
}

private final class ObservedTransfer: Transfer {
    private let base: any Transfer
    private var end: (() -> Void)?

    /// - Parameter end: A function that is called once, when all has arrived.
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
