// The state of a run, read from the files in its directory: no part of the job has to answer.

import Basics
import FileIO
import Foundation

/// A run's state, as its heartbeats and its log tell it.
public struct RunStatus: Encodable, Sendable {
    /// The state of a run or a rank.
    public enum State: String, Encodable, Sendable {
        /// Training goes on.
        case running
        /// All epochs are done.
        case finished
        /// A request ended the run, which can be resumed.
        case stopped
        /// An error ended the run.
        case failed
        /// No rank has given a sign of life for some time, and none has ended.
        case silent
        /// There are no heartbeats.
        case unknown
    }

    /// The state of one rank.
    public struct Rank: Encodable, Sendable {
        /// The rank's number.
        public var rank: Int
        /// The name of its host.
        public var host: String
        /// The number of its process on that host.
        public var pid: Int32
        /// Whether it is at work, has ended, or is silent.
        public var state: State
        /// Completed steps.
        public var step: Int
        /// The rank's current phase.
        public var phase: TrainingPhase
        /// Seconds since the phase began.
        public var phaseSeconds: Double
        /// Seconds since the rank last made progress.
        public var idleSeconds: Double
        /// Seconds since the rank's last sign of life.
        public var age: Double
        /// Whether the rank waits for other ranks.
        public var isWaiting: Bool

        private enum CodingKeys: String, CodingKey {
            case rank, host, pid, state, step, phase, phaseSeconds, idleSeconds, age
            case isWaiting = "waiting"
        }
    }

    /// The rank that worked longest in the log's last comparison.
    public struct Slowest: Encodable, Sendable {
        /// The rank's number.
        public var rank: Int
        /// The name of its host.
        public var host: String
        /// Seconds per step that the rank worked.
        public var seconds: Double
        /// Seconds per step that the rank in the middle worked.
        public var medianSeconds: Double
    }

    /// The path of the run's directory.
    public var run: String
    /// The run's state.
    public var state: State
    /// The reason of a failure, and the rank that reported it.
    public var failure: String?
    /// The length of a stall, and the ranks that the others wait for, where ranks are alive but make no progress.
    public var stall: String?
    /// Completed steps.
    public var step: Int
    /// Steps of the whole run.
    public var steps: Int?
    /// The epoch of the last step in the log, from 1.
    public var epoch: Int?
    /// The loss of that step.
    public var loss: Double?
    /// Seconds per step, the median of the last ones.
    public var secondsPerStep: Double?
    /// Crops per second, the median of the last steps.
    public var patchesPerSecond: Double?
    /// Seconds that remain at that rate, without validations.
    public var secondsLeft: Double?
    /// Completed steps of the newest checkpoint.
    public var checkpoint: Int?
    /// The time of the last sign of life, in seconds since 1970.
    public var lastSign: Double?
    /// The rank that worked longest.
    public var slowest: Slowest?
    /// The ranks that have left a sign of life.
    public var ranks: [Rank]
    /// The ranks of the job that have left no sign of life.
    public var missing: [Int]

    /// Reads the state of the run in a directory.
    ///
    /// - Parameter now: The current time, in seconds since 1970.
    /// - Throws: `InputError` where the directory holds no run; `FileError`.
    public init(_ directory: RunDirectory, now: Double = Date().timeIntervalSince1970) throws {
        guard FileContent.isDirectory(directory.path) else {
            throw InputError(directory.path, "no such directory", remedy: "name the directory of `luna train --run`")
        }
        let heartbeats = directory.heartbeats()
        guard try !heartbeats.isEmpty || directory.holdsRun() else {
            throw InputError(directory.path, "holds no run", remedy: "name the directory of `luna train --run`")
        }
        run = directory.path
        ranks = heartbeats.map { Rank($0, now: now) }
        state = Self.state(of: ranks)
        failure = heartbeats.first { $0.state == .failed }.map { "rank \($0.rank) on \($0.host): \($0.failure ?? "?")" }
        stall = state == .running ? Self.stall(of: ranks, heartbeats) : nil
        steps = heartbeats.first?.steps
        lastSign = heartbeats.map(\.time).max()
        let present = Set(ranks.map(\.rank))
        missing = (0..<(heartbeats.first?.ranks ?? 0)).filter { !present.contains($0) }
        checkpoint = try directory.newestStep()

        let log = try LogTail(directory.metricsPath)
        // The log is ahead of the heartbeats by up to a second.
        let logged = log.steps.last?.step ?? checkpoint ?? 0
        step = max(heartbeats.map(\.step).max() ?? 0, min(logged, steps ?? logged))
        epoch = log.steps.last.flatMap { $0.epoch > 0 ? $0.epoch : nil }
        loss = log.steps.last?.loss
        let recent = log.steps.suffix(100)
        secondsPerStep = recent.map(\.seconds).middle
        patchesPerSecond = recent.map(\.patchesPerSecond).middle
        if state == .running, let steps, let secondsPerStep {
            secondsLeft = min(1e10, Double(max(0, steps - step)) * secondsPerStep)
        }
        slowest = log.slowest
    }

