/// The clocks of all ranks at one time.
public struct ClockAlignment: Hashable, Sendable {
    /// When it was measured, by each rank's own clock, in nanoseconds.
    public var times: [Int]
    /// How far each rank's clock is ahead of rank 0's, in nanoseconds.
    public var offsets: [Int]
    /// Within what each offset is known, in nanoseconds.
    public var errors: [Int]

    /// Clocks that were measured.
    public init(times: [Int], offsets: [Int], errors: [Int]) {
        self.times = times
        self.offsets = offsets
        self.errors = errors
    }
}

/// A rank's clock told in rank 0's time, from two measurements: clocks run apart evenly in between.
public struct AlignedClock {
    private let begin: (time: Int, offset: Int)
    private let end: (time: Int, offset: Int)

    /// The clock of a rank between two measurements.
    public init(rank: Int, _ begin: ClockAlignment, _ end: ClockAlignment) {
        self.begin = (begin.times[rank], begin.offsets[rank])
        self.end = (end.times[rank], end.offsets[rank])
    }

    /// A time of the rank's clock by rank 0's, in nanoseconds.
    public func aligned(_ time: Int) -> Int {
        let span = Double(end.time - begin.time)
        let part = span > 0 ? Double(time - begin.time) / span : 0
        return time - begin.offset - Int((Double(end.offset - begin.offset) * part).rounded())
    }
}
