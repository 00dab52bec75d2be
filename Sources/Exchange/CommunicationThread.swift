import Foundation
import MPI

/// A driver with a thread of its own that moves buckets on while the caller computes.
///
/// A blocking call of MPI spins, and would take a core from the backward pass. This thread looks whether something has
/// arrived, does what follows from it, and sleeps; without buckets on their way it sleeps until there are some. Between
/// `submit` and the end of `wait` no other thread calls MPI.
final class CommunicationThread: BucketDriver, @unchecked Sendable {
    /// The exchange, used by the thread alone from `begin` to the end of `wait`.
    private let exchange: BucketExchange
    private let condition = NSCondition()
    // All below are guarded by `condition`.
    private var submitted: [Int] = []
    private var isAwaited = false
    private var isComplete = true
    private var isStopping = false
    private var isEnded = false
    private var failure: MPIError?

    init(_ exchange: BucketExchange) {
        self.exchange = exchange
        let thread = Thread { [self] in
            serve()
            condition.withLock {
                isEnded = true
                condition.broadcast()
            }
        }
        thread.name = "reduction"
        thread.start()
    }

    func begin(_ vector: FloatBuffer) {
        condition.withLock {
            guard failure == nil else { return }
            precondition(isComplete, "the vector before is still on its way")
            exchange.begin(vector)
            isComplete = false
        }
    }

    func submit(_ bucket: Int) {
        condition.withLock {
            submitted.append(bucket)
            condition.broadcast()
        }
    }

    func wait() throws(MPIError) {
        condition.lock()
        defer { condition.unlock() }
        isAwaited = true
        while !isComplete && failure == nil { condition.wait() }
        isAwaited = false
        if let failure { throw failure }
    }

    func stop() {
        condition.lock()
        defer { condition.unlock() }
        isStopping = true
        condition.broadcast()
        while !isEnded { condition.wait() }
    }

    /// Lives the thread's life: takes note of buckets, moves them on, sleeps.
    private func serve() {
        var pause = Pause.patient
        var wasAwaited = false
        while let (buckets, isAwaited) = nextWork() {
            for bucket in buckets { exchange.submit(bucket) }
            let hasMoved: Bool
            do { hasMoved = try exchange.advance() } catch {
                fail(error)
                return
            }
            if exchange.isComplete { complete() }
            if hasMoved || isAwaited != wasAwaited { pause = isAwaited ? .awaited : .patient }
            wasAwaited = isAwaited
            if !hasMoved { pause.take() }
        }
    }

    /// The next buckets that were submitted; waits while there is nothing to do. Nil at the end.
    private func nextWork() -> (submitted: [Int], isAwaited: Bool)? {
        condition.lock()
        defer { condition.unlock() }
        while submitted.isEmpty && (isComplete || exchange.isIdle) && !isStopping { condition.wait() }
        guard !isStopping else { return nil }
        defer { submitted = [] }
        return (submitted, isAwaited)
    }

    private func complete() {
        condition.withLock {
            isComplete = true
            condition.broadcast()
        }
    }

    private func fail(_ error: MPIError) {
        condition.withLock {
            failure = error
            condition.broadcast()
        }
    }
}
