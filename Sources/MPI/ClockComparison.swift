#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How far a rank's clock is ahead of rank 0's.
public struct ClockOffset: Hashable, Sendable, Codable {
    /// Seconds; the truth lies within `uncertainty` of it.
    public var seconds: Double
    public var uncertainty: Double

    public init(seconds: Double, uncertainty: Double) {
        self.seconds = seconds
        self.uncertainty = uncertainty
    }

    /// - Parameters:
    ///   - arriving: The least difference, in ns, between this rank's clock when it had rank 0's time and that time:
    ///   the offset and some delay.
    ///   - returning: The same between rank 0's clock when it had this rank's time and that time: some delay less the
    ///     offset.
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
    ///   - rounds: At least 1.
    ///   - clock: What is compared, in ns; by default the time of day.
    /// - Throws: `MPIError`.
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

/// The time of day, in ns.
public func wallClock() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
