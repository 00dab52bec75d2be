import Foundation
import Testing

/// A trait of suites whose tests wait for programs: some tests at a time run, on threads of their own.
///
/// Tests of other suites meanwhile have the threads that Swift gives all tests, of which there are as many as
/// processors. A test may wait long for its turn, so time limits are those of ``ProgramRun``, which count from a
/// program's start.
struct ProgramLanes: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Lanes.shared) { try await function() }
    }

    /// Threads that run one test each.
    private final class Lanes: TaskExecutor {
        static let shared = Lanes()
        private let queue = OperationQueue()

        private init() {
            // Two more than processors, for tests that sleep; on large machines no more than keep disks and memory
            // easy.
            queue.maxConcurrentOperationCount = min(ProcessInfo.processInfo.activeProcessorCount + 2, 8)
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.addOperation { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}

extension Trait where Self == ProgramLanes {
    /// Tests that wait for programs.
    static var runsPrograms: Self { Self() }
}
