import FileIO
import Foundation
import TestSupport
import Testing
import Yams

/// Checks of `deploy/` and the scripts that need no cluster.
@Suite(.runsPrograms) struct DeployTests {
    private static func text(_ path: String) throws -> String {
        String(decoding: try FileContent.bytes("\(Repository.root)/\(path)"), as: UTF8.self)
    }

    /// Every shell script of the repository, by its first line, and those that others read.
    static let shellScripts: [String] = {
        let directories = ["scripts", "scripts/lib", "deploy/slurm"]
        let all = directories.flatMap { directory in
            ((try? FileContent.names(inDirectory: "\(Repository.root)/\(directory)")) ?? []).map {
                "\(directory)/\($0)"
            }
        }
        return all.filter { path in
            guard !FileContent.isDirectory("\(Repository.root)/\(path)"), let text = try? text(path) else {
                return false
            }
            return text.hasPrefix("#!/usr/bin/env bash\n") || text.hasPrefix("# Sourced by ")
        }
    }()

    @Test func shellScriptsParse() throws {
        #expect(Self.shellScripts.count > 12 && Self.shellScripts.contains("scripts/lib/launching"))
        for path in Self.shellScripts {
            let run = try script("bash", ["-n", path])
            #expect(run.status == 0, "\(run.diagnosis)")
        }
    }

    @Test(.enabled(if: ProgramRun.has("shellcheck"))) func shellScriptsHaveNothingToWarnOf() throws {
        let run = try script(
            "shellcheck",
            ["--external-sources", "--source-path=SCRIPTDIR", "--source-path=\(Repository.root)", "--shell=bash"]
                + Self.shellScripts)
        #expect(run.status == 0, "\(run.output)")
    }

    /// The options that a script's head names are those it takes.
    @Test(arguments: ["launch", "launch-local", "supervise", "hosts", "soak", "scaling"])
    func helpNamesEveryOption(_ name: String) throws {
        let text = try Self.text("scripts/\(name)")
        let help = try script("scripts/\(name)", ["--help"])
        #expect(help.status == 0 && !help.output.contains("set -euo"))
        var taken: Set<Substring> = []
        //         --ranks | --threads) …
        for line in text.split(separator: "\n") where line.hasPrefix("        --") && line.contains(")") {
            let pattern = line.prefix { $0 != ")" }
            taken.formUnion(pattern.split { $0 == " " || $0 == "|" })
        }
        taken.subtract(["--", "--help", "-h"])
        #expect(taken.count >= 3)
        for option in taken { #expect(help.output.contains(option), "\(option)") }
    }

    /// Empty names, options for directories and directories of others are refused before anything is built or removed.
    @Test(arguments: [
        ("quickstart", [""]), ("quickstart", ["--here"]), ("quickstart", ["a", "b"]), ("prove-learning", [""]),
        ("prove-learning", ["--time", "x"]), ("prove-learning", ["--other"]), ("soak", ["--work", ""]),
        ("soak", ["--work", "Tests"]), ("soak", ["--kills", "many"]), ("scaling", ["--data", ""]),
        ("scaling", ["--data", "d", "--output", ""]), ("scaling", ["--data", "d", "--ranks", "1,x"]),
    ]) func wrongUseOfScriptsIsNamed(_ name: String, _ arguments: [String]) throws {
        let run = try script("scripts/\(name)", arguments)
        #expect(run.status == 64 && run.output.isEmpty, "\(run.diagnosis)")
        #expect(run.diagnosis.hasPrefix("\(name): ") && run.diagnosis.split(separator: "\n").count == 1)
    }

    /// Launchers ask the command for its own reading of its options, and of a configuration that a run has left.
    @Test func thePlanIsWhatTheCommandMakesOfItsOptions() throws {
        try withTemporaryDirectory { directory in
            func plan(_ options: String...) throws -> (lines: [String], job: ProgramRun) {
                let job = try luna(["train"] + options + ["--print-plan"])
                return (job.output.split(separator: "\n").map(String.init), job)
            }
            let run = "\(directory)/a run"
            #expect(
                try plan("--run=\(run)", "--set", "replicas=4", "--set=threads=3").lines
                    == ["run: \(run)", "replicas: 4", "ranks: 1 2 4", "threads: 3"])
            let six = try plan("--data", "d", "--set", "reduction=allreduce", "--set", "replicas=6").lines
            #expect(six == ["data: d", "replicas: 6", "ranks: 1 2 3 6"])
            #expect(try !plan("--set", "replicas=6").lines.contains { $0.hasPrefix("ranks") })
            let refused = try plan("--set", "replicas=0").job
            #expect(refused.status == 65 && refused.diagnosis.contains("replicas: 0, expected 1 to"))

            try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
            try AtomicFile.write("replicas: 2\n", to: "\(run)/config.yaml")
            #expect(try plan("--run", run).lines.contains("replicas: 8"))
            #expect(try plan("--run", run, "--resume").lines.contains("replicas: 2"))
            #expect(try plan("--run", run, "--resume", "--set", "replicas=4").lines.contains("ranks: 1 2 4"))
            let printed = try luna("train", "--run", run, "--resume", "--print-config").output
            #expect(printed.contains("\nreplicas: 2 "))
        }
    }

