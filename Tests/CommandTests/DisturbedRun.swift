import FileIO
import Foundation
import TestSupport
import Testing

/// Calls `body` with a short run that is to be disturbed, and afterwards to end with the bits of
/// ``UndisturbedRun/short``.
func withDisturbedRun(_ body: (TinyRun) throws -> Void) throws {
    try withTinyRuns(UndisturbedRun.shortSettings) { try body($0.run()) }
}

extension TinyRun {
    /// Resumes a disturbed run on one rank to the end, and compares.
    ///
    /// - Returns: What the job said.
    @discardableResult
    func expectResumption() throws -> String {
        #expect(!hasCheckpoint(6), "at its end before it was disturbed")
        let resumed = try luna(train() + ["--resume"])
        #expect(resumed.status == 0, "\(resumed.diagnosis)")
        let truth = try UndisturbedRun.short.get()
        #expect(try bytes(step: 6) == truth.bytes(step: 6))
        #expect(try FileContent.names(inDirectory: checkpoints).allSatisfy { !$0.contains(".tmp-") })
        return resumed.diagnosis
    }
}
