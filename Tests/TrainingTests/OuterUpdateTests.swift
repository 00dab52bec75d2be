import Learning
import MPI
import MPITestSupport
import Testing

@testable import Exchange
@testable import Networks
@testable import Training

/// Local steps' outer update beside its definition, written out.
@Suite struct OuterUpdateTests {
    private static let count = 103
    private static let statistics = 7

    private static func configuration(sites: Int, _ exchange: GradientExchange = .float32) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.replicas = 16
        configuration.localSteps = 3
        configuration.sites = sites
        configuration.gradientExchange = exchange
        return configuration
    }

    /// A network of so many numbers and no layers.
    private static func architecture(_ parameters: Int, _ statistics: Int) -> Architecture {
        Architecture("\(parameters) and \(statistics) numbers", anchors: 1, components: 1) { network in
            let d = network.declarations
            if parameters > 0 { _ = d.parameter("numbers", [parameters], .constant(0)) }
            if statistics > 0 { _ = d.statistic("means", statistics, initially: 0) }
        }
    }

    private static func state(_ parameters: [Float], _ statistics: [Float] = []) -> NetworkState {
        NetworkState(
            architecture: architecture(parameters.count, statistics.count), parameters: parameters,
            statistics: statistics)
    }

    private static let unused = OptimizerState(names: [], slots: [])

    /// Numbers whose sum depends on the order of its additions.
    private static func value(_ site: Int, _ index: Int, _ round: Int) -> Float {
        Float(1 + (index * 7919 + site * 104_729 + round * 31) % 1009) * (site % 3 == 0 ? 1e4 : -1e-3)
    }

    private static func rounded(_ value: Float, _ exchange: GradientExchange) -> Float {
        exchange == .float32 ? value : BFloat16.rounded(value)
    }

    /// ((x0 + x1) + (x2 + x3)) + …
    private static func tree(_ values: ArraySlice<Float>, _ exchange: GradientExchange) -> Float {
        if values.count == 1 { return rounded(values.first ?? 0, exchange) }
        let middle = (values.startIndex + values.endIndex) / 2
        return rounded(
            tree(values[values.startIndex..<middle], exchange) + tree(values[middle..<values.endIndex], exchange),
            exchange)
    }

    /// Two rounds: the shared parameters, statistics and momentum.
    private static func truth(sites: Int, _ exchange: GradientExchange) -> [[Float]] {
        var parameters = (0..<count).map { Float($0) / 8 }
        var momentum = [Float](repeating: 0, count: count)
        var means = [Float](repeating: 1, count: statistics)
        for round in 0..<2 {
            for index in 0..<count {
                let all = (0..<sites).map { parameters[index] - value($0, index, round) }
                let gradient = tree(all[...], exchange) / Float(sites)
                momentum[index] = 0.9 * momentum[index] + gradient
                parameters[index] -= 0.7 * (gradient + 0.9 * momentum[index])
            }
            for index in 0..<statistics {
                means[index] = tree((0..<sites).map { value($0, 500 + index, round) }[...], .float32) / Float(sites)
            }
        }
        return [parameters, means, momentum]
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let sites, ranks: Int
        let exchange: GradientExchange
        var testDescription: String { "\(sites) sites on \(ranks) ranks, \(exchange)" }
    }

    private static let cases = [1, 2, 4, 8].flatMap { sites in
        [1, 2, 4, 8, 16].flatMap { ranks in
            GradientExchange.allCases.map { Case(sites: sites, ranks: ranks, exchange: $0) }
        }
    }

    @Test(arguments: cases) func isTheDefinitionOnAnyRanks(_ c: Case) throws {
        let results = RankGroup.run(c.ranks) { communicator -> [[[Float]]] in
            let configuration = Self.configuration(sites: c.sites, c.exchange)
            guard let layout = try? SiteLayout(configuration, rank: communicator.rank, ranks: c.ranks),
                let ranks = try? layout.communicators(communicator),
                let outer = try? OuterUpdate(
                    configuration,
                    state: Self.state(
                        (0..<Self.count).map { Float($0) / 8 }, Array(repeating: 1, count: Self.statistics)),
                    optimizer: OuterUpdate.makeState(Self.architecture(Self.count, Self.statistics)),
                    within: ranks.within, across: ranks.across)
            else { return [] }
            let sites = layout.own.map { Site(index: $0, state: outer.state, optimizer: Self.unused) }
            for round in 0..<2 {
                for site in sites {
                    site.state.parameters = (0..<Self.count).map { Self.value(site.index, $0, round) }
                    site.state.statistics = (0..<Self.statistics).map { Self.value(site.index, 500 + $0, round) }
                }
                guard (try? outer.apply(to: sites)) != nil else { return [] }
            }
            let shared = [outer.state.parameters, outer.state.statistics]
            return [shared + outer.optimizer.slots]
                + sites.map { [$0.state.parameters, $0.state.statistics] + [shared[0]] }
        }
        let truth = Self.truth(sites: c.sites, c.exchange)
        for result in results {
            #expect(result.first == truth)
            #expect(result.count == 1 + max(1, c.sites / c.ranks))
            // All sites go on from the shared network.
            #expect(result.dropFirst().allSatisfy { $0[0] == truth[0] && $0[1] == truth[1] })
        }
    }

    /// Nesterov's momentum in numbers that can be worked out by hand; torch.optim.SGD(nesterov=True) gives the same.
    @Test func nesterov() throws {
        var configuration = Self.configuration(sites: 1)
        configuration.outerLearningRate = 0.5
        configuration.outerMomentum = 0.5
        let outer = try OuterUpdate(
            configuration, state: Self.state([0]), optimizer: OuterUpdate.makeState(Self.architecture(1, 0)),
            within: SingleCommunicator(), across: SingleCommunicator())
        let site = Site(index: 0, state: outer.state, optimizer: Self.unused)
        for expected: Float in [-0.75, -1.625, -2.5625] {
            site.state.parameters[0] -= 1
            let outcome = try outer.apply(to: [site])
            #expect(outer.state.parameters == [expected] && site.state.parameters == [expected])
            #expect(outcome.meanNorm == 1 && outcome.siteNorm == 1)
        }
    }

    /// Sites that go opposite ways: the mean is nothing, their own norms are not.
    @Test func normsTellHowAlikeSitesAre() throws {
        let outer = try OuterUpdate(
            Self.configuration(sites: 2), state: Self.state([0, 0]),
            optimizer: OuterUpdate.makeState(Self.architecture(2, 0)),
            within: SingleCommunicator(), across: SingleCommunicator())
        let sites = (0..<2).map { Site(index: $0, state: outer.state, optimizer: Self.unused) }
        sites[0].state.parameters = [3, 4]
        sites[1].state.parameters = [-3, -4]
        let outcome = try outer.apply(to: sites)
        #expect(outcome.meanNorm == 0 && outcome.siteNorm == 5)
        #expect(outer.state.parameters == [0, 0])
    }

    /// Whatever the ranks: every site is led once, every replica trained once, a site's replicas with their site.
    @Test(arguments: [1, 2, 4, 8, 16]) func layout(_ sites: Int) throws {
        for ranks in [1, 2, 4, 8, 16] {
            let layouts = try (0..<ranks).map {
                try SiteLayout(Self.configuration(sites: sites), rank: $0, ranks: ranks)
            }
            #expect(layouts.flatMap(\.ownReplicas) == Array(0..<16))
            #expect(layouts.filter(\.isLeader).flatMap(\.own) == Array(0..<sites))
            for layout in layouts {
                for replica in layout.ownReplicas { #expect(layout.own.contains(replica / (16 / sites))) }
                for site in layout.own {
                    let leader = layouts[layout.leader(of: site)]
                    #expect(leader.isLeader && leader.own.contains(site))
                }
            }
        }
        #expect(throws: (any Error).self) { try SiteLayout(Self.configuration(sites: sites), rank: 0, ranks: 3) }
    }
}
