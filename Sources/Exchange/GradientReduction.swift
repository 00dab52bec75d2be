// Summing the replicas' gradients in one order, whatever ranks hold them.
//
// Addition of floats is not associative, so a sum over ranks depends on how many there are. Here the replicas are the
// leaves of a balanced binary tree, and the sum follows the tree:
//
//     ((g0 + g1) + (g2 + g3)) + ((g4 + g5) + (g6 + g7))
//
// A rank holds an aligned group of replicas, a subtree, and adds it up while its replicas finish. The tree's upper
// levels join the ranks' sums, in buckets: each rank collects everybody's values for one slice of a bucket, adds them
// in the tree's order, and all ranks share the slices: the traffic of a ring allreduce, and the same bits at any rank
// count.
//
// With overlap the last replica's buckets are taken as its backward pass finishes them.

import FileIO
import MPI

/// The ways to sum gradients.
public enum ReductionMode: String, Codable, CaseIterable, Sendable {
    /// A sum in the tree's order: the same bits for every number of ranks.
    case tree
    /// A sum by `MPI_Allreduce`: the same within rounding.
    case allreduce
}

/// A sum of one vector per replica over all replicas of all ranks, step after step.
public final class GradientReduction {
    /// The way the vectors are summed.
    public let mode: ReductionMode
    /// The numbers that gradients are summed in.
    public let exchange: GradientExchange
    /// The replicas of this rank.
    public let replicas: Range<Int>
    /// The overlap that `connect` could grant.
    public private(set) var overlap = OverlapMode.off
    private let communicator: any Communicator
    private let count: Int
    private let gradients: Int
    /// Partial sums waiting for their right neighbours, with the number of replicas in each: sizes decrease, as the
    /// digits of a binary counter.
    private var pending: [(replicas: Int, sum: VectorStorage)] = []
    private var spare: [VectorStorage] = []
    /// The buckets and the driver that sums them, once there are any; the last replica's vector begins with `begin`.
    private var bucketwise: (buckets: GradientBuckets, driver: any BucketDriver)?

    /// Creates a reduction.
    ///
    /// - Parameters:
    ///   - mode: The way to sum.
    ///   - replicas: The number of replicas of the whole job.
    ///   - count: The length of the vectors.
    ///   - communicator: The ranks that share the replicas.
    ///   - exchange: The numbers that gradients are summed in.
    ///   - gradients: The number of a vector's first values that are gradients, which `exchange` may round; by default
    ///     all.
    /// - Throws: `UsageError` where the ranks do not divide the replicas, or the replicas are no power of two in tree
    ///   mode; it names the counts that would work.
    public init(
        mode: ReductionMode, replicas: Int, count: Int, communicator: any Communicator,
        exchange: GradientExchange = .float32, gradients: Int? = nil
    ) throws(UsageError) {
        if mode == .allreduce && exchange != .float32 {
            throw UsageError("gradient_exchange: \(exchange.rawValue) needs reduction: tree")
        }
        try Self.check(mode, replicas: replicas, ranks: communicator.size)
        self.mode = mode
        self.exchange = exchange
        self.count = count
        self.gradients = gradients ?? count
        self.communicator = communicator
        let each = replicas / communicator.size
        self.replicas = communicator.rank * each..<(communicator.rank + 1) * each
    }

    /// Checks that so many ranks can share the replicas.
    ///
    /// - Throws: `UsageError` as `init`.
    public static func check(_ mode: ReductionMode, replicas: Int, ranks: Int) throws(UsageError) {
        if mode == .tree && replicas.nonzeroBitCount != 1 {
            let lower = 1 << (Int.bitWidth - 1 - replicas.leadingZeroBitCount)
            throw UsageError(
                "replicas: \(replicas) is not a power of two, which reduction: tree needs; "
                    + "set replicas to \(lower) or \(2 * lower), or reduction to allreduce")
        }
        guard replicas % ranks == 0 else {
            let working = (1...replicas).filter { replicas % $0 == 0 }.map(String.init).joined(separator: ", ")
            throw UsageError(
                "\(ranks) ranks do not divide \(replicas) replicas; "
                    + "start \(working) ranks, or set replicas to a multiple of \(ranks)")
        }
    }

    deinit { bucketwise?.driver.stop() }

    /// Prepares for overlap. Collective, before the first `add`; without it `finish` does all there is to do.
    ///
    /// - Parameters:
    ///   - wish: `overlap` is `off` afterwards where some rank's MPI does not let a second thread in, and where there
    ///     is nothing to overlap: on one rank, or in `allreduce` mode.
    ///   - order: The ranges of the gradients in the order in which a backward pass finishes them; by default all at
    ///     once.
    ///   - bucketBytes: The size of buckets in bytes, approximately; by default what `GradientBuckets` chooses.
    /// - Throws: `MPIError`.
    public func connect(_ wish: OverlapMode, order: [Range<Int>]? = nil, bucketBytes: Int? = nil) throws(MPIError) {
        precondition(pending.isEmpty && bucketwise == nil, "connect comes first, and once")
        guard communicator.size > 1, mode == .tree else { return }
        let (buckets, driver) = try bucketDriver(wish, order, bucketBytes)
        bucketwise = (buckets, driver)
    }

