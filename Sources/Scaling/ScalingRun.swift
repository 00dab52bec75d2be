// What a run's log says of its speed.

import FileIO
import Runs

/// A run of `luna train`, as its `metrics.jsonl` tells of where its time went.
public struct ScalingRun: Sendable {
    public let directory: String
    public let ranks: Int
    /// Names of hosts, a rank each.
    public let hosts: [String]
    /// Of each rank.
    public let threads: Int
    public let replicas: Int
    /// Crops of a step, of all replicas.
    public let cropsPerStep: Int
    /// Of the vector that is summed over the ranks in a step, as it travels.
    public let reducedBytes: Int
    /// The measured steps of rank 0, in order: with more than one rank those that records of all ranks' work tell of.
    public let steps: [Step]
    /// The ranks' work over the same steps, where there is more than one rank.
    private let shares: [Shares]

    /// Seconds of a step as rank 0 saw it.
    public struct Step: Sendable {
        public var seconds: Double
        /// Everything but waiting for other ranks: data, forward, backward, update.
        public var work: Double
        public var data: Double
    }

    private struct Shares: Sendable {
        var mean: Double
        var maximum: Double
        var data: Double
    }

    /// Steps that are left out at the beginning: caches and pages are cold.
    public static let warmUp = 2

    /// - Throws: `InputError` where the directory is no run, or has too few steps; `FileError`.
    public init(directory: String) throws {
        let path = RunDirectory(directory).metricsPath
        guard FileContent.size(path) != nil else {
            throw InputError(directory, "holds no metrics.jsonl", remedy: "name a directory of luna train")
        }
        var found: StartRecord?
        var all: [StepRecord] = []
        var records: [RanksRecord] = []
        try MetricsLog.read(path) { record in
            switch record {
            case .start(let record): found = record
            case .step(let record): all.append(record)
            case .ranks(let record): records.append(record)
            default: break
            }
        }
        // Earlier versions told less.
        guard let start = found, !start.hosts.isEmpty,
            [start.threads, start.replicas, start.microBatch, start.reducedBytes].allSatisfy({ $0 > 0 })
        else { throw InputError(path, "does not say how the run was started", remedy: "run it with this luna") }
        self.directory = directory
        hosts = start.hosts
        threads = start.threads
        replicas = start.replicas
        ranks = hosts.count
        cropsPerStep = replicas * start.microBatch
        reducedBytes = start.reducedBytes
        let first = start.step + Self.warmUp
        let windows = records.filter { $0.step - $0.steps >= first }
        let isAlone = hosts.count == 1
        steps = all.compactMap { record in
            guard record.step > first, !record.skipped,
                [record.seconds, record.workSeconds, record.dataSeconds].allSatisfy(\.isFinite),
                isAlone || windows.contains(where: { $0.step - $0.steps < record.step && record.step <= $0.step })
            else { return nil }
            return Step(seconds: record.seconds, work: record.workSeconds, data: record.dataSeconds)
        }
        guard steps.count >= 3 else {
            throw InputError(
                path, "\(steps.count) steps that can be used after the first \(Self.warmUp), expected 3 or more",
                remedy: "train 43 steps or more")
        }
        shares = windows.compactMap { record in
            let values = [record.meanSeconds, record.maximumSeconds, record.meanDataSeconds]
            guard values.allSatisfy(\.isFinite) else { return nil }
            return Shares(mean: record.meanSeconds, maximum: record.maximumSeconds, data: record.meanDataSeconds)
        }
    }

    /// Where the time of an average step goes, s: the parts add up to it.
    public struct Parts: Hashable, Codable, Sendable {
        /// The whole step.
        public var step: Double
        /// What an average rank computes.
        public var compute: Double
        /// What an average rank waits for data.
        public var data: Double
        /// What an average rank waits for the rank that works longest, all steps taken together.
        public var imbalance: Double
        /// The rest: communication that the backward pass does not hide, and that now one rank is slower, now another.
        public var rest: Double
    }

    public var parts: Parts {
        func mean<T>(_ values: [T], _ part: (T) -> Double) -> Double {
            values.reduce(0) { $0 + part($1) } / Double(values.count)
        }
        let step = mean(steps, \.seconds)
        let isAlone = shares.isEmpty
        let work = isAlone ? mean(steps, \.work) : mean(shares, \.mean)
        let data = isAlone ? mean(steps, \.data) : mean(shares, \.data)
        let longest = isAlone ? work : mean(shares, \.maximum)
        return Parts(
            step: step, compute: work - data, data: data, imbalance: longest - work, rest: step - longest)
    }

    /// Crops a second.
    public var throughput: Double { Double(cropsPerStep) / parts.step }

    /// What rank 0 computes in a step, all of its replicas, s.
    public var computeTimes: ComputeTimes {
        ComputeTimes(steps.map { $0.work - $0.data })
    }
}
