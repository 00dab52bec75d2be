import FileIO
import Foundation
import TestSupport
import Testing

/// The batch scripts of `deploy/slurm`.
@Suite(.runsPrograms) struct SlurmTests {
    static let mayStartSlurm =
        getuid() == 0 && ["slurmctld", "slurmd", "munged", "mpirun"].allSatisfy(ProgramRun.has)

    /// A real Slurm of two nodes preempts each form of the batch script, which is requeued and ends with the same bits.
    @Test(.enabled(if: mayStartSlurm)) func slurmPreemptsAndResumes() throws {
        let run = try script("deploy/slurm/try-on-one-machine", [], limit: 480)
        #expect(run.status == 0, "\(run.diagnosis)")
        for form in ["mpirun", "srun"] {
            #expect(run.diagnosis.contains("\(form): preempted, after step"), "\(run.diagnosis)")
            #expect(run.diagnosis.contains("\(form): requeued 1 time, done, digest"), "\(run.diagnosis)")
        }
    }

    /// The directives that preemption and requeueing need, in each form: whom the signal reaches differs.
    @Test(arguments: [("mpirun", "B:USR1@120"), ("srun", "USR1@120")])
    func batchScriptsAskForTheSignal(_ form: String, _ signal: String) throws {
        let path = "\(Repository.root)/deploy/slurm/\(form).sbatch"
        let lines = String(decoding: try FileContent.bytes(path), as: UTF8.self).split(separator: "\n")
        // sbatch reads directives only before the first command.
        let head = lines.prefix { $0.hasPrefix("#") }
        let directives = head.filter { $0.hasPrefix("#SBATCH ") }.map { String($0.dropFirst(8)) }
        #expect(directives.count == lines.count { $0.hasPrefix("#SBATCH") })
        for needed in ["--signal=\(signal)", "--requeue", "--open-mode=append"] {
            #expect(directives.contains(needed), "\(needed)")
        }
        for key in ["--nodes=", "--ntasks-per-node=", "--cpus-per-task=", "--time="] {
            #expect(directives.contains { $0.hasPrefix(key) }, "\(key)")
        }
    }

    @Test(arguments: ["mpirun", "srun"]) func emptyNamesAreRefused(_ form: String) throws {
        for arguments in [[], ["DATA"], ["DATA", ""], ["", "RUN"]] {
            let run = try script(
                "bash", ["deploy/slurm/\(form).sbatch"] + arguments,
                environment: ["SLURM_SUBMIT_DIR": Repository.root])
            #expect(run.status == 64 && run.diagnosis.hasPrefix("usage: "), "\(run.diagnosis)")
        }
    }

    /// The scripts put the job back on 75 and on no other status; Slurm's commands are stand-ins.
    @Test(arguments: [("mpirun", 75), ("mpirun", 70), ("mpirun", 0), ("srun", 75), ("srun", 70), ("srun", 0)])
    func only75IsRequeued(_ form: String, _ status: Int) throws {
        // Programs, not functions: mpirun gets a session of its own.
        let stand = """
            directory=$(mktemp -d)
            trap 'rm -rf "$directory"' EXIT
            for name in mpirun:\(status) srun:\(status) scontrol:0; do
                printf '#!/bin/sh\\necho %s "$@"\\nexit %s\\n' "${name%:*}" "${name#*:}" >"$directory/${name%:*}"
            done
            chmod +x "$directory"/*
            PATH=$directory:$PATH
            bash deploy/slurm/\(form).sbatch DATA RUN --set seed=1
            """
        let run = try script(
            "bash", ["-c", stand],
            environment: [
                "SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4", "SLURM_CPUS_PER_TASK": "6", "SLURM_JOB_ID": "17",
                "SLURM_SUBMIT_DIR": Repository.root,
            ])
        #expect(run.status == Int32(status), "\(run.diagnosis)")
        #expect(run.output.contains("scontrol requeue 17") == (status == 75), "\(run.output)")
        let train = "train --data DATA --run RUN --resume --set threads=6 --set seed=1"
        #expect(run.output.contains(train) && run.output.hasPrefix(form), "\(run.output)")
    }
}
