import Basics
import Compute
import MPI

extension Survey {
    /// The survey for people: a few lines on the job, the table of ranks, a few on what was measured.
    public var lines: [String] { head + [""] + RankTable(self).lines + (measured.isEmpty ? [] : [""] + measured) }

    private var head: [String] {
        let library = ranks.first?.transport?.library ?? MPITransport.libraryVersion
        var transport = "MPI: \(library)"
        if let own = ranks.first?.transport {
            let ways = [
                own.withinHost.map { "\($0) within a host" }, own.betweenHosts.map { "\($0) between hosts" },
            ].compactMap(\.self)
            if let messaging = own.messaging {
                let layers = own.layers.isEmpty ? "" : " over \(own.layers.joined(separator: ", "))"
                transport += "; \(messaging)\(layers) in use"
            }
            if !ways.isEmpty { transport += ", from which follows: \(ways.joined(separator: ", "))" }
        } else {
            transport += ", not started: no launcher started this process"
        }
        return [
            "luna \(ranks.first?.version ?? ""), \(count(ranks.count, "rank")) on \(count(hosts.count, "host"))",
            transport,
            "OpenBLAS core \(values(\.openBLASCore)), instructions \(values(\.instructionSet)), HDF5 \(values(\.hdf5))",
        ]
    }

    /// The different values of a fact, in the ranks' order.
    private func values(_ part: (RankFacts) -> String) -> String {
        var seen: Set<String> = []
        return ranks.map(part).filter { seen.insert($0).inserted }.joined(separator: ", ")
    }

    private var measured: [String] {
        var lines: [String] = []
        if let plan {
            var line = "step: \(count(plan.replicas, "replica")) of \(plan.microBatch) x \(plan.cropSize)^3"
            if let seconds = ranks.compactMap(\.measures.stepSeconds).median {
                line += ", \(fixed(seconds, 2)) s each"
            }
            line += "; \(mebibytes(plan.memory)) a rank "
            line +=
                plan.memoryIsMeasured
                ? "(a step on made data, and what training holds beside it)" : "(by a formula: no step was tried)"
            lines.append(line)
            if let steps = plan.steps, let step = estimatedStepSeconds, let seconds = estimatedSeconds {
                lines.append(
                    "run: \(count(steps, "step")) of about \(fixed(step, 2)) s, \(durationText(seconds)) in all, "
                        + "without reading, validation, evaluation and checkpoints")
            }
            if let seconds = ranks.compactMap(\.measures.reductionSeconds).max() {
                lines.append(
                    "reduction (\(plan.reduction)): \(fixed(Double(plan.reductionBytes) / 1e6, 1)) MB in "
                        + "\(fixed(seconds * 1000, 1)) ms, "
                        + "\(fixed(Double(plan.reductionBytes) / seconds / 1e9, 2)) GB/s")
            }
        }
        let readings = ranks.compactMap(\.measures.reading)
        if let first = ranks.first?.measures, !readings.isEmpty {
            let total = readings.reduce(0) { $0 + $1.bytes }
            let speed = readings.reduce(0) { $0 + $1.speed }
            let locks = first.dataLocks.map { $0.whole == nil && $0.ranges == nil ? "locks granted" : "locks refused" }
            lines.append(
                "data on \(first.dataFileSystem ?? "an unknown file system"), \(locks ?? "locks not tried"): "
                    + "\(mebibytes(total)) read with \(fixed(speed / 1e6, 0)) MB/s by all ranks, after the system was "
                    + "asked to forget its copies; caches of servers and disks stay, which no user can empty")
        }
        if let place {
            let free = place.freeBytes.map { "\(mebibytes($0)) free" } ?? "free space unknown"
            let tried = place.refusal == nil ? "an HDF5 file written, renamed and read again" : "writing failed"
            lines.append(
                "run in \(place.directory) on \(place.fileSystem ?? "an unknown file system"), \(free), \(tried)")
        }
        let clocks = ranks.compactMap(\.measures.clock)
        if let worst = clocks.map({ abs($0.seconds) }).max(), let least = clocks.map(\.uncertainty).max() {
            lines.append(
                "clocks: at most \(fixed(worst * 1000, 2)) ms from rank 0's, known to \(fixed(least * 1000, 2)) ms")
        }
        return lines
    }
}
