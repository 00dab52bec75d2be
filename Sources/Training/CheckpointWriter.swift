// Writing checkpoints while training goes on.

import Basics
import FileIO
import Foundation
import Learning
import Networks
import Runs

extension RunDirectory {
    /// The newest checkpoint that is whole.
    ///
    /// - Parameter damaged: Receives the error of each newer one that is not whole.
    /// - Throws: `InputError` where there are checkpoints but none is whole; `VersionError`, `FileError`.
    public func newestCheckpoint(damaged: (InputError) -> Void) throws -> (path: String, checkpoint: Checkpoint)? {
        try newestCheckpoint(Checkpoint.read, damaged: damaged)
    }

    /// Writes a checkpoint durably, points `latest` at it, and removes all but the newest `keep` checkpoints and the
    /// best one.
    ///
    /// - Returns: The checkpoint's path.
    /// - Throws: `FileError`.
    @discardableResult
    func write(_ checkpoint: Checkpoint, keep: Int) throws -> String {
        try addCheckpoint(step: checkpoint.step, keep: keep) { try checkpoint.write(to: $0) }
    }
}

/// Writes a run's checkpoints one at a time, each in a thread of its own and from a copy.
///
/// The copy's memory is kept for the next one, so that a checkpoint costs the training thread one pass over the state
/// and no new pages; what sites have for themselves is shared with them until they change it. The thread has a low
/// priority: cores that compute come first.
final class CheckpointWriter: @unchecked Sendable {
    private let run: RunDirectory
    private let keep: Int
    private let condition = NSCondition()
    // The copies; only `submit` changes them, while nothing is pending.
    private var parameters: [Float]
    private var slots: [[Float]]
    private var average: [Float]
    // All below are guarded by `condition`.
    /// The checkpoint that is being written; it shares its memory with the copies.
    private var pending: Checkpoint?
    private var written: [String] = []
    private var failure: (any Error)?
    /// The thread's line in the timeline, where one is kept.
    private let track: SpanLog.Track?

    /// - Parameters:
    ///   - keep: The number of newest checkpoints to keep.
    ///   - count: The number of the network's parameters.
    ///   - slots: The number of the optimiser's slots.
    ///   - averages: Whether a mean of the weights is kept.
    ///   - spans: The timeline, where one is kept.
    init(_ run: RunDirectory, keep: Int, count: Int, slots: Int, averages: Bool = false, spans: SpanLog? = nil) {
        self.run = run
        self.keep = keep
        track = spans?.addTrack("checkpoint writer")
        parameters = [Float](repeating: 0, count: count)
        self.slots = (0..<slots).map { _ in [Float](repeating: 0, count: count) }  // memory of their own, now
        average = [Float](repeating: 0, count: averages ? count : 0)
    }

    /// Has a checkpoint written, after waiting for the one before.
    ///
    /// - Throws: The error of the one before, if it failed; mostly a `FileError`.
    func submit(_ checkpoint: Checkpoint) throws {
        condition.lock()
        defer { condition.unlock() }
        try settle(waiting: true)
        Self.copy(checkpoint.state.parameters, to: &parameters)
        for (index, values) in checkpoint.optimizer.slots.enumerated() { Self.copy(values, to: &slots[index]) }
        var copy = checkpoint
        copy.state.parameters = parameters
        copy.optimizer.slots = slots
        if let mean = checkpoint.average {
            Self.copy(mean.state.parameters, to: &average)
            copy.average?.state.parameters = average
        }
        pending = copy
        let thread = Thread { [self, track, step = checkpoint.step] in
            Self.giveWay()
            let begin = track?.now ?? 0
            let result = Result { try writePending() }
            track?.record("write checkpoint", since: begin, step: step)
            condition.withLock {
                switch result {
                case .success(let path): written.append(path)
                case .failure(let error): failure = error
                }
                pending = nil
                condition.broadcast()
            }
        }
        thread.name = "checkpoint"
        thread.start()
    }

    /// The paths of the checkpoints that have become durable since the last call.
    ///
    /// - Parameter waiting: Whether to wait for the one that is being written.
    /// - Throws: The error of a write since the last call.
    func finished(waiting: Bool) throws -> [String] {
        condition.lock()
        defer { condition.unlock() }
        try settle(waiting: waiting)
        defer { written = [] }
        return written
    }

    /// Takes over the outcome of the last write. Call with the lock held.
    private func settle(waiting: Bool) throws {
        while waiting && pending != nil { condition.wait() }
        if let error = failure {
            failure = nil
            throw error
        }
    }

    /// Writes the pending checkpoint. It is a function of its own so that nothing else refers to the copies' memory
    /// once it returns.
    private func writePending() throws -> String {
        guard let checkpoint = condition.withLock({ pending }) else { preconditionFailure("nothing to write") }
        return try run.write(checkpoint, keep: keep)
    }

    private static func copy(_ source: [Float], to target: inout [Float]) {
        target.withUnsafeMutableBufferPointer { target in
            source.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                precondition(source.count == target.count, "\(source.count) values, expected \(target.count)")
                to.update(from: from, count: source.count)
            }
        }
    }

    /// Lowers the calling thread's priority, which on Linux is its own: not by much, since threads that read patches
    /// wait while it holds the HDF5 library.
    private static func giveWay() {
        #if os(Linux)
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
        #endif
    }
}
