// The sum over ranks, bucket by bucket, without ever waiting.
//
// A bucket goes through two rounds of messages. In the first, each rank collects all ranks' values for its slice of the
// bucket, and adds them up in the tree's order; in the second, all ranks share the slices. Some buckets travel at a
// time, the next ones wait in line: the earlier a bucket, the earlier it is done.

import MPI

/// Carries the buckets of one vector after another; moves on in `advance`, and at no other time.
final class BucketExchange {
    private let rank: Int
    private let ranks: Int
    private let messenger: any Messenger
    private let buckets: [GradientBuckets.Bucket]
    private let exchange: GradientExchange
    private var vector: FloatBuffer?
    /// By bucket.
    private var isReady: [Bool]
    private var started = 0
    private var active: [Active] = []
    private var lanes: [Lane]

    /// Buckets that travel at the same time: while one waits for an answer, others fill the line.
    static let window = 4

    private struct Active {
        let bucket: Int
        let lane: Lane
        var isSharing = false
        var transfer: any Transfer
    }

    /// Memory for a bucket that travels.
    private final class Lane {
        /// Everybody's values for this rank's slice, by rank.
        let values: VectorStorage
        /// As they arrive, and the bucket as it leaves, in two bytes each.
        let received: BFloat16Buffer
        let bucket: BFloat16Buffer

        init(largest: Int, ranks: Int, exchange: GradientExchange) {
            values = VectorStorage(largest + ranks)
            let packed = exchange == .bfloat16 ? largest + ranks : 0
            received = .allocate(capacity: packed)
            bucket = .allocate(capacity: packed)
            received.initialize(repeating: 0)
            bucket.initialize(repeating: 0)
        }

        deinit {
            received.deallocate()
            bucket.deallocate()
        }
    }

    init(
        _ buckets: GradientBuckets, exchange: GradientExchange, communicator: any Communicator,
        messenger: any Messenger
    ) {
        rank = communicator.rank
        ranks = communicator.size
        self.messenger = messenger
        self.buckets = buckets.buckets
        self.exchange = exchange
        isReady = Array(repeating: false, count: buckets.buckets.count)
        started = isReady.count
        let largest = buckets.buckets.map(\.range.count).max() ?? 0
        lanes = (0..<Self.window).map { _ in
            Lane(largest: largest, ranks: communicator.size, exchange: exchange)
        }
    }

    /// Begins with a vector, none of whose buckets is ready.
    func begin(_ vector: FloatBuffer) {
        precondition(isComplete, "the vector before is still on its way")
        self.vector = vector
        started = 0
        for bucket in isReady.indices { isReady[bucket] = false }
    }

    /// This rank's values of a bucket are final; nobody else touches them until all is complete.
    func submit(_ bucket: Int) { isReady[bucket] = true }

    /// Whether nothing is on its way, nor could be.
    var isIdle: Bool { active.isEmpty && !canStart }
    /// Whether all buckets are summed, on this rank.
    var isComplete: Bool { active.isEmpty && started == buckets.count }

    /// All ranks start buckets in the same order: otherwise each could wait for one that another has not begun.
    private var canStart: Bool { started < buckets.count && isReady[started] && !lanes.isEmpty }

    /// Takes the next steps that are possible at once; whether there was one.
    func advance() throws(MPIError) -> Bool {
        var hasMoved = false
        while canStart {
            active.append(try collect(started))
            started += 1
            hasMoved = true
        }
        var place = 0
        while place < active.count {
            guard try active[place].transfer.isDone() else {
                place += 1
                continue
            }
            hasMoved = true
            if active[place].isSharing {
                let done = active.remove(at: place)
                receive(done)
                lanes.append(done.lane)
            } else {
                addUp(active[place])
                active[place].transfer = try share(active[place])
                active[place].isSharing = true
                place += 1
            }
        }
        return hasMoved
    }

    // MARK: - A bucket's way

