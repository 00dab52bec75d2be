// The sign of life that every rank leaves in the run's directory, for the other ranks and for `luna status`: it is there
// after a crash as well.

import Basics
import FileIO
import Foundation

/// What `ranks/0003.json` says. Times are seconds since 1970 by the rank's own clock.
public struct Heartbeat: Codable, Hashable, Sendable {
    public enum State: String, Codable, Sendable { case running, finished, stopped, failed }

    public var rank: Int
    public var ranks: Int
    public var host: String
    public var pid: Int32
    public var state = State.running
    /// What went wrong, where the state is `failed`.
    public var failure: String?
    public var phase: TrainingPhase
    public var phaseBegan: Double
    /// Completed steps: now, when this process began, and of the whole run.
    public var step: Int
    public var firstStep: Int
    public var steps: Int
    /// When this process began to train.
    public var started: Double
    /// When this was written.
    public var time: Double
    /// Seconds between one heartbeat and the next.
    public var interval: Double
    /// The number of this heartbeat.
    public var beat: Int
    /// Collective operations entered since the last step ended; whether the rank waits in one for the others.
    public var collectives: Int
    public var isWaiting: Bool
    /// Seconds since anything got done.
    public var idle: Double

    private enum CodingKeys: String, CodingKey {
        case rank, ranks, host, pid, state, failure, phase, step, steps, started, time, interval, beat, collectives,
            idle
        case phaseBegan = "phase_began"
        case firstStep = "first_step"
        case isWaiting = "waiting"
    }

    /// Ranks beyond these write less often than every second, so that a shared file system has no more to do.
    static let ranksPerSecond = 500

    /// Seconds between heartbeats in a job of so many ranks.
    static func interval(ranks: Int) -> Double { max(1, Double(ranks) / Double(ranksPerSecond)) }

    /// For how many intervals a rank may be silent without being missed.
    static let patience = 3.5

    /// Whether these are numbers that a rank may have written: a damaged file is not to be reckoned with.
    var isPlausible: Bool {
        let times = [phaseBegan, started, time, idle, interval]
        let counts = [step, firstStep, steps, beat, collectives]
        return 0..<1_000_000 ~= rank && 1...1_000_000 ~= ranks && times.allSatisfy { 0...1e11 ~= $0 }
            && counts.allSatisfy { 0...(1 << 48) ~= $0 }
    }
}

extension RunDirectory {
    private var ranksPath: String { "\(path)/ranks" }

    public func heartbeatPath(rank: Int) -> String { "\(ranksPath)/\(rank.zeroPadded(to: 4)).json" }

    /// - Throws: `FileError`.
    func write(_ heartbeat: Heartbeat) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicFile.replace(
            heartbeatPath(rank: heartbeat.rank), with: try encoder.encode(heartbeat) + Data("\n".utf8))
    }

    /// The last heartbeat of a rank; nil where there is none that can be read.
    public func heartbeat(rank: Int) -> Heartbeat? {
        let bytes = try? FileContent.bytes(heartbeatPath(rank: rank), limit: 1 << 16)
        let heartbeat = bytes.flatMap { try? JSONDecoder().decode(Heartbeat.self, from: Data($0)) }
        return heartbeat.flatMap { $0.isPlausible ? $0 : nil }
    }

    /// The last heartbeats of the run's ranks, by rank.
    public func heartbeats() -> [Heartbeat] {
        let names = (try? FileContent.names(inDirectory: ranksPath)) ?? []
        let ranks = names.compactMap { $0.hasSuffix(".json") ? Int($0.dropLast(5)) : nil }
        return ranks.sorted().compactMap(heartbeat(rank:))
    }

    /// Makes the place for heartbeats, and removes what an earlier job left there. Before any rank of this one writes.
    ///
    /// - Throws: `FileError`.
    func prepareHeartbeats() throws {
        try FileContent.makeDirectory(ranksPath)
        for name in try FileContent.names(inDirectory: ranksPath) {
            let isHeartbeat = name.hasSuffix(".json") && Int(name.dropLast(5)) != nil
            if isHeartbeat || name.contains(".tmp-") { unlink("\(ranksPath)/\(name)") }
        }
    }
}
