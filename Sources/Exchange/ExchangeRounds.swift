// Who sends what to whom next.
//
// In a round each rank sends to one other and receives from one other: to its neighbour first, then to the one behind,
// and so on. Links are full in both directions, and nobody's link is shared by several senders, whose packets the
// switch in front of it would drop. Messages are cut into pieces that MPI sends without asking their receiver first:
// the answer would wait in line behind whatever the receiver is sending on the same connection, and one direction stand
// still.

import MPI

/// The messages of all buckets for one of the two phases, in an order that all ranks keep, a few under way at a time.
final class ExchangeRounds {
    /// A piece to one rank and one from another; all ranks have the same steps.
    struct Step {
        let bucket: Int
        /// The distance to the receiver ahead, and to the sender behind.
        let distance: Int
        /// The index of the piece in its slice.
        let piece: Int
        /// The number of pieces of the slice.
        let pieces: Int
        /// Whether the bucket ends with this step.
        let isLast: Bool
    }

    /// The size of a piece in bytes: Open MPI asks before it sends more than 65,536 over TCP, its own header included.
    static let pieceBytes = 65_000

    private let steps: [Step]
    private let window: Int
    private var started = 0
    /// The transfers in the order in which they were started; nil where a step had nothing to send and to receive.
    private var underWay: [(any Transfer)?] = []

    /// Lists the steps of all buckets.
    ///
    /// - Parameters:
    ///   - bytesPerValue: The size of a value, by bucket.
    ///   - window: The number of steps under way at a time.
    init(_ buckets: [GradientBuckets.Bucket], bytesPerValue: [Int], ranks: Int, window: Int) {
        steps = buckets.indices.flatMap { bucket -> [Step] in
            let slice = (buckets[bucket].range.count + ranks - 1) / ranks * bytesPerValue[bucket]
            let pieces = max(1, (slice + Self.pieceBytes - 1) / Self.pieceBytes)
            return (1..<ranks).flatMap { distance in
                (0..<pieces).map {
                    Step(
                        bucket: bucket, distance: distance, piece: $0, pieces: pieces,
                        isLast: distance == ranks - 1 && $0 == pieces - 1)
                }
            }
        }
        self.window = window
        started = steps.count
    }

    func begin() { started = 0 }

    var isIdle: Bool { underWay.isEmpty }
    var isComplete: Bool { underWay.isEmpty && started == steps.count }

    /// Takes note of what has arrived and starts what may start.
    ///
    /// All ranks take the same steps in the same order, and so none waits for a step that another takes later.
    ///
    /// - Parameters:
    ///   - limit: The number of first buckets that may be under way.
    ///   - start: Starts a step's messages.
    ///   - finish: Learns of a bucket whose steps are all done.
    /// - Returns: Whether there was anything.
    func advance(
        limit: Int, start: (Step) throws(MPIError) -> (any Transfer)?, finish: (_ bucket: Int) throws(MPIError) -> Void
    ) throws(MPIError) -> Bool {
        var hasMoved = false
        while true {
            while underWay.count < window, started < steps.count, steps[started].bucket < limit {
                underWay.append(try start(steps[started]))
                started += 1
                hasMoved = true
            }
            guard let first = underWay.first, try first?.isDone() ?? true else { return hasMoved }
            let step = steps[started - underWay.count]
            underWay.removeFirst()
            hasMoved = true
            if step.isLast { try finish(step.bucket) }
        }
    }

    /// The number of steps under way: enough to fill a link of 10 Gbit/s for as long as a message travels, so few that
    /// ranks which are ahead of others do not crowd their links, and four at least, since nobody looks all the time.
    ///
    /// Collective.
    static func window(over communicator: any Communicator) throws(MPIError) -> Int {
        // Several barriers in a row, since a rank that comes late to one does not wait; and the shortest of three rows,
        // since ranks may have other things to do.
        let row = 4
        var shortest = Duration.seconds(1)
        try communicator.barrier()
        for _ in 0..<3 {
            let start = ContinuousClock.now
            for _ in 0..<row { try communicator.barrier() }
            shortest = min(shortest, start.duration(to: .now) / row)
        }
        // A barrier takes as many messages, one after another, as the number of ranks can be halved.
        let hops = max(1, Int.bitWidth - (communicator.size - 1).leadingZeroBitCount)
        var seconds = [shortest / .seconds(1) / Double(hops)]
        try communicator.maximum(&seconds)
        return min(512, max(4, Int(seconds[0] * 1.25e9 / Double(pieceBytes))))
    }
}