    /// Starts the first round: everybody's values of my slice to me.
    private func collect(_ bucket: Int) throws(MPIError) -> Active {
        let lane = lanes.removeLast()
        let own = slice(bucket, of: rank).count
        if isPacked(bucket) { GradientExchange.pack(values(bucket), into: packed(bucket, lane)) }
        var sends: [Message] = []
        var receives: [Message] = []
        for other in others {
            let place = other * own..<(other + 1) * own
            let inbox =
                isPacked(bucket)
                ? UnsafeMutableRawBufferPointer(lane.received[part: place])
                : UnsafeMutableRawBufferPointer(lane.values.buffer[part: place])
            append(Message(rank: other, bytes: inbox), to: &receives)
            append(Message(rank: other, bytes: bytes(bucket, of: other, lane)), to: &sends)
        }
        return Active(
            bucket: bucket, lane: lane,
            transfer: try messenger.start(sends: sends, receives: receives, tag: 2 * bucket))
    }

    /// Adds up my slice.
    private func addUp(_ active: Active) {
        guard let vector else { return }
        let slice = slice(active.bucket, of: rank)
        let all = active.lane.values.buffer[part: 0..<ranks * slice.count]
        let isPacked = isPacked(active.bucket)
        if isPacked { GradientExchange.unpack(active.lane.received[part: 0..<ranks * slice.count], into: all) }
        let own = vector[part: slice]
        _ = all[part: rank * slice.count..<(rank + 1) * slice.count].update(fromContentsOf: own)
        (isPacked ? exchange : .float32).addUp(all, ranks: ranks)
        _ = own.update(fromContentsOf: all[part: 0..<slice.count])
        if isPacked {
            let start = slice.lowerBound - buckets[active.bucket].range.lowerBound
            GradientExchange.pack(own, into: active.lane.bucket[part: start..<start + slice.count])
        }
    }

    /// Starts the second round: my slice to everybody.
    private func share(_ active: Active) throws(MPIError) -> any Transfer {
        var sends: [Message] = []
        var receives: [Message] = []
        for other in others {
            append(Message(rank: other, bytes: bytes(active.bucket, of: rank, active.lane)), to: &sends)
            append(Message(rank: other, bytes: bytes(active.bucket, of: other, active.lane)), to: &receives)
        }
        return try messenger.start(sends: sends, receives: receives, tag: 2 * active.bucket + 1)
    }

    private func receive(_ done: Active) {
        guard isPacked(done.bucket) else { return }
        GradientExchange.unpack(packed(done.bucket, done.lane), into: values(done.bucket))
    }

    // MARK: - Places

    /// Each rank begins with its neighbour, so that not all send to the same one.
    private var others: [Int] { (1..<ranks).map { (rank + $0) % ranks } }

    /// Small vectors have slices without values.
    private func append(_ message: Message, to messages: inout [Message]) {
        if !message.bytes.isEmpty { messages.append(message) }
    }

    private func isPacked(_ bucket: Int) -> Bool { exchange == .bfloat16 && buckets[bucket].isGradient }

    private func slice(_ bucket: Int, of rank: Int) -> Range<Int> {
        GradientBuckets.slice(of: buckets[bucket].range, rank: rank, ranks: ranks)
    }

    private func values(_ bucket: Int) -> FloatBuffer {
        guard let vector else { preconditionFailure("no vector to exchange") }
        return vector[part: buckets[bucket].range]
    }

    private func packed(_ bucket: Int, _ lane: Lane) -> BFloat16Buffer {
        lane.bucket[part: 0..<buckets[bucket].range.count]
    }

    /// Where a rank's slice of a bucket is sent from, and received.
    private func bytes(_ bucket: Int, of rank: Int, _ lane: Lane) -> UnsafeMutableRawBufferPointer {
        let slice = slice(bucket, of: rank)
        let start = slice.lowerBound - buckets[bucket].range.lowerBound
        let place = start..<start + slice.count
        return isPacked(bucket)
            ? UnsafeMutableRawBufferPointer(packed(bucket, lane)[part: place])
            : UnsafeMutableRawBufferPointer(values(bucket)[part: place])
    }
}
