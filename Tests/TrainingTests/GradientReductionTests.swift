import FileIO
import Foundation
import MPI
import Testing

@testable import Training

/// Ranks that are threads of this process.
private final class Group: @unchecked Sendable {
    let size: Int
    private let condition = NSCondition()
    private var slots: [Int: [[Float]]] = [:]
    private var arrived: [Int: Int] = [:]

    init(size: Int) { self.size = size }

    /// Everybody's contribution to round `round`, by rank.
    func meet(_ round: Int, rank: Int, _ values: [Float]) -> [[Float]] {
        condition.lock()
        defer { condition.unlock() }
        slots[round, default: Array(repeating: [], count: size)][rank] = values
        arrived[round, default: 0] += 1
        condition.broadcast()
        while arrived[round, default: 0] < size { condition.wait() }
        return slots[round] ?? []
    }
}

private final class ThreadCommunicator: Communicator {
    let rank: Int
    let size: Int
    let hostName = "thread"
    private let group: Group
    private var round = 0

    init(rank: Int, group: Group) {
        self.rank = rank
        size = group.size
        self.group = group
    }

    private func meet(_ values: [Float]) -> [[Float]] {
        round += 1
        return group.meet(round, rank: rank, values)
    }

    func barrier() { _ = meet([]) }
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
    func sum(_ values: inout [Int]) {}
    func maximum(_ values: inout [Double]) {}
    func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    func abort(_ status: Int32) {}

    func sum(_ values: UnsafeMutableBufferPointer<Float>) {
        let all = meet(Array(values))
        for index in values.indices { values[index] = all.reduce(0) { $0 + $1[index] } }
    }

    func exchange(
        _ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>],
        into received: UnsafeMutableBufferPointer<Float>
    ) {
        var place = 0
        for other in meet(Array(values)) {
            for value in other[parts[rank]] {
                received[place] = value
                place += 1
            }
        }
    }

    func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) {
        let all = meet(Array(values))
        for (rank, part) in parts.enumerated() { for index in part { values[index] = all[rank][index] } }
    }
}

@Suite struct GradientReductionTests {
    private let count = 1003

    /// Numbers whose sum depends on the order of its additions.
    private func value(_ replica: Int, _ index: Int) -> Float {
        Float(1 + (index * 7919 + replica * 104_729) % 1009) * (replica % 3 == 0 ? 1e4 : 1e-3)
    }

    private func sum(ranks: Int, replicas: Int, mode: ReductionMode = .tree) -> [Float] {
        let group = Group(size: ranks)
        let results = Array(repeating: [Float](), count: ranks).withLock()
        let threads = (0..<ranks).map { rank in
            let thread = Thread { [self] in
                let communicator = ThreadCommunicator(rank: rank, group: group)
                guard
                    let reduction = try? GradientReduction(
                        mode: mode, replicas: replicas, count: count, communicator: communicator)
                else { return }
                // Twice: memory is used again.
                for round in 0..<2 {
                    for replica in reduction.replicas {
                        reduction.add { for index in $0.indices { $0[index] = value(replica, index + round) } }
                    }
                    let sum = (try? reduction.finish()).map { Array($0) } ?? []
                    if round == 1 { results.set(rank, sum) }
                }
                results.finish()
            }
            thread.start()
            return thread
        }
        results.wait(for: threads.count)
        let all = results.values
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
        let three = ThreadCommunicator(rank: 0, group: Group(size: 3))
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
    }
}

/// Results of threads, and the wait for them.
private final class Results: @unchecked Sendable {
    private let condition = NSCondition()
    private var stored: [[Float]]
    private var finished = 0

    init(_ values: [[Float]]) { stored = values }

    var values: [[Float]] { condition.withLock { stored } }
    func set(_ rank: Int, _ value: [Float]) { condition.withLock { stored[rank] = value } }

    func finish() {
        condition.withLock {
            finished += 1
            condition.broadcast()
        }
    }

    func wait(for count: Int) {
        condition.withLock { while finished < count { condition.wait() } }
    }
}

extension [[Float]] {
    fileprivate func withLock() -> Results { Results(self) }
}
