// Whether there is room and time for what the run will need.

import Basics
import Compute
import MPI

extension Survey {
    /// The share of the available memory from which on there is a warning.
    static let fullMemory = 0.9
    /// The difference of clocks in s from which on times in logs and files mislead.
    static let clockTolerance = 0.5
    /// The time of a step, as a multiple of the median rank's, above which all others wait for a rank.
    static let slowStep = 1.2
    /// The speed of matrix products, as a part of the median rank's, below which all others wait for a rank.
    static let slowProduct = 0.7
    /// The share of a step that reductions may take before it is noted.
    static let notedReduction = 0.05
    /// The share of a step that reductions may take before there is a warning.
    static let longReduction = 0.25
    /// The factor by which crops should come faster than training needs them.
    static let readingReserve = 2.0

    /// The speed of one thread, in billions of operations per second, below which OpenBLAS hardly has the kernels, or
    /// the processor, that it should: about a third of what processors with these instructions reach at 2 GHz.
    static func plausibleSpeed(_ instructionSet: String) -> Double {
        switch instructionSet {
        case "avx512": 25
        case "avx2": 15
        default: 3
        }
    }

    /// Hosts whose ranks together need more memory than there is.
    public var memoryFindings: [Finding] {
        guard let plan else { return [] }
        return merged(
            HostMemory.hosts(ranks.map { ($0.host, $0.memoryAvailable) }).compactMap { host in
                let wanted = host.wanted(plan.memory)
                guard Double(wanted) > Self.fullMemory * Double(host.available) else { return nil }
                let all = host.ranks.count > 1 ? "\(host.ranks.count) ranks of a host need" : "needs"
                return Observation(
                    severity: host.lacks(plan.memory) ? .problem : .warning, subject: "memory",
                    what: "\(all) \(mebibytes(wanted)), \(mebibytes(host.available)) are available",
                    remedy: host.ranks.count > 1
                        ? "start fewer ranks here, or lower micro_batch or crop_size"
                        : "lower micro_batch or crop_size", ranks: host.ranks)
            })
    }

    var speedFindings: [Finding] {
        var found: [Observation] = []
        let speeds = ranks.compactMap(\.measures.productSpeed)
        let usualSpeed = speeds.median ?? 0
        let sharing = sharesProcessors
        let usualStep = ranks.compactMap(\.measures.stepSeconds).median ?? .infinity
        // Outdated kernels, and processors that several threads share, have findings of their own.
        for facts in ranks {
            let measures = facts.measures
            if let speed = measures.productSpeed, !sharing.contains(facts.rank) {
                let least = Self.plausibleSpeed(facts.instructionSet)
                if speed < least, !facts.openBLASIsOutdated {
                    found.append(
                        Observation(
                            severity: .warning, subject: "OpenBLAS",
                            what: "\(fixed(speed, 0)) GFLOP/s a thread in matrix products, "
                                + "\(facts.instructionSet) should reach \(fixed(least, 0)) at least",
                            remedy: "look what else runs there, and whether the processor is throttled",
                            ranks: [facts.rank]))
                } else if speed < Self.slowProduct * usualSpeed {
                    found.append(
                        Observation(
                            severity: .warning, subject: "balance",
                            what: "\(fixed(speed, 0)) GFLOP/s a thread, the median rank has "
                                + "\(fixed(usualSpeed, 0))",
                            remedy: "look what else runs there; all ranks wait for the slowest", ranks: [facts.rank]))
                }
            }
            if let step = measures.stepSeconds, step > Self.slowStep * usualStep, !sharing.contains(facts.rank) {
                found.append(
                    Observation(
                        severity: .warning, subject: "balance",
                        what: "\(fixed(step, 2)) s for a step, the median rank takes \(fixed(usualStep, 2)) s",
                        remedy: "look what else runs there; all ranks wait for the slowest", ranks: [facts.rank]))
            }
            if let clock = measures.clock, abs(clock.seconds) - clock.uncertainty > Self.clockTolerance {
                found.append(
                    Observation(
                        severity: .warning, subject: "clocks",
                        what: "the clock is \(fixed(abs(clock.seconds), 1)) s "
                            + "\(clock.seconds > 0 ? "ahead of" : "behind") rank 0's",
                        remedy: "synchronise the hosts' clocks (chrony, NTP): times in logs and of files mislead",
                        ranks: [facts.rank]))
            }
        }
        return merged(found) + readingFindings + reductionFindings
    }

