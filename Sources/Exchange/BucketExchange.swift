// The sum over ranks, bucket by bucket, without ever waiting.
//
// A bucket goes through two phases. In the first, each rank collects all ranks' values for its slice of the bucket, and
// adds them up in the tree's order; in the second, all ranks share the slices. Both phases go on at the same time, for
// different buckets: the earlier a bucket, the earlier it is done.

import MPI

/// An exchange of the buckets of one vector after another; it moves on in `advance`, and at no other time.
final class BucketExchange {
    private let rank: Int
    private let ranks: Int
    private let messenger: any Messenger
    private let buckets: [GradientBuckets.Bucket]
    private let exchange: GradientExchange
    private var vector: FloatBuffer?
    /// Whether each bucket's values are final.
    private var isReady: [Bool]
    /// The number of first buckets that may be collected.
    private var collectable: Int
    /// The number of first buckets of which this rank has added up its slice.
    private var shareable = 0
    private let collecting: ExchangeRounds
    private let sharing: ExchangeRounds
    /// The values of all ranks for this rank's slices, bucket by bucket, by rank.
    private let values: VectorStorage
    /// The values in two bytes each, as they arrive.
    private let received: BFloat16Buffer
    /// The buckets in two bytes per value, as they leave.
    private let leaving: BFloat16Buffer
    /// The index in these buffers where each bucket begins.
    private let places: [Int]

    /// - Parameter window: See `ExchangeRounds`.
    init(
        _ buckets: GradientBuckets, exchange: GradientExchange, communicator: any Communicator,
        messenger: any Messenger, window: Int
    ) {
        rank = communicator.rank
        ranks = communicator.size
        self.messenger = messenger
        self.buckets = buckets.buckets
        self.exchange = exchange
        isReady = Array(repeating: false, count: buckets.buckets.count)
        collectable = isReady.count
        let bytes = buckets.buckets.map { exchange == .bfloat16 && $0.isGradient ? 2 : 4 }
        func rounds() -> ExchangeRounds {
            ExchangeRounds(buckets.buckets, bytesPerValue: bytes, ranks: communicator.size, window: window)
        }
        (collecting, sharing) = (rounds(), rounds())
        var places: [Int] = []
        var total = 0
        for bucket in buckets.buckets {
            places.append(total)
            // The slices of all ranks may be longer than this rank's by one.
            total += bucket.range.count + communicator.size
        }
        self.places = places
        values = VectorStorage(total)
        let packed = exchange == .bfloat16 ? total : 0
        received = .allocate(capacity: packed)
        leaving = .allocate(capacity: packed)
        received.initialize(repeating: 0)
        leaving.initialize(repeating: 0)
    }

    deinit {
        received.deallocate()
        leaving.deallocate()
    }

    /// Begins with a vector, none of whose buckets is ready.
    func begin(_ vector: FloatBuffer) {
        precondition(isComplete, "the vector before is still on its way")
        self.vector = vector
        (collectable, shareable) = (0, 0)
        for bucket in isReady.indices { isReady[bucket] = false }
        collecting.begin()
        sharing.begin()
    }

    /// Takes note that this rank's values of a bucket are final; nobody else touches them until all is complete.
    func submit(_ bucket: Int) { isReady[bucket] = true }

    /// Whether nothing is on its way, nor could be.
    var isIdle: Bool { collecting.isIdle && sharing.isIdle && !hasNext }
    /// Whether all buckets are summed, on this rank.
    var isComplete: Bool { collecting.isComplete && sharing.isComplete }

    /// All ranks start buckets in the same order: otherwise each could wait for one that another has not begun.
    private var hasNext: Bool { collectable < buckets.count && isReady[collectable] }

    /// Takes the next steps that are possible at once.
    ///
    /// - Returns: Whether there was one.
    func advance() throws(MPIError) -> Bool {
        while hasNext {
            if isPacked(collectable) { GradientExchange.pack(values(collectable), into: packed(collectable)) }
            collectable += 1
        }
        let hasCollected = try collecting.advance(limit: collectable, start: collect) { bucket in
            addUp(bucket)
            shareable = bucket + 1
        }
        let hasShared = try sharing.advance(limit: shareable, start: share) { bucket in
            if isPacked(bucket) { GradientExchange.unpack(packed(bucket), into: values(bucket)) }
        }
        return hasCollected || hasShared
    }

