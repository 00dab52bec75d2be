// Agreement of the ranks, and checkpoints, which hold nothing on which they do not agree.

import Basics
import Detection
import Exchange
import FileIO
import Learning
import MPI
import Networks
import Runs

extension Trainer {
    /// Gives every rank the state of rank 0, and checks that all were to train the same. Collective.
    static func synchronize(
        _ start: inout StartingPoint, _ configuration: TrainingConfiguration, _ dataDigest: Digest,
        _ communicator: any Communicator
    ) throws {
        var digest = Digest()
        digest.add(configuration.yaml())
        digest.add(Int(truncatingIfNeeded: dataDigest.value))
        digest.add(start.step)
        digest.add(Int(truncatingIfNeeded: start.digest.value))
        try Agreement.check(digest, of: "the configuration, the data set or the checkpoint", communicator)
        func broadcast(_ values: inout [Float]) throws {
            try values.withUnsafeMutableBytes { try communicator.broadcast($0, from: 0) }
        }
        try broadcast(&start.state.parameters)
        try broadcast(&start.state.statistics)
        for index in start.optimizer.slots.indices { try broadcast(&start.optimizer.slots[index]) }
        if var average = start.average {
            try broadcast(&average.state.parameters)
            try broadcast(&average.state.statistics)
            start.average = average
        }
        for site in start.sites {
            if start.isShared { site.state = start.state }
            if configuration.localSteps == nil { site.optimizer = start.optimizer }
        }
    }

    /// Checks that the ranks of each site agree on its state, and all ranks on the shared network.
    ///
    /// - Throws: `DisagreementError`, `MPIError`.
    func agree() throws {
        guard communicator.size > 1 else { return }
        let span = begin(.agreement)
        defer { span.end() }
        func check(_ state: NetworkState, _ optimizer: OptimizerState, group: Int) throws {
            var digest = Digest()
            let states = [state] + (average.map { [$0.state] } ?? [])
            for values in states.flatMap({ [$0.parameters, $0.statistics] }) + optimizer.slots {
                digest.addStrands(values)
            }
            try Agreement.check(
                digest, of: "the network's state at step \(completedSteps)", communicator, group: group,
                remedy: Agreement.badMemory)
        }
        if layout.ranksPerSite > 1 { try check(sites[0].state, sites[0].optimizer, group: layout.ranksPerSite) }
        if let outer { try check(outer.state, outer.optimizer, group: communicator.size) }
    }

    /// Has a checkpoint written, once all ranks agree on what is in it; training goes on meanwhile. Collective.
    func save() throws {
        try agree()
        let span = begin(.checkpoint)
        defer { span.end() }
        // The checkpoint before gives up its memory, so that there is room for other sites' states.
        try settleCheckpoints(waiting: true)
        let own = outer == nil ? [] : try whereabouts.meeting { try gatherSites() }
        let (terms, steps) = try gatherEpoch()
        try passOnNotices()
        guard let writer else { return }
        try writer.submit(
            Checkpoint(
                epoch: epoch, step: completedSteps, seed: configuration.seed, configuration: configuration.yaml(),
                state: state, optimizer: optimizer, average: average, sites: own, owesValidation: owesValidation,
                epochTerms: terms.flatMap(\.vector), epochSteps: steps, best: best, dataDigest: dataDigest.text,
                arithmetic: arithmetic))
    }

    /// Reports the checkpoints that have become durable.
    ///
    /// - Parameter waiting: Whether to wait for the one that is being written.
    /// - Throws: `FileError` where one could not be written.
    func settleCheckpoints(waiting: Bool) throws {
        for path in try writer?.finished(waiting: waiting) ?? [] { report(.checkpoint(path: path)) }
    }

    // MARK: - The sites' own states

    /// The running epoch's sums, by site. Collective.
    func gatherEpoch() throws -> (terms: [LossTerms], steps: [Int]) {
        if configuration.sites == 1 { return ([sites[0].epochTerms], [sites[0].epochSteps]) }
        let own = sites.flatMap { site in
            [site.epochSteps] + site.epochTerms.vector.map { Int(bitPattern: UInt($0.bitPattern)) }
        }
        // Leaders are in the order of their sites.
        let all = try communicator.gather(numbers: layout.isLeader ? own : []).flatMap { $0 }
        let length = 1 + LossTerms.vectorCount
        let parts = stride(from: 0, to: all.count, by: length).map { all[$0..<$0 + length] }
        return (
            parts.map { part in
                LossTerms(vector: part.dropFirst().map { Double(bitPattern: UInt64(UInt(bitPattern: $0))) })
            }, parts.compactMap(\.first)
        )
    }

    /// Every site's own state and momentum, on rank 0; other ranks' results are of no use. Collective.
    private func gatherSites() throws -> [Checkpoint.SiteState] {
        let isShared = isRoundEnd
        var all: [Checkpoint.SiteState] = []
        let messenger = communicator.size > 1 ? try communicator.messenger() : nil
        // One after another: rank 0 has one link.
        for index in 0..<configuration.sites {
            let own = sites.first { $0.index == index }
            // Where the site does not live, any state is taken as room for it: all sites have one shape.
            var site = Checkpoint.SiteState(
                state: isShared ? nil : own?.state ?? sites[0].state, optimizer: own?.optimizer ?? sites[0].optimizer)
            let leader = layout.leader(of: index)
            if let messenger, leader > 0, [0, leader].contains(communicator.rank) {
                try messenger.move(&site, from: leader, isRoot: own == nil)
            }
            if communicator.rank == 0 { all.append(site) }
        }
        return all
    }
}

extension Messenger {
    /// Moves a site's own state from its leader to rank 0. Both of them call it.
    fileprivate func move(
        _ site: inout Checkpoint.SiteState, from leader: Int, isRoot: Bool
    ) throws {
        func move<Number>(_ values: inout [Number]) throws {
            try values.withUnsafeMutableBytes { bytes in
                let message = [Message(rank: isRoot ? leader : 0, bytes: bytes)]
                try transfer(
                    sends: isRoot ? [] : message, receives: isRoot ? message : [], tag: MessageTag.site)
            }
        }
        for index in site.optimizer.slots.indices { try move(&site.optimizer.slots[index]) }
        // Sites that left out steps have had fewer.
        var updates = [site.optimizer.updates]
        try move(&updates)
        site.optimizer.updates = updates[0]
        guard var state = site.state else { return }
        try move(&state.parameters)
        try move(&state.statistics)
        site.state = state
    }
}
