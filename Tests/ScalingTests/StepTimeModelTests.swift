import Basics
import Foundation
import Testing

@testable import Scaling

@Suite struct StepTimeModelTests {
    /// Of an exponential distribution the largest of n is the n-th harmonic number on average.
    @Test(arguments: [1, 2, 16, 1000]) func largestOfExponentialDraws(_ count: Int) {
        let many = 20_000
        // The distribution's own quantiles: 1 s, then an exponential of 0.1 s.
        let times = ComputeTimes((0..<many).map { 1 - 0.1 * log(1 - (Double($0) + 0.5) / Double(many)) })
        let harmonic = (1...count).reduce(0) { $0 + 1 / Double($1) }
        #expect(abs(times.expectedMaximum(of: count) - (1 + 0.1 * harmonic)) < 0.002 * harmonic)
    }

    /// Against drawing from the measurements themselves, while ranks are fewer than measurements.
    @Test func largestOfMeasuredDraws() {
        var generator = CounterGenerator(seed: 3, purpose: "scaling")
        let measured = (0..<400).map { _ in 1 + 0.1 * generator.uniform() + 0.05 * generator.uniform() }
        let times = ComputeTimes(measured)
        #expect(abs(times.expectedMaximum(of: 1) - times.mean) < 1e-9)
        for ranks in [2, 4, 8] {
            let rounds = 20_000
            var total = 0.0
            for _ in 0..<rounds {
                total += (0..<ranks).map { _ in measured[generator.integer(in: 0..<measured.count)] }.max() ?? 0
            }
            #expect(abs(times.expectedMaximum(of: ranks) - total / Double(rounds)) < 0.003, "\(ranks) ranks")
        }
    }

    @Test func oneMeasurementHasNoSpread() {
        #expect(ComputeTimes([2]).expectedMaximum(of: 1) == 2)
        #expect(ComputeTimes([2]).expectedMaximum(of: 10_000) == 2)
        #expect(ComputeTimes([2, 2, 2]).expectedMaximum(of: 64) == 2)
    }

    private let gigabit = Interconnect(latency: 50e-6, bandwidth: 125e6, messageSeconds: 0, memoryBandwidth: 1e15)

    /// Bandwidth bounds all three: each host sends the vector twice, less its own share.
    @Test func bandwidthOfOneRankAHost() {
        let bytes = 20e6
        for hosts in [2, 4, 16] {
            let least = 2 * bytes * (1 - 1 / Double(hosts)) / 125e6
            let tree = ReductionAlgorithm.tree.seconds(bytes: bytes, ranks: hosts, ranksPerHost: 1, over: gigabit)
            let ring = ReductionAlgorithm.ring.seconds(bytes: bytes, ranks: hosts, ranksPerHost: 1, over: gigabit)
            let halving = ReductionAlgorithm.hierarchical.seconds(
                bytes: bytes, ranks: hosts, ranksPerHost: 1, over: gigabit)
            let rounds = 2 * Double(hosts.trailingZeroBitCount)
            #expect(abs(tree - least - 2 * 50e-6) < 1e-7)
            #expect(abs(ring - least - 2 * Double(hosts - 1) * 50e-6) < 1e-7)
            #expect(abs(halving - least - rounds * 50e-6) < 1e-7)
        }
    }

    /// Ranks of one host share its link: summing within hosts first sends less, the more ranks a host has.
    @Test func ranksShareTheirHostsLink() {
        func seconds(_ algorithm: ReductionAlgorithm) -> Double {
            algorithm.seconds(bytes: 20e6, ranks: 64, ranksPerHost: 8, over: gigabit)
        }
        #expect(seconds(.tree) > 7 * seconds(.hierarchical))
        #expect(ReductionAlgorithm.tree.seconds(bytes: 20e6, ranks: 1, ranksPerHost: 8, over: gigabit) == 0)
    }

    @Test func overlapHidesAllButTheLastBucket() {
        var model = StepTimeModel(
            compute: ComputeTimes([1]), interconnect: gigabit, bytes: 20e6, ranksPerHost: 1)
        let open = model.prediction(ranks: 4, algorithm: .tree)
        #expect(open.exposed == open.reduction && open.step == 1 + open.reduction)
        model.hiddenSeconds = 0.6
        model.lateShare = 0.01
        let hidden = model.prediction(ranks: 4, algorithm: .tree)
        #expect(hidden.reduction == open.reduction && abs(hidden.exposed - open.reduction * 0.01) < 1e-12)
        model.hiddenSeconds = 0.1
        let partly = model.prediction(ranks: 4, algorithm: .tree)
        #expect(abs(partly.exposed - (open.reduction - 0.1)) < 1e-12)
        #expect(abs(partly.efficiency - 1 / partly.step) < 1e-12)
    }

    /// One straggler in a thousand costs a job of one rank next to nothing, and one of ten thousand nearly all it can.
    @Test func stragglersCountAtScale() {
        var model = StepTimeModel(
            compute: ComputeTimes([1]), interconnect: gigabit, bytes: 0, ranksPerHost: 1)
        model.stragglers = StepTimeModel.Stragglers(share: 0.001, slowdown: 2)
        #expect(abs(model.prediction(ranks: 1, algorithm: .tree).step - 1.001) < 1e-9)
        #expect(model.prediction(ranks: 10_000, algorithm: .tree).step > 1.999)
    }
}
