import Basics
import Foundation
import Testing

@testable import Compute

@Suite struct WorkspaceTests {
    @Test func handsOutWhatCameBack() {
        let workspace = Workspace()
        var buffer: FloatBuffer? = workspace.take(1000)
        let place = buffer?.pointer
        #expect(workspace.bytesInUse == 4032 && workspace.peakBytes == 4032, "rounded up to cache lines")
        buffer = nil
        #expect(workspace.bytesInUse == 0)
        let again = workspace.take(1000)
        #expect(again.pointer == place && workspace.peakBytes == 4032 && workspace.extent == 4032)
    }

    /// Where a large buffer was, small ones find room, and when they are gone the large one does again: whatever the
    /// order in which they go.
    @Test(arguments: [[0, 1, 2, 3], [3, 1, 0, 2], [1, 2, 3, 0], [2, 0, 3, 1]])
    func mergesWhatComesBack(_ order: [Int]) {
        let workspace = Workspace()
        var large: FloatBuffer? = workspace.take(1600)
        let place = large?.pointer
        let behind = workspace.take(160)
        large = nil
        var small: [FloatBuffer?] = (0..<4).map { _ in workspace.take(400) }
        #expect(small[0]?.pointer == place && workspace.extent == 1760 * 4)
        for (index, buffer) in small.enumerated() {
            buffer?.pointer.update(repeating: Float(index), count: 400)
        }
        behind.pointer.update(repeating: 9, count: 160)
        for (index, buffer) in small.enumerated() { #expect(buffer?.pointer[399] == Float(index)) }
        for index in order { small[index] = nil }
        #expect(workspace.take(1600).pointer == place && workspace.extent == 1760 * 4)
        #expect(behind.pointer[0] == 9 && behind.pointer[159] == 9)
    }

    /// What one shape leaves behind goes back to the system; what is in use stays.
    @Test func releasesWhatWaits() {
        let workspace = Workspace()
        let kept = workspace.take(100)
        kept.pointer[99] = 7
        var large: FloatBuffer? = workspace.take(4 << 20)
        large?.pointer.update(repeating: 5, count: 4 << 20)
        large = nil
        workspace.releaseUnused()
        #expect(workspace.extent == 448 && workspace.bytesInUse == 448 && workspace.peakBytes == 448)
        let again = workspace.take(4 << 20)
        #expect(kept.pointer[99] == 7 && again.pointer[2 << 20] == 0, "pages that went back come again as zeros")
    }

    @Test func shortageIsForTheProgramToAnswer() async {
        await #expect(processExitsWith: .exitCode(70)) {
            Engine.onOutOfMemory = { text in exit(text.contains("no 4194304 MiB more") ? 70 : 1) }
            _ = Workspace().take(1 << 40)
        }
    }
}
