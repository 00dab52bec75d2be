// Summing the replicas' gradients in one order, whatever ranks hold them.
//
// Addition of floats is not associative, so a sum over ranks depends on how many there are. Here the replicas are the
// leaves of a balanced binary tree, and the sum follows the tree:
//
//     ((g0 + g1) + (g2 + g3)) + ((g4 + g5) + (g6 + g7))
//
// A rank holds an aligned group of replicas, a subtree, and adds it up while its replicas finish. The tree's upper
// levels join the ranks' sums: each rank collects everybody's values for one slice of the vector, adds them in the
// tree's order, and all ranks share the slices: the traffic of a ring allreduce, and the same bits at any rank count.

import FileIO
import MPI

/// How gradients are summed.
public enum ReductionMode: String, Codable, CaseIterable, Sendable {
    /// In the tree's order: the same bits for every number of ranks.
    case tree
    /// By `MPI_Allreduce`: the same within rounding.
    case allreduce
}

/// Sums one vector per replica over all replicas of all ranks.
public final class GradientReduction {
    public let mode: ReductionMode
    /// The replicas of this rank.
    public let replicas: Range<Int>
    private let communicator: any Communicator
    private let count: Int
    /// Partial sums waiting for their right neighbours, with the number of replicas in each: sizes decrease, as the
    /// digits of a binary counter.
    private var pending: [(replicas: Int, sum: VectorStorage)] = []
    private var spare: [VectorStorage] = []
    /// Where `finish` receives the other ranks' values.
    private var received: VectorStorage?

    /// - Parameters:
    ///   - replicas: Of the whole job.
    ///   - count: The vectors' length.
    /// - Throws: `UsageError` where the ranks do not divide the replicas, or the replicas are no power of two in tree
    ///   mode; it names the counts that would work.
    public init(
        mode: ReductionMode, replicas: Int, count: Int, communicator: any Communicator
    ) throws(UsageError) {
        if mode == .tree && replicas.nonzeroBitCount != 1 {
            let lower = 1 << (Int.bitWidth - 1 - replicas.leadingZeroBitCount)
            throw UsageError(
                "replicas: \(replicas) is not a power of two, which reduction: tree needs; "
                    + "set replicas to \(lower) or \(2 * lower), or reduction to allreduce")
        }
        guard replicas % communicator.size == 0 else {
            let working = (1...replicas).filter { replicas % $0 == 0 }.map(String.init).joined(separator: ", ")
            throw UsageError(
                "\(communicator.size) ranks do not divide \(replicas) replicas; "
                    + "start \(working) ranks, or set replicas to a multiple of \(communicator.size)")
        }
        self.mode = mode
        self.count = count
        self.communicator = communicator
        let each = replicas / communicator.size
        self.replicas = communicator.rank * each..<(communicator.rank + 1) * each
    }

    /// Adds the vector of this rank's next replica.
    ///
    /// - Parameter fill: Writes all of the vector.
    public func add(_ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        let vector = spare.popLast() ?? VectorStorage(count)
        try fill(vector.buffer)
        var current = (replicas: 1, sum: vector)
        while let left = pending.last, left.replicas == current.replicas || mode == .allreduce {
            pending.removeLast()
            Self.add(current.sum.buffer, to: left.sum.buffer)
            spare.append(current.sum)
            current = (left.replicas + current.replicas, left.sum)
        }
        pending.append(current)
    }

    /// The sum over all replicas of all ranks, the same on each.
    ///
    /// - Returns: Memory of this object, valid until the next `add`.
    /// - Throws: `MPIError`.
    public func finish() throws(MPIError) -> UnsafeMutableBufferPointer<Float> {
        precondition(
            pending.count == 1 && pending[0].replicas == replicas.count, "finish needs all of this rank's replicas")
        let sum = pending.removeLast().sum
        spare.append(sum)
        if communicator.size == 1 { return sum.buffer }
        switch mode {
        case .allreduce: try communicator.sum(sum.buffer)
        case .tree: try reduceSlices(sum.buffer)
        }
        return sum.buffer
    }

    private func reduceSlices(_ vector: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
        let ranks = communicator.size
        let parts = (0..<ranks).map { $0 * count / ranks..<($0 + 1) * count / ranks }
        let own = parts[communicator.rank]
        let inbox = received ?? VectorStorage(ranks * ((count + ranks - 1) / ranks))
        received = inbox
        try communicator.exchange(
            vector, parts: parts, into: UnsafeMutableBufferPointer(rebasing: inbox.buffer[0..<ranks * own.count]))
        // Rank r's values start at r · own.count. Each level adds the right half of every pair to the left one.
        var distance = 1
        while distance < ranks {
            for left in stride(from: 0, to: ranks - distance, by: 2 * distance) {
                let right = left + distance
                Self.add(
                    UnsafeMutableBufferPointer(rebasing: inbox.buffer[right * own.count..<(right + 1) * own.count]),
                    to: UnsafeMutableBufferPointer(rebasing: inbox.buffer[left * own.count..<(left + 1) * own.count]))
            }
            distance *= 2
        }
        for index in 0..<own.count { vector[own.lowerBound + index] = inbox.buffer[index] }
        try communicator.share(vector, parts: parts)
    }

    private static func add(_ b: UnsafeMutableBufferPointer<Float>, to a: UnsafeMutableBufferPointer<Float>) {
        guard let b = b.baseAddress, let target = a.baseAddress else { return }
        for index in 0..<a.count { target[index] += b[index] }
    }
}

/// A vector's memory.
final class VectorStorage {
    let buffer: UnsafeMutableBufferPointer<Float>

    init(_ count: Int) {
        buffer = .allocate(capacity: count)
        buffer.initialize(repeating: 0)
    }

    deinit { buffer.deallocate() }
}
