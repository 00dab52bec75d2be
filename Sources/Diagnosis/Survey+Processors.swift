// Which ranks share what they should have for themselves.

extension Survey {
    /// Processors that several ranks want at once, and processors that nobody uses.
    var processorFindings: [Finding] {
        merged(hosts.flatMap { _, members in sharing(members) + idling(members) + limited(members) })
    }

    /// - Parameter members: The ranks of one host.
    private func sharing(_ members: [RankFacts]) -> [Observation] {
        var found: [Observation] = []
        let groups = Dictionary(grouping: members, by: \.processors).sorted {
            ($0.value.first?.rank ?? 0) < ($1.value.first?.rank ?? 0)
        }
        for (processors, group) in groups {
            let threads = group.reduce(0) { $0 + $1.threads }
            let own = group.map(\.rank)
            let each = max(1, processors.count / group.count)
            if threads > processors.count {
                let remedy =
                    group.count > processors.count
                    ? "start \(processors.count) rank\(processors.count == 1 ? "" : "s") here, or more processors"
                    : group.count == 1
                        ? "bind it to more (mpirun --map-by slot:PE=\(threads) --bind-to core), or set threads "
                            + "to \(each)"
                        : "give every rank its own (mpirun --map-by slot:PE=\(each) --bind-to core), and set threads "
                            + "to \(each)"
                found.append(
                    Observation(
                        severity: .warning, subject: "processors",
                        what: "\(threads) threads share \(count(processors.count, "processor")) "
                            + "(\(processors.summary))", remedy: remedy, ranks: own))
            } else if group.count > 1 {
                found.append(
                    Observation(
                        severity: .note, subject: "processors",
                        what: "not bound: each may run on all of \(processors.summary)",
                        remedy: "mpirun --map-by slot:PE=\(group[0].threads) --bind-to core keeps a rank's memory "
                            + "and caches near", ranks: own))
            }
        }
        return found + overlapping(groups.map { ($0.key, $0.value) })
    }

    /// Ranks whose processors, or cores, are others' too without being the same.
    private func overlapping(_ groups: [(NumberSet, [RankFacts])]) -> [Observation] {
        var processors: Set<Int> = []
        var cores: Set<Int> = []
        for (index, (one, members)) in groups.enumerated() {
            for (other, others) in groups[(index + 1)...] {
                let ranks = (members + others).map(\.rank)
                if one.intersects(other) {
                    processors.formUnion(ranks)
                } else if let a = members.first?.cores, let b = others.first?.cores, a.intersects(b) {
                    cores.formUnion(ranks)
                }
            }
        }
        var found: [Observation] = []
        if !processors.isEmpty {
            found.append(
                Observation(
                    severity: .warning, subject: "processors", what: "their processors overlap",
                    remedy: "bind them all in one way: mpirun --map-by slot:PE=N --bind-to core",
                    ranks: processors.sorted()))
        }
        if !cores.isEmpty {
            found.append(
                Observation(
                    severity: .warning, subject: "processors",
                    what: "they run on hardware threads of the same cores",
                    remedy: "bind to cores, not to hardware threads: mpirun --map-by slot:PE=N --bind-to core",
                    ranks: cores.sorted()))
        }
        return found
    }

    private func idling(_ members: [RankFacts]) -> [Observation] {
        let usable = members.map(\.hostProcessors).max() ?? 0
        let threads = members.reduce(0) { $0 + $1.threads }
        // A core's second hardware thread may well be idle.
        guard 2 * threads < usable else { return [] }
        let allowed = members.reduce(NumberSet([])) { $0.union($1.processors) }
        let isBound = allowed.count < usable
        let what = "\(count(threads, "thread")) on a host with \(usable) processors"
        let each = usable / members.count
        return [
            Observation(
                severity: isBound ? .warning : .note, subject: "processors",
                what: isBound ? "\(what), bound to \(allowed.summary)" : what,
                remedy: isBound
                    ? "mpirun binds one or two ranks to one core each unless told otherwise: "
                        + "--map-by slot:PE=\(each) --bind-to core"
                    : "raise threads, or start more ranks", ranks: members.map(\.rank))
        ]
    }

    /// Control groups that give less time than there are threads.
    private func limited(_ members: [RankFacts]) -> [Observation] {
        let groups = Dictionary(grouping: members.filter { $0.quota != nil }, by: { $0.quota?.group ?? "" })
        return groups.sorted { $0.key < $1.key }.compactMap { _, group in
            let threads = group.reduce(0) { $0 + $1.threads }
            guard let quota = group[0].quota, Double(threads) > quota.processors + 0.05 else { return nil }
            return Observation(
                severity: .warning, subject: "processors",
                what: "\(count(threads, "thread")), but the control group gives \(fixed(quota.processors, 1)) "
                    + "processors' time",
                remedy: "raise the limit (Kubernetes: resources.limits.cpu), or lower threads", ranks: group.map(\.rank)
            )
        }
    }

    /// Threads of one rank on its own processors.
    var threadFindings: [Finding] {
        var found: [Observation] = []
        for facts in ranks {
            if facts.threads <= facts.processors.count, facts.threads > facts.cores.count {
                found.append(
                    Observation(
                        severity: .note, subject: "threads",
                        what: "\(facts.threads) threads on \(count(facts.cores.count, "core"))",
                        remedy: "try threads=\(facts.cores.count): a core's second hardware thread adds little to "
                            + "convolutions", ranks: [facts.rank]))
            }
            if facts.nodes.count > 1 {
                found.append(
                    Observation(
                        severity: .warning, subject: "NUMA",
                        what: "processors on \(facts.nodes.count) NUMA nodes (\(facts.nodes.summary))",
                        remedy: "keep a rank on one node, near its memory: mpirun --map-by ppr:1:numa:PE=N "
                            + "--bind-to core", ranks: [facts.rank]))
            }
        }
        return merged(found)
            + difference(
                .warning, "threads", "every step waits for the slowest, and threads differ",
                remedy: "give all ranks as many: set threads, and slots alike for all hosts"
            ) { count($0.threads, "thread") }
    }
}

func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
