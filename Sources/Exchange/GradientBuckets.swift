/// A vector cut into pieces that are summed over the ranks one by one, in the order in which a backward pass finishes
/// them: while it goes on, the first are on their way.
public struct GradientBuckets {
    /// A contiguous piece of the vector.
    struct Bucket: Hashable {
        let range: Range<Int>
        /// Whether the values are gradients. Others travel beside them (statistics, the loss's terms) and are never
        /// rounded.
        let isGradient: Bool
    }

    let buckets: [Bucket]

    /// The size of a bucket in bytes: large enough to be worth its messages, one to and from every other rank, and so
    /// small that little is left to do when the backward pass ends.
    public static func bytes(ranks: Int) -> Int { max(1 << 20, ranks << 14) }

    /// Cuts a vector.
    ///
    /// - Parameters:
    ///   - order: Ranges that together are the vector, in the order in which they are finished.
    ///   - gradients: The number of the vector's first values that are gradients.
    ///   - bytes: The size of a bucket, approximately; parts are joined up to a quarter of it.
    /// - Precondition: The ranges are the whole vector.
    public init(order: [Range<Int>], gradients: Int, bytes: Int) {
        let sorted = order.sorted { $0.lowerBound < $1.lowerBound }
        precondition(
            sorted.first?.lowerBound == 0
                && zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound },
            "\(order) is not a whole vector")
        let limit = max(1, bytes / MemoryLayout<Float>.size)
        var joined: [Range<Int>] = []
        for part in order {
            if let last = joined.last, last.count + part.count <= max(1, limit / 4),
                part.upperBound == last.lowerBound || last.upperBound == part.lowerBound,
                (part.lowerBound < gradients) == (last.lowerBound < gradients)
            {
                let lower = min(part.lowerBound, last.lowerBound)
                joined[joined.count - 1] = lower..<lower + last.count + part.count
            } else {
                joined.append(part)
            }
        }
        buckets = joined.flatMap { range -> [Bucket] in
            let pieces = max(1, (range.count + limit - 1) / limit)
            return (0..<pieces).map { piece in
                Bucket(
                    range: Self.slice(of: range, rank: piece, ranks: pieces), isGradient: range.lowerBound < gradients)
            }
        }
    }

    /// A rank's share of a range, such as the part of a bucket that it adds up: contiguous, in the ranks' order, and as
    /// large as the others' but for 1.
    public static func slice(of range: Range<Int>, rank: Int, ranks: Int) -> Range<Int> {
        let start = range.lowerBound + rank * range.count / ranks
        let end = range.lowerBound + (rank + 1) * range.count / ranks
        return start..<end
    }

    /// The buckets that a backward pass has finished.
    struct Progress {
        private let buckets: [Bucket]
        private var missing: [Int]

        init(_ buckets: GradientBuckets) {
            self.buckets = buckets.buckets
            missing = buckets.buckets.map(\.range.count)
        }

        /// Takes note of values that are final; returns the buckets that are thereby whole.
        mutating func finish(_ range: Range<Int>) -> [Int] {
            buckets.indices.filter { index in
                let count = buckets[index].range.clamped(to: range).count
                missing[index] -= count
                precondition(missing[index] >= 0, "a part of \(range) was finished twice")
                return count > 0 && missing[index] == 0
            }
        }

        /// The buckets some of whose values were not reported.
        var unfinished: [Int] { missing.indices.filter { missing[$0] > 0 } }
    }
}
