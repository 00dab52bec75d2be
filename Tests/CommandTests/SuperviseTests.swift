import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/supervise`, and how `scripts/launch` stops a run.
@Suite(.runsPrograms) struct SuperviseTests {
    /// A luna that ends with the next of some statuses at each start, a checkpoint more where there is a `+`.
    private func supervise(_ statuses: String, _ options: String...) throws -> (status: Int32, starts: [String], Int) {
        try withTemporaryDirectory { directory in
            let luna = "\(directory)/luna"
            let standIn = """
                #!/bin/sh
                case "$*" in *--print-plan*) printf '%s\n' 'run: \(directory)/run' 'ranks: 1 2 4 8'; exit 0 ;; esac
                cd '\(directory)'
                echo "$*" >>starts
                next=$(sed -n "$(wc -l <starts)p" statuses)
                mkdir -p run/checkpoints
                case "$next" in *+) wc -l <starts >run/checkpoints/latest ;; esac
                exit "${next%+}"
                """
            try standIn.write(toFile: luna, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: luna)
            let lines = statuses.split(separator: " ").joined(separator: "\n") + "\n"
            try lines.write(toFile: "\(directory)/statuses", atomically: false, encoding: .utf8)
            let run = try script(
                "scripts/supervise",
                ["--wait", "0", "--ranks", "1"] + options + [
                    "--", "train", "--data", "d", "--run", "\(directory)/run",
                ],
                environment: ["LUNA": luna])
            let starts = (try? String(contentsOfFile: "\(directory)/starts", encoding: .utf8)) ?? ""
            let resumed = starts.split(separator: "\n").count { $0.hasSuffix("--resume") }
            return (run.status, starts.split(separator: "\n").map(String.init), resumed)
        }
    }

    /// A status that another start cannot help ends the run; one that it may help is tried again, as often as was said.
    @Test func restartsAreBounded() throws {
        for final: Int32 in [0, 64, 65, 75] {
            let (status, starts, resumed) = try supervise("70 \(final) 70")
            #expect(status == final && starts.count == 2 && resumed == 1, "\(final)")
            #expect(try supervise("\(final) 0").starts.count == 1)
        }
        let (status, starts, resumed) = try supervise("70 71 72 73 74 0", "--restarts", "3")
        #expect(status == 73 && starts.count == 4 && resumed == 3)
    }

    /// A newer checkpoint begins the count anew.
    @Test func progressResetsTheCount() throws {
        let (status, starts, _) = try supervise("70 70+ 70 70+ 70 70 0", "--restarts", "2")
        #expect(status == 70 && starts.count == 6)
        #expect(try supervise("70 70+ 70 70+ 70 0", "--restarts", "2").status == 0)
    }

    /// Hosts that do not answer are left out, and the ranks become what divides the replicas.
    @Test func fewerHosts() throws {
        try withTemporaryDirectory { directory in
            let (file, agent, luna) = ("\(directory)/hosts", "\(directory)/agent", "\(directory)/luna")
            try "one slots=6\ntwo slots=4\nthree slots=4\nlocalhost slots=3\n".write(
                toFile: file, atomically: false, encoding: .utf8)
            try "#!/bin/sh\ntest \"$1\" != two -a \"$2\" = true\n".write(
                toFile: agent, atomically: false, encoding: .utf8)
            try "#!/bin/sh\nprintf '%s\\n' 'run: \(directory)/run' 'replicas: 8' 'ranks: 1 2 4 8'\n".write(
                toFile: luna, atomically: false, encoding: .utf8)
            for program in [agent, luna] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            }
            // The job itself cannot start: there are no such hosts, and the agent refuses mpirun's daemon.
            let run = try script(
                "scripts/supervise",
                ["--restarts", "0", "--hostfile", file, "--threads", "2", "--", "train", "--run", "\(directory)/run"],
                environment: ["LUNA": luna, "OMPI_MCA_plm_rsh_agent": agent])
            #expect(run.status != 0 && run.diagnosis.contains("two does not answer and is left out"))
            // 6 / 2 + 4 / 2 + 3 / 2 = 6 ranks at most.
            #expect(run.diagnosis.contains("supervise: 4 ranks of 2 threads on 3 hosts"), "\(run.diagnosis)")
        }
    }

    /// A rank killed without warning, and TERM to the supervisor: the run ends with the bits of an undisturbed one.
    @Test func killedAndStoppedRunsEndWithTheSameBits() throws {
        let truth = try UndisturbedRun.whole.get().digest()
        try withTinyRuns { runs in
            let run = runs.run()
            let arguments = ["--wait", "0", "--ranks", "2", "--"] + run.train()
            // A slow rank leaves time to stop it.
            let slow = ["LUNA_FAULT": "slow:rank=1:phase=forward:seconds=0.5"]
            let stopped = try script("scripts/supervise", arguments, environment: slow) { supervisor in
                // Rank 1 is taken once there is a checkpoint. When both ranks are new processes, the supervisor is
                // asked to stop.
                supervisor.wait { run.hasCheckpoint(2) }
                let killed = try [0, 1].map { try #require(run.heartbeat(of: $0)).pid }
                kill(killed[1], SIGKILL)
                supervisor.wait {
                    [0, 1].allSatisfy { rank in run.heartbeat(of: rank).map { $0.pid != killed[rank] } ?? false }
                }
                supervisor.send(SIGTERM)
            }
            #expect(stopped.status == 75, "\(stopped.diagnosis)")
            #expect(stopped.diagnosis.contains("restart 1 of 5"), "\(stopped.diagnosis)")
            #expect(!run.hasCheckpoint(6))
            let finished = try script("scripts/supervise", arguments + ["--resume"])
            #expect(finished.status == 0, "\(finished.diagnosis)")
            #expect(try run.digest() == truth)
        }
    }
}
