// Sums over replicas in the middle of their work, which none of them can finish without the others.
//
// A rank runs its replicas side by side, each on a thread of its own, the first on the caller's. That one alone calls
// MPI: it waits until all replicas of the rank have given their values, exchanges them with the other ranks, and lets
// all go on. Every rank gets every replica's values, not the ranks' sums, and adds them up by itself in the order of
// the gradients' tree: the bits do not depend on where the ranks' borders lie.

import Foundation

/// Replicas of a rank that run side by side and meet at sums over all replicas of all ranks.
public final class Lockstep: @unchecked Sendable {
    /// A function that collects the bytes of all ranks, by rank.
    public typealias Gathering = (_ own: [UInt8]) throws -> [[UInt8]]

    private let replicas: Int
    // The caller of `run` alone uses these two, in its own thread.
    private var gather: Gathering?
    private var failure: (any Error)?
    private let condition = NSCondition()
    // All below are guarded by `condition`.
    /// The values for the sum under way, by replica.
    private var given: [[Double]]
    private var arrived = 0
    /// The number of sums that are done, and the last one.
    private var sums = 0
    private var sum: [Double] = []
    /// The number of other threads than the caller's that have not ended.
    private var running = 0

    /// Creates a group of as many replicas as this rank has.
    public init(replicas: Int) {
        self.replicas = replicas
        given = Array(repeating: [], count: replicas)
    }

    private struct Work: @unchecked Sendable {
        let body: (_ replica: Int) -> Void
    }

    /// Runs all replicas, and returns when all are done.
    ///
    /// - Parameters:
    ///   - gather: Collects the values of all ranks, on the calling thread; nil where this rank has all replicas.
    ///   - body: The work of a replica, counted from 0 on each rank; all make the same sums. It is called by several
    ///     threads at once, with 0 by the calling one.
    /// - Throws: What `gather` throws. From then on sums are those of this rank alone, so that its replicas come to
    ///   their end.
    public func run(gather: Gathering?, _ body: @escaping (_ replica: Int) -> Void) throws {
        self.gather = gather
        running = replicas - 1
        let work = Work(body: body)
        for replica in 1..<replicas {
            let thread = Thread { [self] in
                work.body(replica)
                condition.withLock {
                    running -= 1
                    condition.broadcast()
                }
            }
            thread.name = "replica"
            thread.start()
        }
        body(0)
        condition.withLock { while running > 0 { condition.wait() } }
        self.gather = nil
        if let failure { throw failure }
    }

    /// The sums over all replicas of all ranks, the same for each.
    ///
    /// - Parameters:
    ///   - values: As many for every replica.
    ///   - replica: The replica that gives them and calls from its `body`.
    public func sum(_ values: [Double], of replica: Int) -> [Double] {
        condition.lock()
        defer { condition.unlock() }
        given[replica] = values
        arrived += 1
        if arrived == replicas { condition.broadcast() }
        let before = sums
        if replica > 0 {
            while sums == before { condition.wait() }
            return sum
        }
        while arrived < replicas {
            precondition(running == replicas - 1, "a replica has ended that the others need for a sum")
            condition.wait()
        }
        let all = given
        condition.unlock()
        let sum = sumOverRanks(all)
        condition.lock()
        self.sum = sum
        arrived = 0
        sums += 1
        condition.broadcast()
        return sum
    }

    private func sumOverRanks(_ own: [[Double]]) -> [Double] {
        guard let gather, failure == nil else { return Self.treeSum(own) }
        do {
            let width = own[0].count
            let bytes = own.flatMap(\.self).withUnsafeBytes { Array($0) }
            let all = try gather(bytes).flatMap { bytes in
                bytes.withUnsafeBytes { raw in
                    stride(from: 0, to: raw.count, by: 8 * width).map { start in
                        (0..<width).map { raw.loadUnaligned(fromByteOffset: start + 8 * $0, as: Double.self) }
                    }
                }
            }
            return Self.treeSum(all)
        } catch {
            failure = error
            return Self.treeSum(own)
        }
    }

    /// Adds up rows in the order of the gradients' tree.
    private static func treeSum(_ rows: [[Double]]) -> [Double] {
        var rows = rows
        var distance = 1
        while distance < rows.count {
            for left in stride(from: 0, to: rows.count - distance, by: 2 * distance) {
                for index in rows[left].indices { rows[left][index] += rows[left + distance][index] }
            }
            distance *= 2
        }
        return rows[0]
    }
}
