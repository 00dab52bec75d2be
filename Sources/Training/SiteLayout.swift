// Sites: groups of replicas that train networks of their own for some steps, and then share what they have learnt.
//
// The sites belong to the experiment, like the replicas; the ranks that they lie on, to the machine. With few ranks a
// rank holds whole sites, one after another; with many a site spans consecutive ranks.

import Exchange
import FileIO
import MPI

/// The places of the sites. All counts are powers of two, so that either every rank holds whole sites, or every site
/// whole ranks. Without local steps all replicas are one site.
struct SiteLayout: Hashable {
    let sites: Int
    let replicas: Int
    let rank: Int
    let ranks: Int

    /// Lays the sites of a configuration on the ranks.
    ///
    /// - Throws: `UsageError` where the ranks cannot share the replicas.
    init(_ configuration: TrainingConfiguration, rank: Int, ranks: Int) throws(UsageError) {
        try GradientReduction.check(configuration.reduction, replicas: configuration.replicas, ranks: ranks)
        sites = configuration.sites
        replicas = configuration.replicas
        self.rank = rank
        self.ranks = ranks
    }

    var replicasPerSite: Int { replicas / sites }
    var ranksPerSite: Int { max(1, ranks / sites) }
    private var sitesPerRank: Int { max(1, sites / ranks) }

    /// The sites of this rank: several, or one that it may share.
    var own: Range<Int> {
        let first = rank / ranksPerSite * sitesPerRank
        return first..<first + sitesPerRank
    }

    /// This rank's place in its site.
    var place: Int { rank % ranksPerSite }

    /// The replicas of this rank, in the whole job.
    var ownReplicas: Range<Int> {
        let each = replicas / ranks
        return rank * each..<(rank + 1) * each
    }

    /// The rank that speaks for a site.
    func leader(of site: Int) -> Int { site / sitesPerRank * ranksPerSite }

    /// Whether this rank speaks for its sites.
    var isLeader: Bool { place == 0 }

    /// The ranks of this rank's site, and the ranks that have the same place in theirs.
    func communicators(
        _ all: any Communicator
    ) throws(MPIError) -> (within: any Communicator, across: any Communicator) {
        if sites == 1 { return (all, SingleCommunicator()) }
        if ranksPerSite == 1 { return (SingleCommunicator(), all) }
        return (try all.split(rank / ranksPerSite), try all.split(place))
    }
}