    /// Containers install what luna loads, and no package is forgotten in one of them.
    @Test(.enabled(if: ProgramRun.has("dpkg-query") && ProgramRun.has("ldd")))
    func containersHaveTheLibraries() throws {
        let docker = try Self.text("deploy/container/Dockerfile"),
            apptainer = try Self.text("deploy/container/luna.def")
        func installed(_ recipe: String) -> Set<String> {
            let joined = recipe.replacing("\\\n", with: " ")
            return joined.split(separator: "\n").filter { $0.contains("apt-get install") }
                .reduce(into: []) { packages, line in
                    let words = line.split(separator: " ").drop { $0 != "install" }.dropFirst().prefix { $0 != "&&" }
                    packages.formUnion(words.filter { !$0.hasPrefix("-") }.map(String.init))
                }
        }
        for (recipe, extra) in [(docker, ["openssh-client", "openssh-server"]), (apptainer, [])] {
            let packages = installed(recipe)
            #expect(packages.isSuperset(of: extra + ["openmpi-bin"]), "\(packages)")
            var reached = packages
            for package in packages {
                let depends = try script("dpkg-query", ["-W", "-f", "${Depends}", package]).output
                reached.formUnion(depends.split { " ,|".contains($0) }.map(String.init))
            }
            // libmpi.so.40 => /lib/x86_64-linux-gnu/libmpi.so.40 (0x…)
            let loaded = try script("ldd", [lunaPath]).output.split(separator: "\n")
            for library in ["libmpi.so", "libopenblas.so", "libhdf5", "libz.so"] {
                let line = try #require(loaded.first { $0.contains("\(library)") && $0.contains("=>") }, "\(library)")
                let path = String(line.split(separator: " ")[2])
                let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().lastPathComponent
                let owner = try script("dpkg-query", ["-S", "*/\(file)"]).output.prefix { $0 != ":" }
                #expect(reached.contains(String(owner)), "\(library) comes from \(owner)")
            }
        }
        // What the recipe copies is there.
        for line in docker.split(separator: "\n") where line.hasPrefix("COPY") && !line.contains("--from") {
            for word in line.split(separator: " ").dropFirst().dropLast() where !word.hasPrefix("--") {
                #expect(FileManager.default.fileExists(atPath: "\(Repository.root)/\(word)"), "\(word)")
            }
        }
        #expect(docker.contains("useradd --create-home --uid 1000 mpiuser") && docker.contains("\nUSER mpiuser\n"))
    }

    /// The test that Apptainer runs in the image it has built, run here.
    @Test func apptainersTestPasses() throws {
        let sections = try Self.text("deploy/container/luna.def").components(separatedBy: "\n%test\n")
        #expect(sections.count == 2)
        let bin = (lunaPath as NSString).deletingLastPathComponent
        let run = try script("sh", ["-c", "PATH='\(bin)':$PATH\n" + sections[1]])
        #expect(run.status == 0 && run.output.contains("5383623 parameters"), "\(run.diagnosis)")
    }

    @Test(.enabled(if: ProgramRun.has("ssh"))) func sshReachesTheWorkersPort() throws {
        let run = try script("ssh", ["-F", "deploy/container/ssh_config", "-G", "luna-fold0-worker-0"])
        let options = Set(run.output.split(separator: "\n"))
        #expect(options.isSuperset(of: ["port 2222", "stricthostkeychecking false", "userknownhostsfile /dev/null"]))
        #expect(try Self.text("deploy/container/sshd_config").contains("\nPort 2222\n"))
    }

