// The place of a rank in its run: set by the thread that trains, read by those that watch it.

import Basics
import MPI
import Runs
import Synchronization

/// The place of a rank in its run, shared by its threads.
final class Whereabouts: Sendable {
    struct Place: Sendable {
        var phase = TrainingPhase.start
        var phaseBegan = ContinuousClock.now
        /// Completed steps.
        var step = 0
        /// Collective operations that were entered since the last step's end.
        var entered = 0
        /// Collective operations that were left since the last step's end.
        var left = 0
        /// A count of everything that gets done: a replica's pass, an operation of all ranks, a step, a crop, a tile.
        var progress = 0

        var isWaiting: Bool { entered > left }

        /// The time that the phase has lasted, in nanoseconds.
        var phaseNanoseconds: Int64 {
            let (seconds, attoseconds) = (ContinuousClock.now - phaseBegan).components
            return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        }
    }

    private struct State {
        var place = Place()
        var seconds: [TrainingPhase: Double] = [:]
    }

    private let state = Mutex(State())
    private let log = Mutex<SpanLog?>(nil)

    /// The timeline, where one is kept: for what is observed in other threads than the one that trains.
    var spans: SpanLog? {
        get { log.withLock { $0 } }
        set { log.withLock { $0 = newValue } }
    }

    var place: Place { state.withLock { $0.place } }

    /// Begins a phase, which lasts until the next one begins.
    func enter(_ phase: TrainingPhase) {
        let now = ContinuousClock.now
        state.withLock {
            $0.seconds[$0.place.phase, default: 0] += (now - $0.place.phaseBegan) / .seconds(1)
            $0.place.phase = phase
            $0.place.phaseBegan = now
            $0.place.progress += 1
        }
    }

    /// Ends a step. All ranks count their operations anew from there, since sites may differ in how many they make.
    func finish(step: Int) {
        state.withLock {
            $0.place.step = step
            $0.place.entered = 0
            $0.place.left = 0
            $0.place.progress += 1
        }
    }

    /// Notes that something got done within a phase.
    func progress() { state.withLock { $0.place.progress += 1 } }

    private func enterCollective() { state.withLock { $0.place.entered += 1 } }

    private func leaveCollective() {
        state.withLock {
            $0.place.left += 1
            $0.place.progress += 1
        }
    }

    /// Runs an operation that needs all ranks, whatever operations it is made of.
    func meeting<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        enterCollective()
        defer { leaveCollective() }
        return try body()
    }

    /// Seconds in each phase that has ended since the last call.
    func takeSeconds() -> [TrainingPhase: Double] {
        state.withLock { state in
            defer { state.seconds = [:] }
            return state.seconds
        }
    }
}

/// A communicator that notes when each collective operation is entered and left. Of ranks that wait for one another,
/// those that have entered fewer operations have not arrived.
final class ObservedCommunicator: Communicator {
    private let base: any Communicator
    private let whereabouts: Whereabouts
    private let messageName: (_ tag: Int) -> String

    /// - Parameter messageName: Names what travels with a messenger's tag, for the timeline.
    init(_ base: any Communicator, _ whereabouts: Whereabouts, messageName: @escaping (_ tag: Int) -> String) {
        self.base = base
        self.whereabouts = whereabouts
        self.messageName = messageName
    }

    var rank: Int { base.rank }
    var size: Int { base.size }
    var hostName: String { base.hostName }

    private func observed<Result>(_ body: () throws(MPIError) -> Result) throws(MPIError) -> Result {
        try whereabouts.meeting(body)
    }

    func barrier() throws(MPIError) { try observed { () throws(MPIError) in try base.barrier() } }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
        try observed { () throws(MPIError) in try base.broadcast(bytes, from: root) }
    }

    func sum(_ values: inout [Int]) throws(MPIError) {
        try observed { () throws(MPIError) in try base.sum(&values) }
    }

    func maximum(_ values: inout [Double]) throws(MPIError) {
        try observed { () throws(MPIError) in try base.maximum(&values) }
    }

    func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
        try observed { () throws(MPIError) in try base.sum(values) }
    }

    func gather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
        try observed { () throws(MPIError) in try base.gather(bytes) }
    }

    func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) throws(MPIError) {
        try observed { () throws(MPIError) in try base.share(values, parts: parts) }
    }

    func startSum(_ values: [Int]) throws(MPIError) -> any PendingSum {
        ObservedSum(try base.startSum(values), whereabouts)
    }

    func split(_ color: Int) throws(MPIError) -> any Communicator {
        ObservedCommunicator(
            try observed { () throws(MPIError) in try base.split(color) }, whereabouts, messageName: messageName)
    }

    /// A messenger whose messages do not count as operations, since they travel while their ranks do something else. A
    /// timeline shows them.
    func messenger() throws(MPIError) -> (any Messenger)? {
        let messenger = try observed { () throws(MPIError) in try base.messenger() }
        return messenger.map { ObservedMessenger($0, whereabouts, name: messageName) }
    }

    func abort(_ status: Int32) { base.abort(status) }
}

/// A sum whose wait is an operation of all ranks.
private final class ObservedSum: PendingSum {
    private let base: any PendingSum
    private let whereabouts: Whereabouts

    init(_ base: any PendingSum, _ whereabouts: Whereabouts) {
        self.base = base
        self.whereabouts = whereabouts
    }

    func advance() throws(MPIError) { try base.advance() }

    func wait() throws(MPIError) -> [Int] { try whereabouts.meeting { () throws(MPIError) in try base.wait() } }
}