    private func bucketDriver(
        _ wish: OverlapMode, _ order: [Range<Int>]?, _ bucketBytes: Int?
    ) throws(MPIError) -> (buckets: GradientBuckets, driver: any BucketDriver) {
        guard let messenger = try communicator.messenger() else {
            preconditionFailure("this communicator sends no messages, which the tree needs")
        }
        // All or none, so that all ranks report the same.
        var lacking = [messenger.servesOtherThreads ? 0.0 : 1]
        try communicator.maximum(&lacking)
        overlap = wish == .thread && lacking[0] > 0 ? .off : wish
        // What lies behind the gradients is known before the backward pass begins.
        let beside = gradients < count ? [gradients..<count] : []
        let buckets = GradientBuckets(
            order: beside + (order ?? [0..<gradients]), gradients: gradients,
            bytes: bucketBytes ?? GradientBuckets.bytes(ranks: communicator.size))
        let carrier = BucketExchange(
            buckets, exchange: exchange, communicator: communicator, messenger: messenger,
            window: try ExchangeRounds.window(over: communicator))
        return (
            buckets,
            overlap == .thread ? CommunicationThread(carrier) : PollingDriver(carrier, isEager: overlap == .poll)
        )
    }

    /// Adds the vector of this rank's next replica.
    public func add(_ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        try add(reporting: { vector, _ in try fill(vector) })
    }

    /// Adds the vector of this rank's next replica. Parts of the last one that are reported as final are on their way
    /// to the other ranks at once; until `finish` the communicator is not to be used.
    ///
    /// - Parameter fill: Writes all of the vector, and may tell which ranges are final, each value once.
    /// - Throws: What `fill` throws.
    public func add(
        reporting fill: (
            _ vector: UnsafeMutableBufferPointer<Float>, _ finished: @escaping (Range<Int>) -> Void
        ) throws -> Void
    ) rethrows {
        let vector = spare.popLast() ?? VectorStorage(count)
        if let bucketwise, pending.reduce(1, { $0 + $1.replicas }) == replicas.count {
            try addLast(vector, bucketwise.buckets, bucketwise.driver, fill)
            return
        }
        try fill(vector.buffer) { _ in }
        exchange.round(vector.buffer[part: 0..<gradients])
        var current = (replicas: 1, sum: vector)
        while let left = pending.last, left.replicas == current.replicas || mode == .allreduce {
            pending.removeLast()
            add(current.sum, to: left.sum, 0..<count)
            spare.append(current.sum)
            current = (left.replicas + current.replicas, left.sum)
        }
        pending.append(current)
    }

    /// The last replica's vector closes the subtree: bucket by bucket it is added to the sums that wait for it, from
    /// right to left, and handed over.
    private func addLast(
        _ vector: VectorStorage, _ buckets: GradientBuckets, _ driver: any BucketDriver,
        _ fill: (UnsafeMutableBufferPointer<Float>, @escaping (Range<Int>) -> Void) throws -> Void
    ) rethrows {
        let chain = pending.map(\.sum) + [vector]
        driver.begin(chain[0].buffer)
        func close(_ bucket: Int) {
            let range = buckets.buckets[bucket].range
            exchange.round(vector.buffer[part: range.clamped(to: 0..<gradients)])
            for right in chain.indices.dropFirst().reversed() { add(chain[right], to: chain[right - 1], range) }
            driver.submit(bucket)
        }
        var progress = GradientBuckets.Progress(buckets)
        do {
            try fill(vector.buffer) { range in for bucket in progress.finish(range) { close(bucket) } }
        } catch {
            // The job ends, and no thread may call MPI before the exchanging one has left it.
            driver.stop()
            throw error
        }
        for bucket in progress.unfinished { close(bucket) }
        spare += chain.dropFirst()
        pending = [(replicas.count, chain[0])]
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
        if mode == .allreduce {
            try communicator.sum(sum.buffer)
            return sum.buffer
        }
        if bucketwise == nil {
            let (buckets, driver) = try bucketDriver(.off, nil, nil)
            bucketwise = (buckets, driver)
            driver.begin(sum.buffer)
            for bucket in buckets.buckets.indices { driver.submit(bucket) }
        }
        try bucketwise?.driver.wait()
        return sum.buffer
    }

    /// Makes one addition of the tree for some of the values: a ← a + b.
    private func add(_ b: VectorStorage, to a: VectorStorage, _ range: Range<Int>) {
        let rounded = range.clamped(to: 0..<gradients)
        let exact = range.clamped(to: gradients..<count)
        exchange.add(b.buffer[part: rounded], to: a.buffer[part: rounded])
        GradientExchange.float32.add(b.buffer[part: exact], to: a.buffer[part: exact])
    }
}
