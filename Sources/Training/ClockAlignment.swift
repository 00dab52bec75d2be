import MPI

/// The clocks of all ranks at one time.
struct ClockAlignment: Hashable, Sendable {
    /// When it was measured, by each rank's own clock, in nanoseconds.
    var times: [Int]
    /// How far each rank's clock is ahead of rank 0's, in nanoseconds.
    var offsets: [Int]
    /// Within what each offset is known, in nanoseconds.
    var errors: [Int]

    init(times: [Int], offsets: [Int], errors: [Int]) {
        self.times = times
        self.offsets = offsets
        self.errors = errors
    }

    /// Measures the clocks of all ranks; every rank calls it.
    ///
    /// - Parameter now: This rank's clock, in nanoseconds.
    /// - Throws: `MPIError`.
    init(_ communicator: any Communicator, now: () -> Int) throws(MPIError) {
        let own = try communicator.clockOffset(clock: now)
        let nanoseconds = [own.seconds, own.uncertainty].map { Int(($0 * 1e9).rounded()) }
        let all = try communicator.gather(numbers: [now()] + nanoseconds)
        self.init(times: all.map { $0[0] }, offsets: all.map { $0[1] }, errors: all.map { $0[2] })
    }
}

/// A rank's clock told in rank 0's time, from two measurements: clocks run apart evenly in between.
struct AlignedClock {
    private let begin: (time: Int, offset: Int)
    private let end: (time: Int, offset: Int)

    init(rank: Int, _ begin: ClockAlignment, _ end: ClockAlignment) {
        self.begin = (begin.times[rank], begin.offsets[rank])
        self.end = (end.times[rank], end.offsets[rank])
    }

    /// Nanoseconds by rank 0's clock.
    func aligned(_ time: Int) -> Int {
        let span = Double(end.time - begin.time)
        let part = span > 0 ? Double(time - begin.time) / span : 0
        return time - begin.offset - Int((Double(end.offset - begin.offset) * part).rounded())
    }
}
