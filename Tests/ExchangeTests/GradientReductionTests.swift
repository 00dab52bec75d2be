import FileIO
import Foundation
import MPI
import MPITestSupport
import Testing

@testable import Exchange

@Suite struct GradientReductionTests {
    private let count = 1003

    /// Numbers whose sum depends on the order of its additions.
    private func value(_ replica: Int, _ index: Int) -> Float {
        Float(1 + (index * 7919 + replica * 104_729) % 1009) * (replica % 3 == 0 ? 1e4 : 1e-3)
    }

    private func sum(ranks: Int, replicas: Int, mode: ReductionMode = .tree) -> [Float] {
        let all = RankGroup.run(ranks) { communicator -> [Float] in
            guard
                let reduction = try? GradientReduction(
                    mode: mode, replicas: replicas, count: count, communicator: communicator)
            else { return [] }
            // Twice: memory is used again.
            var sum: [Float] = []
            for round in 0..<2 {
                for replica in reduction.replicas {
                    reduction.add { for index in $0.indices { $0[index] = value(replica, index + round) } }
                }
                sum = (try? reduction.finish()).map { Array($0) } ?? []
            }
            return sum
        }
        for other in all { #expect(other == all[0]) }
        return all[0]
    }

    @Test func sameBitsAtEveryRankCount() {
        let truth = sum(ranks: 1, replicas: 8)
        for ranks in [2, 4, 8] { #expect(sum(ranks: ranks, replicas: 8) == truth) }
        // The tree written out.
        for index in [0, 500, count - 1] {
            let g = (0..<8).map { value($0, index + 1) }
            #expect(truth[index] == ((g[0] + g[1]) + (g[2] + g[3])) + ((g[4] + g[5]) + (g[6] + g[7])))
        }
        // The numbers are such that another order gives other bits: the test can fail.
        let inOrder = (0..<count).map { index in (0..<8).reduce(Float(0)) { $0 + value($1, index + 1) } }
        #expect(inOrder != truth)
    }

    @Test func allreduceAgreesWithinRounding() {
        let tree = sum(ranks: 2, replicas: 8)
        let plain = sum(ranks: 2, replicas: 8, mode: .allreduce)
        for (a, b) in zip(tree, plain) { #expect(abs(a - b) <= 1e-5 * abs(a)) }
    }

    @Test func refusesCountsThatDoNotFit() {
        let three = ThreadCommunicator(rank: 0, group: RankGroup(size: 3))
        let ranks = #expect(throws: UsageError.self) {
            try GradientReduction(mode: .tree, replicas: 8, count: 1, communicator: three)
        }
        #expect(ranks?.description.contains("1, 2, 4, 8") == true)
        let power = #expect(throws: UsageError.self) {
            try GradientReduction(mode: .tree, replicas: 6, count: 1, communicator: three)
        }
        #expect(power?.description.contains("4 or 8") == true)
        #expect(throws: Never.self) {
            try GradientReduction(mode: .allreduce, replicas: 6, count: 1, communicator: three)
        }
        #expect(throws: UsageError.self) {
            try GradientReduction(
                mode: .allreduce, replicas: 6, count: 1, communicator: three, exchange: .bfloat16)
        }
    }
}