    /// The ranks of hosts whose threads share processors.
    private var sharesProcessors: Set<Int> {
        Set(processorFindings.filter { $0.severity == .warning }.flatMap(\.ranks.numbers))
    }

    private var readingFindings: [Finding] {
        guard let plan, let bytes = plan.bytesPerCrop else { return [] }
        return merged(
            ranks.compactMap { facts in
                guard let reading = facts.measures.reading, reading.bytes > 0, let step = facts.measures.stepSeconds
                else { return nil }
                let needed = bytes * Double(plan.microBatch) / step
                guard reading.speed < Self.readingReserve * needed else { return nil }
                return Observation(
                    severity: .warning, subject: "reading",
                    what: "shards come with \(fixed(reading.speed / 1e6, 1)) MB/s, training takes "
                        + "\(fixed(needed / 1e6, 1)) MB/s a rank",
                    remedy: "copy the data set to a faster or local disk; what fits into memory is read slowly once",
                    ranks: [facts.rank])
            })
    }

    private var reductionFindings: [Finding] {
        guard let plan, plan.refusal == nil, ranks.count > 1,
            let reduction = ranks.compactMap(\.measures.reductionSeconds).max(),
            let step = ranks.compactMap(\.measures.stepSeconds).median
        else { return [] }
        let whole = reduction + step * Double(plan.stepsPerReduction * plan.replicas / ranks.count)
        let share = reduction / whole
        guard share > Self.notedReduction else { return [] }
        return [
            Finding(
                severity: share > Self.longReduction ? .warning : .note, subject: "reduction", ranks: NumberSet([]),
                seen:
                    "summing the gradients takes \(fixed(reduction * 1000, 0)) ms, \(fixed(100 * share, 0)) % of "
                    + (plan.stepsPerReduction == 1 ? "a step where " : "\(plan.stepsPerReduction) steps, where ")
                    + "nothing hides it",
                remedy: "luna bench overlap tells what is left with overlap; give every rank more work for each sum "
                    + "(replicas, micro_batch), use a faster network, or let sites train by themselves (local_steps)")
        ]
    }

    var fileFindings: [Finding] {
        var found = merged(
            ranks.compactMap { facts in
                guard let locks = facts.measures.dataLocks, let reason = locks.whole ?? locks.ranges else { return nil }
                return Observation(
                    severity: .note, subject: "locks",
                    what: "the data's file system (\(facts.measures.dataFileSystem ?? "unknown")) refuses locks: "
                        + reason,
                    remedy: "luna reads without them; for other HDF5 programs set HDF5_USE_FILE_LOCKING=FALSE",
                    ranks: [facts.rank])
            })
        guard let place else { return found }
        if let refusal = place.refusal {
            found.append(
                Finding(
                    severity: .problem, subject: "run directory", ranks: NumberSet([0]),
                    seen: "no checkpoint can be written: \(refusal)",
                    remedy: "choose another place for the run, or HDF5_USE_FILE_LOCKING=FALSE where locks are refused"))
        }
        if let plan, let free = place.freeBytes, free < plan.checkpoints * plan.checkpointBytes {
            found.append(
                Finding(
                    severity: .problem, subject: "run directory", ranks: NumberSet([0]),
                    seen: "\(place.directory): \(mebibytes(free)) free, \(plan.checkpoints) checkpoints take "
                        + mebibytes(plan.checkpoints * plan.checkpointBytes),
                    remedy: "make room, or lower keep_checkpoints"))
        }
        return found
    }

    var planFindings: [Finding] {
        guard let refusal = plan?.refusal else { return [] }
        // In the words of the reduction: what is seen, then what would work.
        let parts = refusal.split(separator: "; ", maxSplits: 1).map(String.init)
        return [
            Finding(
                severity: .problem, subject: "replicas", ranks: NumberSet([]), seen: parts.first ?? refusal,
                remedy: parts.count > 1 ? parts[1] : "choose others")
        ]
    }
}
