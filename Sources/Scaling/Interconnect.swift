import Foundation

/// The links that join the hosts of a job, and the ranks within one.
public struct Interconnect: Sendable {
    /// The time from one host to another, s, one way.
    public var latency: Double
    /// The throughput of a host's link, bytes/s in each direction, after what protocols take.
    public var bandwidth: Double
    /// The time that a rank itself spends on a message, s: by default assumed, not measured.
    public var messageSeconds: Double
    /// The throughput between ranks of one host, and of adding what was received, bytes/s: by default assumed, not
    /// measured.
    public var memoryBandwidth: Double

    /// Describes a job's links; times in s, throughputs in bytes/s.
    public init(
        latency: Double, bandwidth: Double, messageSeconds: Double = 5e-6, memoryBandwidth: Double = 4e9
    ) {
        self.latency = latency
        self.bandwidth = bandwidth
        self.messageSeconds = messageSeconds
        self.memoryBandwidth = memoryBandwidth
    }
}

/// A way to sum a vector over ranks.
public enum ReductionAlgorithm: String, CaseIterable, Codable, Sendable {
    /// The way of `reduction: tree`: every rank collects one slice from all others, adds it in the tree's order, and
    /// sends it to all.
    case tree
    /// A ring: slices go round from neighbour to neighbour, twice.
    case ring
    /// A sum within hosts first; then one rank of each host, by recursive halving and doubling.
    case hierarchical

    /// Estimates the seconds that the sum takes when all ranks begin together.
    ///
    /// Costs by latency and bandwidth as in R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of collective
    /// communication operations in MPICH", IJHPCA 19 (2005); ranks of a host share its link.
    ///
    /// - Parameters:
    ///   - bytes: The vector's size.
    ///   - ranks: The number of ranks.
    ///   - ranksPerHost: The ranks of a full host; ranks fill host after host.
    ///   - net: The links.
    public func seconds(bytes: Double, ranks: Int, ranksPerHost: Int, over net: Interconnect) -> Double {
        if ranks == 1 { return 0 }
        let here = Double(min(ranks, ranksPerHost))
        let hosts = Double((ranks + ranksPerHost - 1) / ranksPerHost)
        let all = Double(ranks)
        let slice = bytes / all
        let hop = net.messageSeconds + (hosts > 1 ? net.latency : 0)
        switch self {
        case .tree:
            // The slices that ranks send to other hosts share their own host's link.
            let abroad = here * (all - here) * slice / net.bandwidth
            let atHome = here * (here - 1) * slice / net.memoryBandwidth
            let phase = (hosts > 1 ? net.latency : 0) + (all - 1) * net.messageSeconds + abroad + atHome
            return 2 * phase + (all - 1) * slice / net.memoryBandwidth
        case .ring:
            let pass = slice / (hosts > 1 ? min(net.bandwidth, net.memoryBandwidth / here) : net.memoryBandwidth / here)
            return 2 * (all - 1) * (hop + pass) + (all - 1) * slice / net.memoryBandwidth
        case .hierarchical:
            let within = 2 * (here - 1) * (bytes / net.memoryBandwidth + net.messageSeconds)
            let rounds = 2 * log2(hosts).rounded(.up)
            return within + rounds * hop + 2 * bytes * (1 - 1 / hosts) / net.bandwidth
                + bytes * (1 - 1 / hosts) / net.memoryBandwidth
        }
    }
}
