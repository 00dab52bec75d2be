// The timeline of a rank that ends by itself: the others may be gone or hang, so none of them may be asked.

import Basics
import FileIO
import Runs

/// A rank's own part of a timeline.
struct LoneTimeline: Sendable {
    var log: SpanLog
    var begin: ClockAlignment
    /// The path of the whole job's file.
    var path: String
    var rank: Int
    var ranks: Int
    var host: String

    /// The path of this rank's file: beside the job's, and named after it and the rank. In a job of one rank it is the
    /// job's.
    var ownPath: String {
        guard ranks > 1 else { return path }
        let (stem, ending) = Path.cutEnding(of: path)
        return "\(stem)-rank\(rank)\(ending)"
    }

    /// Writes the timeline, on whatever thread calls it, and asks no other rank.
    ///
    /// - Parameters:
    ///   - failure: The error that ended the run.
    ///   - place: The place where the training thread hangs, if it does: a phase that is not over has no span yet.
    /// - Returns: A message for people where the file is elsewhere, incomplete or missing; nil otherwise.
    func write(failure: String, hangingAt place: Whereabouts.Place? = nil) -> String? {
        var content = log.content
        let omitted = content.omitted
        if let place {
            let end = log.now
            content.addOpen(
                "\(place.phase.rawValue), not over", since: end - place.phaseNanoseconds, until: end,
                step: place.step + (place.phase.isOfAStep ? 1 : 0))
        }
        do {
            try TraceFile.writeAlone(
                content, begin, rank: rank, of: ranks, host: host, failure: failure, to: ownPath)
            var texts: [String] = []
            if ranks > 1 {
                texts.append("\(ownPath) is the timeline of this rank alone: the others could not be asked")
            }
            if omitted > 0 { texts.append("\(ownPath) ends early: \(omitted) spans more are left out") }
            return texts.isEmpty ? nil : texts.joined(separator: "; ")
        } catch { return "\(error): there is no timeline" }
    }
}
