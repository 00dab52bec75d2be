import MPI

@testable import Diagnosis

extension RankFacts {
    /// A rank with which nothing is wrong: 8 threads on processors of its own, on a host of 64.
    static func made(_ rank: Int, host: String = "node1", processors: ClosedRange<Int>? = nil) -> RankFacts {
        let own = NumberSet(processors ?? 8 * (rank % 8)...8 * (rank % 8) + 7)
        return RankFacts(
            rank: rank, host: host, process: 1000 + rank, version: "1.0", executable: 1, processors: own, cores: own,
            nodes: NumberSet([0]), hostProcessors: 8, processorModel: "A", threads: 8, quota: nil,
            memoryAvailable: 64 << 30, sharedMemoryFree: 1 << 30, instructionSet: "avx512", openBLASCore: "SkylakeX",
            openBLASIsOutdated: false, openBLASCoreType: nil,
            transport: MPITransport(
                library: "Open MPI v4.1.4", messaging: "ob1", layers: ["self", "tcp", "vader"], interfaces: ["eth0"]),
            adapters: [], hdf5: "1.10.8")
    }
}

extension RunPlan {
    static let made = RunPlan(
        replicas: 8, microBatch: 1, cropSize: 96, reduction: "tree", memory: 512 << 20, checkpointBytes: 50 << 20,
        checkpoints: 5, bytesPerCrop: 1e6, reductionBytes: 21_600_000)
}

extension Survey {
    /// Ranks on one host after a change to each.
    static func made(_ count: Int, plan: RunPlan? = nil, _ change: (inout RankFacts) -> Void = { _ in }) -> Survey {
        Survey(
            ranks: (0..<count).map {
                var facts = RankFacts.made($0)
                change(&facts)
                return facts
            }, plan: plan)
    }

    /// The findings about something, as `severity: seen`.
    func texts(_ subject: String) -> [String] {
        findings.filter { $0.subject == subject }.map { "\($0.severity): \($0.seen)" }
    }
}
