// How a run is, from what it leaves in its directory: no part of the job has to answer.

import Basics
import FileIO
import Foundation

/// A run's state, as its heartbeats and its log tell it.
public struct RunStatus: Encodable, Sendable {
    public enum State: String, Encodable, Sendable {
        case running, finished, stopped, failed
        /// No rank has given a sign of life for some time, and none has ended.
        case silent
        /// There are no heartbeats.
        case unknown
    }

    public struct Rank: Encodable, Sendable {
        public var rank: Int
        public var host: String
        public var pid: Int32
        public var state: State
        /// Completed steps.
        public var step: Int
        public var phase: TrainingPhase
        /// Seconds since the phase began, since anything got done, and since the last sign of life.
        public var phaseSeconds: Double
        public var idleSeconds: Double
        public var age: Double
        /// Whether it waits for other ranks.
        public var isWaiting: Bool

        private enum CodingKeys: String, CodingKey {
            case rank, host, pid, state, step, phase, age
            case phaseSeconds = "phase_seconds"
            case idleSeconds = "idle_seconds"
            case isWaiting = "waiting"
        }
    }

    /// The rank that worked longest in the log's last comparison.
    public struct Slowest: Encodable, Sendable {
        public var rank: Int
        public var host: String
        /// Of work a step, and the median of all ranks'.
        public var seconds: Double
        public var medianSeconds: Double

        private enum CodingKeys: String, CodingKey {
            case rank, host, seconds
            case medianSeconds = "median_seconds"
        }
    }

    public var run: String
    public var state: State
    /// What went wrong, on which rank.
    public var failure: String?
    /// Where nothing gets done though ranks are alive: for how long, and which ranks have not arrived.
    public var stall: String?
    /// Completed steps, and all of the run's.
    public var step: Int
    public var steps: Int?
    public var epoch: Int?
    public var loss: Double?
    /// The median of the last steps.
    public var secondsPerStep: Double?
    public var patchesPerSecond: Double?
    /// At that rate, without validations.
    public var secondsLeft: Double?
    /// Completed steps of the newest checkpoint.
    public var checkpoint: Int?
    /// The last sign of life, in seconds since 1970.
    public var lastSign: Double?
    public var slowest: Slowest?
    public var ranks: [Rank]
    /// Ranks of the job that have left no sign of life.
    public var missing: [Int]

    private enum CodingKeys: String, CodingKey {
        case run, state, failure, stall, step, steps, epoch, loss, checkpoint, slowest, ranks, missing
        case secondsPerStep = "seconds_per_step"
        case patchesPerSecond = "patches_per_second"
        case secondsLeft = "seconds_left"
        case lastSign = "last_sign"
    }

    /// - Parameter now: Seconds since 1970.
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
        checkpoint = try directory.checkpointPaths().last.flatMap { path in
            Int(path.split(separator: "/").last?.dropFirst("step-".count).dropLast(".h5".count) ?? "")
        }

        let log = try LogTail(directory.metricsPath)
        // The log is ahead of the heartbeats by up to a second.
        let logged = log.steps.last?.step ?? checkpoint ?? 0
        step = max(heartbeats.map(\.step).max() ?? 0, min(logged, steps ?? logged))
        epoch = log.steps.last?.epoch
        loss = log.steps.last?.loss
        let recent = log.steps.suffix(100)
        secondsPerStep = recent.compactMap(\.seconds).middle
        patchesPerSecond = recent.compactMap(\.patches_per_second).middle
        if state == .running, let steps, let secondsPerStep {
            secondsLeft = min(1e10, Double(max(0, steps - step)) * secondsPerStep)
        }
        slowest = log.slowest
    }

    /// Seconds without anything done that are worth a word.
    private static let stallSeconds = 30.0

    private static func stall(of ranks: [Rank], _ heartbeats: [Heartbeat]) -> String? {
        let sightings = zip(ranks, heartbeats).map { rank, heartbeat in
            // Others' clocks may be some seconds off: who is silent was judged with patience.
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
        // Those that end first have no more to say than that.
        if let end = ranks.map(\.state).first(where: { $0 == .finished || $0 == .stopped }) { return end }
        return ranks.contains { $0.state == .running } ? .running : .silent
    }
}

extension RunStatus.Rank {
    /// How long nothing may be heard of a rank before it counts as silent, in seconds at least and in heartbeats.
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

/// The last lines of a run's log, as far as they can be read.
private struct LogTail {
    struct Step: Decodable {
        var step: Int
        var epoch: Int?
        var loss: Double?
        var seconds: Double?
        var patches_per_second: Double?
    }

    private struct Line: Decodable {
        var kind: String
        var slowest_rank: Int?
        var slowest_host: String?
        var maximum_seconds: Double?
        var median_seconds: Double?
    }

    var steps: [Step] = []
    var slowest: RunStatus.Slowest?

    private static let length = 1 << 18

    init(_ path: String) throws {
        guard let size = FileContent.size(path), let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        let bytes: Data
        do {
            try file.seek(toOffset: UInt64(max(0, size - Self.length)))
            bytes = try file.read(upToCount: Self.length) ?? Data()
        } catch { throw FileError(path, "read", reason: error.localizedDescription) }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let line = Data(line)
            switch try? decoder.decode(Line.self, from: line) {
            case let record? where record.kind == "step":
                if let step = try? decoder.decode(Step.self, from: line) { steps.append(step) }
            case let record? where record.kind == "ranks":
                if let rank = record.slowest_rank, let seconds = record.maximum_seconds,
                    let median = record.median_seconds, 0...1e9 ~= seconds, 0...1e9 ~= median
                {
                    slowest = RunStatus.Slowest(
                        rank: rank, host: record.slowest_host ?? "?", seconds: seconds, medianSeconds: median)
                }
            default: break
            }
        }
    }
}

extension [Double] {
    /// The middle one of those that may be seconds or rates.
    fileprivate var middle: Double? { filter { 0...1e9 ~= $0 }.median }
}
