/// The clocks of all ranks at one time.
public struct ClockAlignment: Hashable, Sendable {
    /// The time of the measurement by each rank's own clock, in nanoseconds.
    public var times: [Int]
    /// The time by which each rank's clock is ahead of rank 0's, in nanoseconds.
    public var offsets: [Int]
    /// The uncertainty of each offset, in nanoseconds.
    public var errors: [Int]

    /// Creates an alignment from measurements, one for each rank.
    public init(times: [Int], offsets: [Int], errors: [Int]) {
        self.times = times
        self.offsets = offsets
        self.errors = errors
    }
}

/// A rank's clock in rank 0's time, from two measurements: in between the difference is taken to change evenly.
public struct AlignedClock {
    private let begin: (time: Int, offset: Int)
    private let end: (time: Int, offset: Int)

    /// Creates the clock of a rank between two measurements.
    public init(rank: Int, _ begin: ClockAlignment, _ end: ClockAlignment) {
        self.begin = (begin.times[rank], begin.offsets[rank])
        self.end = (end.times[rank], end.offsets[rank])
    }

    /// A time of the rank's clock in rank 0's time, in nanoseconds.
    public func aligned(_ time: Int) -> Int {
        let span = Double(end.time - begin.time)
        let part = span > 0 ? Double(time - begin.time) / span : 0
        return time - begin.offset - Int((Double(end.offset - begin.offset) * part).rounded())
    }
}
