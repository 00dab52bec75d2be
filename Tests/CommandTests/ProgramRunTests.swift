import FileIO
import Foundation
import TestSupport
import Testing

/// The way in which tests run programs.
@Suite(.runsPrograms) struct ProgramRunTests {
    /// Far more than a pipe holds, on the one that a reader of one after the other would leave until later.
    @Test func bothPipesAreDrained() throws {
        let run = try ProgramRun("sh", ["-c", "head -c 300000 /dev/zero >&2; head -c 200000 /dev/zero; exit 3"])
        #expect(run.status == 3 && run.output.utf8.count == 200_000 && run.diagnosis.utf8.count == 300_000)
    }

    @Test func whatRunsTooLongIsKilledWithItsChildren() throws {
        try withTemporaryDirectory { directory in
            let file = "\(directory)/child"
            #expect(throws: ProgramRun.Overdue.self) {
                try ProgramRun("sh", ["-c", "sleep 600 & echo $! >'\(file)'; wait"], limit: 5)
            }
            let child = String(decoding: try FileContent.bytes(file), as: UTF8.self)
            let pid = try #require(Int32(child.trimmingCharacters(in: .whitespacesAndNewlines)))
            // A killed process lives on until it is next given a core.
            let end = Date() + 60
            while isAlive(pid), Date() < end { Thread.sleep(forTimeInterval: 0.01) }
            #expect(!isAlive(pid))
        }
    }

    /// Whether a process is neither gone nor dead and not yet collected.
    private func isAlive(_ pid: Int32) -> Bool {
        guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !state.contains(") Z")
    }

    /// A signal that the test's own thread blocks reaches the program all the same.
    @Test func blockedSignalsAreNotInherited() throws {
        try withTemporaryDirectory { directory in
            var (blocked, before) = (sigset_t(), sigset_t())
            sigemptyset(&blocked)
            sigaddset(&blocked, SIGUSR1)
            pthread_sigmask(SIG_BLOCK, &blocked, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            let ready = "\(directory)/ready"
            let program = "trap 'exit 3' USR1; : >'\(ready)'; while :; do sleep 0.02; done"
            let run = try ProgramRun("sh", ["-c", program], limit: 20) { program in
                program.wait { FileContent.size(ready) != nil }
                program.send(SIGUSR1)
            }
            #expect(run.status == 3)
        }
    }

    /// A failure of the test's own ends the program, too.
    @Test func aFailureMeanwhileEndsTheProgram() throws {
        struct Failure: Error {}
        var pid: Int32?
        #expect(throws: Failure.self) {
            try ProgramRun("sleep", ["600"]) { program in
                pid = program.identifier
                throw Failure()
            }
        }
        #expect(kill(try #require(pid), 0) != 0)
    }

    @Test func environmentAndDirectory() throws {
        try withTemporaryDirectory { directory in
            let run = try ProgramRun(
                "sh", ["-c", "pwd; echo $LUNA_TEST $OMPI_ALLOW_RUN_AS_ROOT"], environment: ["LUNA_TEST": "a b"],
                directory: directory)
            #expect(run.output.hasSuffix("/\((directory as NSString).lastPathComponent)\na b 1\n"), "\(run.output)")
        }
        #expect(ProgramRun.has("sh") && !ProgramRun.has("no-such-program"))
    }
}
