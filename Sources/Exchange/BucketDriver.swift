import Foundation
import MPI

/// The times at which gradients are exchanged.
public enum OverlapMode: String, Codable, CaseIterable, Sendable {
    /// Gradients are exchanged after the backward pass.
    case off
    /// Gradients are exchanged during the backward pass, by a thread that sleeps most of the time.
    case thread
    /// Gradients are exchanged during the backward pass, whenever a block of layers is finished, by the thread that
    /// computes.
    case poll
}

/// A driver of a `BucketExchange`: it decides when the exchange moves on.
protocol BucketDriver: AnyObject {
    /// Begins with a new vector, none of whose buckets is ready.
    func begin(_ vector: FloatBuffer)
    /// Takes note that this rank's values of a bucket are final.
    func submit(_ bucket: Int)
    /// Returns when all buckets are summed.
    func wait() throws(MPIError)
    /// Ends at once, whatever is on its way.
    func stop()
}

/// A driver in the calling thread: it moves buckets on when one is submitted, or only in the end.
final class PollingDriver: BucketDriver {
    private let exchange: BucketExchange
    private let isEager: Bool
    private var failure: MPIError?

    init(_ exchange: BucketExchange, isEager: Bool) {
        self.exchange = exchange
        self.isEager = isEager
    }

    func begin(_ vector: FloatBuffer) { if failure == nil { exchange.begin(vector) } }

    func submit(_ bucket: Int) {
        guard failure == nil else { return }
        exchange.submit(bucket)
        guard isEager else { return }
        do { while try exchange.advance() {} } catch { failure = error }
    }

    func wait() throws(MPIError) {
        if let failure { throw failure }
        var pause = Pause.awaited
        while !exchange.isComplete {
            if try exchange.advance() { pause = .awaited } else { pause.take() }
        }
    }

    func stop() {}
}

/// The time between two looks at messages on their way: it grows while nothing moves, so that the core computes.
struct Pause {
    private var seconds: Double
    private let longest: Double
    private var yields: Int

    /// The pauses of somebody who is waited for: the core is free, but other ranks may want it.
    static let awaited = Pause(seconds: 20e-6, longest: 100e-6, yields: 100)
    /// The pauses while everybody computes.
    static let patient = Pause(seconds: 50e-6, longest: 400e-6, yields: 0)

    mutating func take() {
        if yields > 0 {
            yields -= 1
            sched_yield()
        } else {
            Thread.sleep(forTimeInterval: seconds)
            seconds = min(longest, 1.5 * seconds)
        }
    }
}
