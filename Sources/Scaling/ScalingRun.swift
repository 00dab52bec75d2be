import FileIO
import Runs

/// A run of `luna train`, as its `metrics.jsonl` tells of where its time went.
public struct ScalingRun: Sendable {
    /// The run's directory, as the caller gave it.
    public let directory: String
    /// The number of ranks.
    public let ranks: Int
    /// The names of the ranks' hosts, by rank.
    public let hosts: [String]
    /// The threads of each rank.
    public let threads: Int
    /// The number of replicas.
    public let replicas: Int
    /// The crops that all replicas together see in a step.
    public let cropsPerStep: Int
    /// The bytes of the vector that is summed over the ranks in a step, as it travels.
    public let reducedBytes: Int
    /// The measured steps of rank 0, in order: with more than one rank those that records of all ranks' work tell of.
    public let steps: [Step]
    /// The ranks' work over the same steps, where there is more than one rank.
    private let shares: [Shares]

    /// The times of a step as rank 0 saw it.
    public struct Step: Sendable {
        /// The whole step, s.
        public var seconds: Double
        /// Everything but waiting for other ranks, s: data, forward, backward, update.
        public var work: Double
        /// The wait for data, s.
        public var data: Double
    }

    private struct Shares: Sendable {
        var mean: Double
        var maximum: Double
        var data: Double
    }

    /// The number of steps that are left out at the beginning: caches and pages are cold.
    public static let warmUp = 2

    /// Reads a run's log.
    ///
    /// - Throws: `InputError` where the directory is no run, or has too few steps; `FileError` where reading fails.
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

    /// The parts of an average step, s, which add up to it.
    public struct Parts: Hashable, Codable, Sendable {
        /// The whole step.
        public var step: Double
        /// The time that an average rank computes.
        public var compute: Double
        /// The time that an average rank waits for data.
        public var data: Double
        /// The time that an average rank waits for the rank that works longest, all steps taken together.
        public var imbalance: Double
        /// The rest: communication that the backward pass does not hide, and waits for one rank in one step and for
        /// another in the next.
        public var rest: Double
    }

    /// The parts of an average step, s.
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

    /// The crops of all replicas in a second.
    public var throughput: Double { Double(cropsPerStep) / parts.step }

    /// The times that rank 0 computes in each step, all of its replicas.
    public var computeTimes: ComputeTimes {
        ComputeTimes(steps.map { $0.work - $0.data })
    }
}
