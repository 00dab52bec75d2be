#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The lead of a rank's clock over rank 0's, and how well it is known.
public struct ClockOffset: Hashable, Sendable, Codable {
    /// The offset, s: positive where this rank's clock is ahead. The truth lies within `uncertainty` of it.
    public var seconds: Double
    /// The largest error that `seconds` can have, s.
    public var uncertainty: Double

    /// Makes an offset from its two numbers, s.
    public init(seconds: Double, uncertainty: Double) {
        self.seconds = seconds
        self.uncertainty = uncertainty
    }

    /// Makes an offset from the tightest bounds on either side.
    ///
    /// - Parameters:
    ///   - arriving: The least difference, in ns, between this rank's clock when it had rank 0's time and that time:
    ///     the offset and some delay.
    ///   - returning: The least difference, in ns, between rank 0's clock when it had this rank's time and that time:
    ///     some delay less the offset.
    init(arriving: Int, returning: Int) {
        seconds = Double(arriving - returning) / 2e9
        uncertainty = Double(arriving + returning) / 2e9
    }
}

extension Communicator {
    /// Compares this rank's clock with rank 0's.
    ///
    /// In every round all ranks show one another their clocks. A time that one has read before another received it
    /// bounds the difference of their clocks, from either side; of all rounds the closest bounds count (as in NTP, D.
    /// Mills, RFC 5905, which takes the exchange with the least delay).
    ///
    /// - Parameters:
    ///   - rounds: How often the clocks are shown, at least once.
    ///   - clock: The clock, in ns; by default the time of day.
    /// - Throws: `MPIError` where a rank cannot be reached.
    public func clockOffset(
        rounds: Int = 50, clock: () -> Int = wallClock
    ) throws(MPIError) -> ClockOffset {
        var closest = [Int](repeating: .max, count: size)
        for _ in 0..<rounds {
            let times = try gather(numbers: [clock()])
            let now = clock()
            for (index, time) in times.enumerated() where rank == 0 || index == 0 {
                closest[index] = min(closest[index], now - time[0])
            }
        }
        let returning = try gather(numbers: rank == 0 ? closest : [])[0]
        return rank == 0
            ? ClockOffset(seconds: 0, uncertainty: 0) : ClockOffset(arriving: closest[0], returning: returning[rank])
    }
}

/// Returns the time of day, in ns since 1970.
public func wallClock() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