    /// Seconds without progress that are worth reporting.
    private static let stallSeconds = 30.0

    private static func stall(of ranks: [Rank], _ heartbeats: [Heartbeat]) -> String? {
        let sightings = zip(ranks, heartbeats).map { rank, heartbeat in
            // Others' clocks may be some seconds off; the judgement of who is silent has allowed for that.
            (
                rank.rank,
                Sighting(heartbeat: heartbeat, stillness: Stillness(seconds: rank.state == .silent ? rank.age : 0))
            )
        }
        let judgement = StallJudgement(sightings: Dictionary(sightings) { $1 })
        guard judgement.seconds >= stallSeconds else { return nil }
        return "nothing got done for \(Int(judgement.seconds)) s: \(judgement.description)"
    }

    private static func state(of ranks: [Rank]) -> State {
        if ranks.isEmpty { return .unknown }
        if ranks.contains(where: { $0.state == .failed }) { return .failed }
        // Ranks that end first know no more than that.
        if let end = ranks.map(\.state).first(where: { $0 == .finished || $0 == .stopped }) { return end }
        return ranks.contains { $0.state == .running } ? .running : .silent
    }
}

extension RunStatus.Rank {
    /// The time without a heartbeat before a rank counts as silent, in seconds at least and in heartbeats.
    private static let patience = (seconds: 10.0, beats: 5.0)

    init(_ heartbeat: Heartbeat, now: Double) {
        rank = heartbeat.rank
        host = heartbeat.host
        pid = heartbeat.pid
        step = heartbeat.step
        phase = heartbeat.phase
        isWaiting = heartbeat.isWaiting
        age = max(0, now - heartbeat.time)
        let isSilent = age > max(Self.patience.seconds, Self.patience.beats * heartbeat.interval)
        state =
            switch heartbeat.state {
            case .running: isSilent ? .silent : .running
            case .finished: .finished
            case .stopped: .stopped
            case .failed: .failed
            }
        let since = state == .running ? age : 0
        phaseSeconds = max(0, heartbeat.time - heartbeat.phaseBegan + since)
        idleSeconds = heartbeat.idle + since
    }
}

/// The last lines of a run's log.
private struct LogTail {
    var steps: [StepRecord] = []
    var slowest: RunStatus.Slowest?

    private static let length = 1 << 18

    init(_ path: String) throws {
        guard FileContent.size(path) != nil else { return }
        try MetricsLog.read(path, tail: Self.length) { record in
            switch record {
            case .step(let step): steps.append(step)
            case .ranks(let ranks) where 0...1e9 ~= ranks.maximumSeconds && 0...1e9 ~= ranks.medianSeconds:
                slowest = RunStatus.Slowest(
                    rank: ranks.slowestRank, host: ranks.slowestHost, seconds: ranks.maximumSeconds,
                    medianSeconds: ranks.medianSeconds)
            default: break
            }
        }
    }
}

extension [Double] {
    /// The median of the values that may be seconds or rates.
    fileprivate var middle: Double? { filter { 0...1e9 ~= $0 }.median }
}