    // MARK: - A bucket's way

    /// A step of the first phase: this rank's values of another's slice to that rank, and values of its own slice from
    /// another.
    private func collect(_ step: ExchangeRounds.Step) throws(MPIError) -> (any Transfer)? {
        let (to, from) = neighbours(step)
        let own = slice(step.bucket, of: rank).count
        let piece = GradientBuckets.slice(of: 0..<own, rank: step.piece, ranks: step.pieces)
        let first = places[step.bucket] + from * own
        let place = first + piece.lowerBound..<first + piece.upperBound
        let inbox =
            isPacked(step.bucket)
            ? UnsafeMutableRawBufferPointer(received[part: place])
            : UnsafeMutableRawBufferPointer(values.buffer[part: place])
        return try start(step, phase: 0, send: (bytes(step, of: to), to), receive: (inbox, from))
    }

    /// Adds up this rank's slice of a bucket.
    private func addUp(_ bucket: Int) {
        guard let vector else { return }
        let slice = slice(bucket, of: rank)
        let place = places[bucket]..<places[bucket] + ranks * slice.count
        let all = values.buffer[part: place]
        let isPacked = isPacked(bucket)
        if isPacked { GradientExchange.unpack(received[part: place], into: all) }
        let own = vector[part: slice]
        _ = all[part: rank * slice.count..<(rank + 1) * slice.count].update(fromContentsOf: own)
        (isPacked ? exchange : .float32).addUp(all, ranks: ranks)
        _ = own.update(fromContentsOf: all[part: 0..<slice.count])
        if isPacked {
            let start = slice.lowerBound - buckets[bucket].range.lowerBound
            GradientExchange.pack(own, into: packed(bucket)[part: start..<start + slice.count])
        }
    }

    /// A step of the second phase: this rank's slice to another, and another's to this rank.
    private func share(_ step: ExchangeRounds.Step) throws(MPIError) -> (any Transfer)? {
        let (to, from) = neighbours(step)
        return try start(step, phase: 1, send: (bytes(step, of: rank), to), receive: (bytes(step, of: from), from))
    }

    private func start(
        _ step: ExchangeRounds.Step, phase: Int, send: (bytes: UnsafeMutableRawBufferPointer, rank: Int),
        receive: (bytes: UnsafeMutableRawBufferPointer, rank: Int)
    ) throws(MPIError) -> (any Transfer)? {
        // Small vectors have slices without values.
        if send.bytes.isEmpty && receive.bytes.isEmpty { return nil }
        return try messenger.start(
            sends: send.bytes.isEmpty ? [] : [Message(rank: send.rank, bytes: send.bytes)],
            receives: receive.bytes.isEmpty ? [] : [Message(rank: receive.rank, bytes: receive.bytes)],
            tag: 2 * step.bucket + phase)
    }

    // MARK: - Places

    private func neighbours(_ step: ExchangeRounds.Step) -> (to: Int, from: Int) {
        ((rank + step.distance) % ranks, (rank + ranks - step.distance) % ranks)
    }

    private func isPacked(_ bucket: Int) -> Bool { exchange == .bfloat16 && buckets[bucket].isGradient }

    private func slice(_ bucket: Int, of rank: Int) -> Range<Int> {
        GradientBuckets.slice(of: buckets[bucket].range, rank: rank, ranks: ranks)
    }

    private func values(_ bucket: Int) -> FloatBuffer {
        guard let vector else { preconditionFailure("no vector to exchange") }
        return vector[part: buckets[bucket].range]
    }

    private func packed(_ bucket: Int) -> BFloat16Buffer {
        leaving[part: places[bucket]..<places[bucket] + buckets[bucket].range.count]
    }

    /// The memory from which a piece of a rank's slice of a bucket is sent, and into which it is received.
    private func bytes(_ step: ExchangeRounds.Step, of rank: Int) -> UnsafeMutableRawBufferPointer {
        let slice = GradientBuckets.slice(of: slice(step.bucket, of: rank), rank: step.piece, ranks: step.pieces)
        let start = slice.lowerBound - buckets[step.bucket].range.lowerBound
        let place = start..<start + slice.count
        return isPacked(step.bucket)
            ? UnsafeMutableRawBufferPointer(packed(step.bucket)[part: place])
            : UnsafeMutableRawBufferPointer(values(step.bucket)[part: place])
    }
}
