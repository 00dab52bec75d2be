/// The limits that the control groups (versions 1 and 2) of this process set, as Slurm, Kubernetes and containers use
/// them.
public struct ControlGroup: Sendable {
    /// A limit on processor time.
    public struct Quota: Hashable, Sendable, Codable {
        /// The processor time that the group may take, as a number of processors.
        public var processors: Double
        /// The group that has the limit: processes of one group share it.
        public var group: String

        /// Creates a limit.
        public init(processors: Double, group: String) {
            self.processors = processors
            self.group = group
        }
    }

    private let root: String
    /// The group's path by controller; version 2 has the empty name.
    private let paths: [String: String]

    /// Finds the groups of this process.
    ///
    /// - Parameters:
    ///   - root: The directory where the groups are mounted.
    ///   - membership: The text of `/proc/self/cgroup`; by default it is read.
    public init(root: String = "/sys/fs/cgroup", membership: String? = nil) {
        self.root = root
        var paths: [String: String] = [:]
        for line in (membership ?? SystemFile.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = parts[2]
            }
        }
        self.paths = paths
    }

    /// The tightest limit on processor time, of this group or of one above it; nil where there is none.
    public var quota: Quota? {
        let limits =
            ancestors("").compactMap { group, directory -> Quota? in
                // `200000 100000`: µs of each period; `max` where there is no limit.
                let numbers = (SystemFile.text("\(directory)/cpu.max") ?? "").split(separator: " ").map { Double($0) }
                guard numbers.count == 2, let time = numbers[0], let period = numbers[1], period > 0 else { return nil }
                return Quota(processors: time / period, group: group)
            }
            + ancestors("cpu").compactMap { group, directory -> Quota? in
                guard let time = SystemFile.text("\(directory)/cpu.cfs_quota_us").flatMap(Double.init), time > 0,
                    let period = SystemFile.text("\(directory)/cpu.cfs_period_us").flatMap(Double.init), period > 0
                else { return nil }
                return Quota(processors: time / period, group: group)
            }
        return limits.min { $0.processors < $1.processors }
    }

    /// The processors that the group may use, whatever a rank is bound to; nil where nothing is said.
    public var processors: NumberSet? {
        let texts =
            ancestors("").map { SystemFile.text("\($0.directory)/cpuset.cpus.effective") }
            + ancestors("cpuset").map { SystemFile.text("\($0.directory)/cpuset.cpus") }
        return texts.lazy.compactMap { $0.flatMap(NumberSet.init) }.first { !$0.isEmpty }
    }

    /// The process's group of a controller and those above it, up to the mount: in a container the path may be the
    /// host's, and only the last of them exist.
    private func ancestors(_ controller: String) -> [(group: String, directory: String)] {
        guard let path = paths[controller] else { return [] }
        let mount = controller.isEmpty ? root : "\(root)/\(controller)"
        var parts = path.split(separator: "/")
        var result: [(String, String)] = []
        while true {
            let group = "/" + parts.joined(separator: "/")
            result.append((group, parts.isEmpty ? mount : mount + group))
            if parts.popLast() == nil { return result }
        }
    }
}
