import MPI
import Runs

extension ClockAlignment {
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
