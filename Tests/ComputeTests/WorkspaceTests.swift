import Testing

@testable import Compute

@Suite struct WorkspaceTests {
    @Test func handsOutWhatCameBack() {
        let workspace = Workspace()
        var buffer: FloatBuffer? = workspace.take(1000)
        let place = buffer?.pointer
        #expect(workspace.bytesInUse == 4000 && workspace.bytesWaiting == 0)
        buffer = nil
        #expect(workspace.bytesInUse == 0 && workspace.bytesWaiting == 4000)
        let again = workspace.take(1000)
        #expect(again.pointer == place && workspace.bytesWaiting == 0 && workspace.peakBytes == 4000)
    }

    /// What one shape leaves behind goes back to the system; what is in use stays.
    @Test func releasesWhatWaits() {
        let workspace = Workspace()
        let kept = workspace.take(100)
        kept.pointer[99] = 7
        for count in [10, 20, 30] { _ = workspace.take(count) }
        #expect(workspace.bytesWaiting == 240)
        workspace.releaseUnused()
        #expect(workspace.bytesWaiting == 0 && workspace.bytesInUse == 400)
        #expect(kept.pointer[99] == 7 && workspace.take(10).count == 10)
    }
}
