/// The arrangement of a host's processors: which are hardware threads of one core, and on which NUMA nodes they are.
public struct Topology: Sendable {
    private let root: String

    /// Creates the topology of this host.
    ///
    /// - Parameter root: The directory in which Linux describes it.
    public init(root: String = "/sys/devices/system") { self.root = root }

    /// The processors that are switched on; nil where the system does not say.
    public var online: NumberSet? { SystemFile.text("\(root)/cpu/online").flatMap(NumberSet.init) }

    /// The cores of processors, each named by its first hardware thread. A processor of which nothing is known counts
    /// as a core.
    public func cores(of processors: NumberSet) -> NumberSet {
        NumberSet(
            processors.numbers.map { processor in
                let siblings = SystemFile.text("\(root)/cpu/cpu\(processor)/topology/thread_siblings_list")
                return siblings.flatMap(NumberSet.init)?.numbers.first ?? processor
            })
    }

    /// The NUMA nodes that processors belong to; empty where the system does not say.
    public func nodes(of processors: NumberSet) -> NumberSet {
        let nodes = SystemFile.text("\(root)/node/online").flatMap(NumberSet.init) ?? NumberSet([])
        return NumberSet(
            nodes.numbers.filter { node in
                let own = SystemFile.text("\(root)/node/node\(node)/cpulist").flatMap(NumberSet.init)
                return own?.intersects(processors) ?? false
            })
    }
}
