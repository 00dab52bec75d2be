// How far the ranks' clocks are apart, from barriers alone.
//
// Nobody leaves a barrier before all have entered it. So where rank r's clock is ahead of rank 0's by x, of every barrier
//
//     entered(r) - left(0)  <=  x  <=  left(r) - entered(0)
//
// Many barriers give many such bounds; the narrowest on either side enclose x.

import MPI

/// The clocks of all ranks at one time.
struct ClockAlignment: Hashable, Sendable {
    /// When it was measured, by each rank's own clock, in nanoseconds.
    let times: [Int64]
    /// How far each rank's clock is ahead of rank 0's, in nanoseconds.
    let offsets: [Double]
    /// Half the width of the bounds of each, in nanoseconds.
    let errors: [Double]

    /// - Parameters:
    ///   - entered: By rank and barrier.
    ///   - left: By rank and barrier.
    init(entered: [[Int64]], left: [[Int64]]) {
        times = entered.map { $0.last ?? 0 }
        let bounds = entered.indices.map { rank in
            let lower = zip(entered[rank], left[0]).map { $0 - $1 }.max() ?? 0
            let upper = zip(left[rank], entered[0]).map { $0 - $1 }.min() ?? 0
            return rank == 0 ? (0.0, 0.0) : (Double(lower), Double(upper))
        }
        offsets = bounds.map { ($0.0 + $0.1) / 2 }
        errors = bounds.map { ($0.1 - $0.0) / 2 }
    }

    private static let barriers = 32

    /// Measures the clocks of all ranks; every rank calls it.
    ///
    /// - Parameter now: This rank's clock, in nanoseconds.
    /// - Throws: `MPIError`.
    static func measure(_ communicator: any Communicator, now: () -> Int64) throws -> ClockAlignment {
        var own: [Int64] = []
        for _ in 0..<barriers {
            own.append(now())
            try communicator.barrier()
            own.append(now())
        }
        let bytes = own.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        let all = try communicator.gather(bytes).map { part in
            stride(from: 0, to: part.count, by: 8).map { start in
                Int64(bitPattern: (0..<8).reduce(UInt64(0)) { $0 | UInt64(part[start + $1]) << (8 * UInt64($1)) })
            }
        }
        func every(_ first: Int) -> [[Int64]] {
            all.map { values in stride(from: first, to: values.count, by: 2).map { values[$0] } }
        }
        return ClockAlignment(entered: every(0), left: every(1))
    }
}

/// A rank's clock told in rank 0's time, from two measurements: clocks run apart evenly in between.
struct AlignedClock {
    private let begin: (time: Int64, offset: Double)
    private let end: (time: Int64, offset: Double)

    init(rank: Int, _ begin: ClockAlignment, _ end: ClockAlignment) {
        self.begin = (begin.times[rank], begin.offsets[rank])
        self.end = (end.times[rank], end.offsets[rank])
    }

    /// Nanoseconds by rank 0's clock.
    func aligned(_ time: Int64) -> Int64 {
        let span = Double(end.time - begin.time)
        let part = span > 0 ? Double(time - begin.time) / span : 0
        return time - Int64((begin.offset + (end.offset - begin.offset) * part).rounded())
    }
}
