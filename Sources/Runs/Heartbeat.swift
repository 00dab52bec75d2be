// The sign of life that every rank leaves in the run's directory, for the other ranks and for `luna status`: it is
// there after a crash as well.

import Basics
import FileIO
import Foundation

/// The content of a file such as `ranks/0003.json`. Times are seconds since 1970 by the rank's own clock.
public struct Heartbeat: Codable, Hashable, Sendable {
    /// The state of a rank.
    public enum State: String, Codable, Sendable {
        /// The rank is at work.
        case running
        /// The rank has done all epochs.
        case finished
        /// A request ended the rank's work.
        case stopped
        /// An error ended the rank's work.
        case failed
    }

    /// The rank's number.
    public var rank: Int
    /// The number of ranks of the job.
    public var ranks: Int
    /// The name of its host.
    public var host: String
    /// The number of its process on that host.
    public var pid: Int32
    /// The rank's state.
    public var state: State
    /// The reason of a failure, where the state is `failed`.
    public var failure: String?
    /// The rank's current phase.
    public var phase: TrainingPhase
    /// The time at which the phase began.
    public var phaseBegan: Double
    /// The number of completed steps.
    public var step: Int
    /// The number of completed steps when this process began.
    public var firstStep: Int
    /// The number of steps of the whole run.
    public var steps: Int
    /// The time at which this process began to train.
    public var started: Double
    /// The time at which this heartbeat was written.
    public var time: Double
    /// Seconds between one heartbeat and the next.
    public var interval: Double
    /// The number of this heartbeat.
    public var beat: Int
    /// The number of collective operations entered since the last step ended.
    public var collectives: Int
    /// Whether the rank waits for the others in a collective operation.
    public var isWaiting: Bool
    /// Seconds since the rank last made progress.
    public var idle: Double

    private enum CodingKeys: String, CodingKey {
        case rank, ranks, host, pid, state, failure, phase, phaseBegan, step, firstStep, steps, started, time, interval,
            beat, collectives, idle
        case isWaiting = "waiting"
    }

    /// Creates a heartbeat from its members.
    public init(
        rank: Int, ranks: Int, host: String, pid: Int32, state: State = .running, failure: String? = nil,
        phase: TrainingPhase, phaseBegan: Double, step: Int, firstStep: Int, steps: Int, started: Double, time: Double,
        interval: Double, beat: Int, collectives: Int, isWaiting: Bool, idle: Double
    ) {
        self.rank = rank
        self.ranks = ranks
        self.host = host
        self.pid = pid
        self.state = state
        self.failure = failure
        self.phase = phase
        self.phaseBegan = phaseBegan
        self.step = step
        self.firstStep = firstStep
        self.steps = steps
        self.started = started
        self.time = time
        self.interval = interval
        self.beat = beat
        self.collectives = collectives
        self.isWaiting = isWaiting
        self.idle = idle
    }

    /// The number of heartbeats that all ranks together write in a second at most: larger jobs write less often, so
    /// that a shared file system has no more to do.
    static let ranksPerSecond = 500

    /// The number of seconds between heartbeats in a job of so many ranks.
    public static func interval(ranks: Int) -> Double { max(1, Double(ranks) / Double(ranksPerSecond)) }

    /// The number of intervals for which a rank may be silent before it is missed.
    public static let patience = 3.5

    /// Whether a rank may have written these numbers: a damaged file must not be computed with.
    var isPlausible: Bool {
        let times = [phaseBegan, started, time, idle, interval]
        let counts = [step, firstStep, steps, beat, collectives]
        return 0..<1_000_000 ~= rank && 1...1_000_000 ~= ranks && times.allSatisfy { 0...1e11 ~= $0 }
            && counts.allSatisfy { 0...(1 << 48) ~= $0 }
    }
}

extension RunDirectory {
    /// The path of the directory of heartbeats.
    public var ranksPath: String { "\(path)/ranks" }

    /// The path of a rank's heartbeat.
    public func heartbeatPath(rank: Int) -> String { "\(ranksPath)/\(rank.zeroPadded(to: 4)).json" }

    /// Writes a rank's heartbeat over its last one.
    ///
    /// - Throws: `FileError`.
    public func write(_ heartbeat: Heartbeat) throws {
        try AtomicFile.replace(
            heartbeatPath(rank: heartbeat.rank), with: try JSON.encode(heartbeat) + [UInt8(ascii: "\n")])
    }

    /// The last heartbeat of a rank; nil where there is none that can be read.
    public func heartbeat(rank: Int) -> Heartbeat? {
        let bytes = try? FileContent.bytes(heartbeatPath(rank: rank), limit: 1 << 16)
        let heartbeat = bytes.flatMap { try? JSON.decode(Heartbeat.self, from: $0) }
        return heartbeat.flatMap { $0.isPlausible ? $0 : nil }
    }

    /// The last heartbeats of the run's ranks, by rank.
    public func heartbeats() -> [Heartbeat] {
        let names = (try? FileContent.names(inDirectory: ranksPath)) ?? []
        let ranks = names.compactMap { $0.hasSuffix(".json") ? Int($0.dropLast(5)) : nil }
        return ranks.sorted().compactMap(heartbeat(rank:))
    }

    /// Makes the directory for heartbeats, and removes those of an earlier job. Call it before any rank of this job
    /// writes.
    ///
    /// - Throws: `FileError`.
    public func prepareHeartbeats() throws {
        try FileContent.makeDirectory(ranksPath)
        for name in try FileContent.names(inDirectory: ranksPath) {
            let isHeartbeat = name.hasSuffix(".json") && Int(name.dropLast(5)) != nil
            if isHeartbeat || name.contains(".tmp-") { unlink("\(ranksPath)/\(name)") }
        }
    }
}