    /// sshd accepts its configuration, with a host key where the operator puts it.
    @Test(.enabled(if: ProgramRun.has("sshd") && ProgramRun.has("ssh-keygen"))) func sshdTakesItsConfiguration()
        throws
    {
        try withTemporaryDirectory { directory in
            let key = "\(directory)/id_rsa", file = "\(directory)/sshd_config"
            #expect(try script("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", key]).status == 0)
            try Self.text("deploy/container/sshd_config").replacing("/home/mpiuser/.ssh/id_rsa", with: key)
                .write(toFile: file, atomically: false, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
            let run = try script("sh", ["-c", "exec \"$(command -v sshd)\" -T -f '\(file)'"])
            #expect(run.status == 0, "\(run.diagnosis)")
            let options = Set(run.output.split(separator: "\n"))
            #expect(options.isSuperset(of: ["port 2222", "usepam no", "strictmodes no", "passwordauthentication no"]))
        }
    }

    /// The manifest holds what the operator requires, and numbers that fit one another.
    @Test func theManifestFits() throws {
        func map(_ value: Any?, _ keys: String...) throws -> [String: Any] {
            try keys.reduce(try #require(value as? [String: Any])) { try #require($0[$1] as? [String: Any], "\($1)") }
        }
        let job = try map(try Yams.load(yaml: try Self.text("deploy/kubernetes/train.yaml")))
        #expect(job["apiVersion"] as? String == "kubeflow.org/v2beta1" && job["kind"] as? String == "MPIJob")
        let spec = try map(job, "spec")
        #expect(spec["launcherCreationPolicy"] as? String == "WaitForWorkersReady")
        #expect(spec["sshAuthMountPath"] as? String == "/home/mpiuser/.ssh")
        #expect(try map(spec, "runPolicy")["cleanPodPolicy"] as? String == "Running")
        let (launcher, worker) = (
            try map(spec, "mpiReplicaSpecs", "Launcher"), try map(spec, "mpiReplicaSpecs", "Worker")
        )
        #expect(launcher["replicas"] as? Int == 1 && launcher["restartPolicy"] as? String == "OnFailure")

        var containers: [[String: Any]] = []
        var claims: Set<String> = []
        for pod in [launcher, worker] {
            let spec = try map(pod, "template", "spec")
            #expect(try map(spec, "securityContext")["runAsUser"] as? Int == 1000)
            #expect(try #require(spec["terminationGracePeriodSeconds"] as? Int) >= 60)
            let volumes = try #require(spec["volumes"] as? [[String: Any]])
            let container = try map((try #require(spec["containers"] as? [Any])).first)
            let mounts = try #require(container["volumeMounts"] as? [[String: Any]])
            #expect(Set(mounts.map { $0["name"] as? String }) == Set(volumes.map { $0["name"] as? String }))
            #expect(mounts.contains { $0["mountPath"] as? String == "/data" })
            for volume in volumes {
                let claim = volume["persistentVolumeClaim"] as? [String: Any]
                if let name = claim?["claimName"] as? String { claims.insert(name) }
            }
            containers.append(container)
        }
        let volume = try map(try Yams.load(yaml: try Self.text("deploy/kubernetes/volume.yaml")))
        #expect(claims == [try map(volume, "metadata")["name"] as? String])
        #expect(try map(volume, "spec")["accessModes"] as? [String] == ["ReadWriteMany"])

        // The workers' sshd as the operator expects it; the launcher's command taken by the script itself.
        #expect(containers[1]["args"] as? [String] == ["-De", "-f", "/home/mpiuser/.sshd_config"])
        #expect(containers[0]["command"] as? [String] == ["/opt/luna/scripts/launch"])
        let arguments = try #require(containers[0]["args"] as? [String])
        let plan = try script(
            "scripts/launch", ["--dry-run"] + arguments,
            environment: ["OMPI_MCA_orte_default_hostfile": "/etc/mpi/hostfile"])
        #expect(plan.status == 0, "\(plan.diagnosis)")
        let words = plan.output.split { " \n".contains($0) }.map(String.init)
        let ranks = try #require(words.firstIndex(of: "-n").flatMap { Int(words[$0 + 1]) })
        let slots = try #require(spec["slotsPerWorker"] as? Int), workers = try #require(worker["replicas"] as? Int)
        #expect(ranks == slots * workers && words.contains("none") && words.contains("--resume"), "\(plan.output)")
        let threads = try #require(words.first { $0.hasPrefix("threads=") }.flatMap { Int($0.dropFirst(8)) })
        let limits = try map(containers[1], "resources", "limits")
        #expect(limits["cpu"] as? String == "\(slots * threads)")
        #expect(try map(containers[1], "resources", "requests")["cpu"] as? String == limits["cpu"] as? String)
    }
}
