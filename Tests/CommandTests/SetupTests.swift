import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/setup` beside another program that holds one of apt's locks; `apt-get` is a stand-in with apt's words.
@Suite(.runsPrograms) struct SetupTests {
    /// Runs the script where all packages are missing and `apt-get` does what a shell's lines say; `$1` is the number
    /// of the call, `$verb` update or install.
    private func setup(_ aptGet: String, _ arguments: String...) throws -> (run: ProgramRun, calls: [Substring]) {
        try withTemporaryDirectory { directory in
            let programs = [
                "dpkg-query": "exit 1", "sudo": "exec \"$@\"", "swift": "echo Swift version 6.2",
                "apt-get": """
                for word in "$@"; do case $word in update | install) verb=$word ;; esac; done
                echo $verb >>'\(directory)/calls'
                set -- $(wc -l <'\(directory)/calls')
                \(aptGet)
                """,
            ]
            for (name, text) in programs {
                let file = "\(directory)/\(name)"
                try AtomicFile.write("#!/bin/sh\n\(text)\n", to: file)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            }
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            let run = try script("scripts/setup", arguments, environment: ["PATH": "\(directory):\(path)"])
            let calls = (try? String(contentsOfFile: "\(directory)/calls", encoding: .utf8)) ?? ""
            return (run, calls.split(separator: "\n"))
        }
    }

    /// The words of each of apt's locks; the program that holds it changes once.
    @Test(arguments: [
        ("update", "E: Could not get lock /var/lib/apt/lists/lock. It is held by process $holder (apt-get)"),
        (
            "install",
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process $holder (unattended-upgr)"
        ),
        ("install", "E: Could not get lock /var/lib/dpkg/lock. It is held by process $holder (dpkg)"),
        ("install", "dpkg: error: dpkg frontend lock was locked by another process with pid $holder"),
    ]) func waitsForAnotherAndSaysForWhom(_ verb: String, _ words: String) throws {
        let (run, calls) = try setup(
            """
            [ $verb = \(verb) ] && [ $1 -le 3 ] || exit 0
            holder=$(($1 < 3 ? 17 : 18))
            echo "\(words)" >&2
            echo "E: Unable to lock directory /var/lib/apt/lists/" >&2
            exit 100
            """)
        #expect(run.status == 0, "\(run.diagnosis)")
        #expect(
            calls
                == (verb == "update"
                    ? ["update", "update", "update", "update", "install"]
                    : ["update", "install", "install", "install"]))
        let lines = run.diagnosis.split(separator: "\n").filter { $0.contains("waiting") }
        #expect(
            lines.count == 2 && lines.allSatisfy { $0.hasPrefix("setup: waiting for another program, 600 s at most: ") }
        )
        for (line, holder) in zip(lines, ["17", "18"]) {
            let held = words.replacing("$holder", with: holder)
            #expect(line.hasSuffix(held.hasPrefix("E: ") ? held.dropFirst(3) : held[...]), "\(line)")
        }
    }

    @Test func theWaitEnds() throws {
        let held = "Could not get lock /var/lib/apt/lists/lock. It is held by process 17 (apt-get)"
        let (run, calls) = try setup("echo 'E: \(held)' >&2; exit 100", "--wait", "1")
        #expect(
            run.status == 69 && run.diagnosis.contains("apt-get update has waited for 1 s: \(held)."),
            "\(run.diagnosis)")
        #expect(calls.count >= 2 && calls.allSatisfy { $0 == "update" })
    }

    /// What is no lock of another's ends the script at once, in apt's words.
    @Test(arguments: [
        "E: Unable to locate package libopenmpi-dev",
        "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)",
    ]) func otherFailuresAreNotWaitedFor(_ words: String) throws {
        let (run, calls) = try setup("echo '\(words)' >&2; exit 100")
        #expect(run.status == 100 && calls == ["update"])
        #expect(run.diagnosis.contains(words) && !run.diagnosis.contains("waiting"), "\(run.diagnosis)")
    }

    @Test(arguments: [["--wait"], ["--wait", ""], ["--wait", "-1"], ["--dicomm"], [""]])
    func wrongUseOfSetupIsNamed(_ arguments: [String]) throws {
        let run = try script("scripts/setup", arguments)
        #expect(run.status == 64 && run.diagnosis.hasPrefix("setup: ") && run.diagnosis.contains("--help"))
    }
}
