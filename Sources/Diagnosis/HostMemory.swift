import MPI

/// The memory of the hosts that a job runs on.
public enum HostMemory {
    /// The bytes that this host could give to new work: the least of what the kernel says is available and what the
    /// control group allows (Slurm and Kubernetes limit jobs this way). Nil where the system does not say.
    public static var available: Int? {
        let kernel = number("MemAvailable:", in: "/proc/meminfo").map { $0 << 10 }
        let group = text("/proc/self/cgroup").split(separator: "\n").first { $0.hasPrefix("0::") }
        let allowed = group.flatMap { roomInGroup(String($0.dropFirst(3)), below: "/sys/fs/cgroup") }
        return [kernel, allowed].compactMap(\.self).min()
    }

    /// The bytes that the control groups (version 2) from `path` up allow beyond those in use; nil where none has a
    /// limit.
    ///
    /// All levels count: Slurm limits a job and its step, and nothing in the group of the task itself. The page cache
    /// that the kernel would give up first counts as free.
    static func roomInGroup(_ path: String, below root: String) -> Int? {
        var parts = path.split(separator: "/")
        var rooms: [Int] = []
        while true {
            let directory = ([root] + parts.map(String.init)).joined(separator: "/")
            if let limit = number("", in: "\(directory)/memory.max"),
                let used = number("", in: "\(directory)/memory.current")
            {
                let cache = number("inactive_file", in: "\(directory)/memory.stat") ?? 0
                rooms.append(max(0, limit - max(0, used - cache)))
            }
            if parts.popLast() == nil { return rooms.min() }
        }
    }

    /// The number behind a word in one of the kernel's files; nil where there is none ("max").
    private static func number(_ word: String, in path: String) -> Int? {
        text(path).split(separator: "\n").first { word.isEmpty || $0.split(separator: " ").first == word[...] }
            .flatMap { line in line.split(separator: " ").lazy.compactMap { Int($0) }.first }
    }

    private static func text(_ path: String) -> String { SystemFile.text(path) ?? "" }

    /// A host, and the ranks that share its memory.
    public struct Host: Equatable {
        /// The host's name.
        public var name: String
        /// The ranks on the host, ascending.
        public var ranks: [Int]
        /// The bytes that the host could give to new work.
        public var available: Int

        /// The bytes that all of its ranks take if each takes so many.
        func wanted(_ bytes: Int) -> Int { bytes * ranks.count }
        func lacks(_ bytes: Int) -> Bool { wanted(bytes) > available }
    }

    /// The hosts whose available memory is known, in order of their lowest ranks.
    ///
    /// - Parameter places: Host and available bytes by rank. Where ranks of one host differ the lowest figure counts,
    ///   since each measures before any takes memory.
    static func hosts(_ places: [(host: String, available: Int?)]) -> [Host] {
        let ranks = Dictionary(grouping: places.indices) { places[$0].host }
        return ranks.values.sorted { $0[0] < $1[0] }.compactMap { ranks in
            ranks.compactMap { places[$0].available }.min().map {
                Host(name: places[ranks[0]].host, ranks: ranks, available: $0)
            }
        }
    }

    /// The hosts whose ranks together want more than is available there. Collective, and before any rank takes its
    /// memory.
    ///
    /// - Parameters:
    ///   - bytes: The bytes that each rank wants.
    ///   - communicator: All ranks.
    /// - Throws: `MPIError`.
    public static func shortages(_ bytes: Int, _ communicator: any Communicator) throws -> [Host] {
        // Measured before anybody takes any.
        let own = "\(communicator.hostName)\t\(available.map(String.init) ?? "")"
        let places = try communicator.gather(text: own).map { text in
            let fields = text.split(separator: "\t")
            return (host: String(fields[0]), available: fields.count > 1 ? Int(fields[1]) : nil)
        }
        return hosts(places).filter { $0.lacks(bytes) }
    }
}
