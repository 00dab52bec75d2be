import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/launch` and `scripts/launch-local`: who gets which cores.
@Suite(.runsPrograms) struct LaunchTests {
    /// The processes that mpirun would start: ranks by host, and how many cores each rank is bound to.
    private struct Map {
        var ranks: [String: Int] = [:]
        var cores: [Int] = []
        var sockets: [Int] = []

        /// Asks the real mpirun, on hosts of 2 sockets of 32 cores.
        init(_ arguments: [String]) throws {
            let run = try script(
                "mpirun", arguments + ["--display-map", "--do-not-launch", "true"],
                environment: ["HWLOC_SYNTHETIC": "pack:2 numa:1 core:32 pu:1", "HWLOC_THISSYSTEM": "0"])
            // Data for node: big01  Num slots: 3  Max slots: 0  Num procs: 3
            for line in run.output.split(separator: "\n") {
                let words = line.split { $0 == " " || $0 == "\t" }
                if line.contains("Data for node:"), let count = words.last.flatMap({ Int($0) }) {
                    ranks[String(words[3])] = count
                } else if line.contains("Process rank:"), let map = line.split(separator: "]:").last {
                    cores.append(map.count { $0 == "B" })
                    // [B/B/./.][./././.]: the bracket that holds the first of them.
                    sockets.append(map.prefix { $0 != "B" }.count { $0 == "]" })
                }
            }
        }
    }

    /// The examples are hostfiles to Open MPI, and each rank gets cores of its own on the host that has them. With
    /// slots for cores and PE=8, mpirun by itself would put all ranks on the first host.
    @Test(arguments: [
        ("workstation", 4, [4]), ("cluster", 8, [4, 4]), ("cluster", 2, [1, 1]), ("mixed", 8, [3, 3, 2]),
        ("mixed", 13, [8, 3, 2]),
    ]) func hostfiles(_ name: String, _ ranks: Int, _ expected: [Int]) throws {
        let file = "hostfiles/\(name)"
        #expect(try Map(["-n", "1", "--hostfile", file]).ranks.values.reduce(0, +) == 1)
        let plan = try script(
            "scripts/launch",
            ["--ranks", "\(ranks)", "--threads", "8", "--hostfile", file, "--dry-run", "--", "bench", "allreduce"])
        #expect(plan.status == 0 && plan.output.hasSuffix("/luna bench allreduce\n"), "\(plan.diagnosis)")
        let map = try Map(plan.output.split(separator: " ").dropFirst().dropLast(3).map(String.init))
        #expect(map.ranks.values.sorted(by: >) == expected, "\(plan.output)")
        #expect(map.cores == Array(repeating: 8, count: ranks), "\(plan.output)")
    }

    @Test func wrongUseIsNamed() throws {
        try withTemporaryDirectory { directory in
            let file = "\(directory)/hosts"
            try AtomicFile.write("# two hosts\none slots=8\n\ntwo max_slots=8\n", to: file)
            let bad = try script("scripts/launch", ["--hostfile", file, "--", "bench"])
            #expect(bad.status == 65 && bad.diagnosis.hasPrefix("\(file):4: expected `two slots=<cores>`"))
            let none = try script("scripts/launch", ["--hostfile", "\(file)2", "--", "bench"])
            #expect(none.status == 65 && none.diagnosis.contains("\(file)2"))
        }
        let many = try script(
            "scripts/launch", ["--ranks", "14", "--threads", "8", "--hostfile", "hostfiles/mixed", "--", "bench"])
        #expect(many.status == 64 && many.diagnosis.contains("13 ranks of 8 threads"), "\(many.diagnosis)")
        for wrong in [["--ranks", "0", "--", "bench"], ["--rank", "2", "--", "bench"], ["--ranks", "2"]] {
            let run = try script("scripts/launch", wrong)
            #expect(run.status == 64 && run.diagnosis.contains("--help"), "\(run.diagnosis)")
        }
    }

    /// What `scripts/launch` makes of a hostfile with this text.
    private func plan(_ hostfile: String, ranks: Int = 2) throws -> (run: ProgramRun, file: String) {
        try withTemporaryDirectory { directory in
            // awk would take such a path for an assignment.
            let file = "\(directory)/a=b"
            try AtomicFile.write(hostfile, to: file)
            let options = ["--ranks", "\(ranks)", "--hostfile", file, "--dry-run", "--", "bench"]
            return (try script("scripts/launch", options), file)
        }
    }

    /// mpirun by itself would call both hosts of the first file `worker`, and put all ranks on one.
    @Test(arguments: [
        ("worker.1.foo.net slots=4\nworker.2.foo.net slots=4\n", ["worker.1.foo.net", "worker.2.foo.net"]),
        ("a.b.c slots=1\na.b.d slots=1\n", ["a.b.c", "a.b.d"]),
        ("gpu slots=1\ngpu.foo.net slots=1\n", ["gpu", "gpu.foo.net"]),
        ("10.1.0.2 slots=1\n10.1.0.3 slots=1\n", ["10.1.0.2", "10.1.0.3"]),
        ("\u{FEFF}# hosts\r\nn1 slots=1 max-slots=2 # one\r\n\r\nn2 slots = 1 // two\r\n", ["n1", "n2"]),
        ("n1 /* the\nfirst */ /* no slots */\n/* n3 slots=1 */ n2 cpu=2", []),
        ("n1 count=1\n/* n3 slots=1\n*/ n2 max_slots=3 cpu=2", ["n1", "n2"]),
    ]) func namesOfHostsAreKeptWhole(_ hostfile: String, _ names: [String]) throws {
        let (plan, file) = try plan(hostfile)
        guard !names.isEmpty else {
            #expect(plan.status == 65 && plan.diagnosis.hasPrefix("\(file):1: expected `n1 slots="))
            return
        }
        #expect(plan.status == 0, "\(plan.diagnosis)")
        let map = try Map(plan.output.split(separator: " ").dropFirst().dropLast(2).map(String.init))
        #expect(map.ranks == Dictionary(uniqueKeysWithValues: names.map { ($0, 1) }), "\(plan.output)")
    }

    /// mpirun would refuse these later, in its own words, or leave out a part of them.
    @Test(arguments: [
        ("n1 slots=4\nme@n2 slots=4\n", 2, "no user with a host here; write `n2`"),
        ("n1 slots=4 user-name=me\n", 1, "no user with a host here; write `n1`"),
        ("fe80::1 slots=4\n", 1, "`fe80::1`: mpirun takes no IPv6 address"),
        ("# one\n[2001:db8::7] slots=4\n", 2, "mpirun takes no IPv6 address"),
        ("no_de slots=4\n", 1, "`no_de` is no name of a host"), ("a,b slots=4\n", 1, "`a,b` is no name"),
        ("-oProxyCommand=x slots=4\n", 1, "is no name"), ("nod\u{E9} slots=4\n", 1, "is no name"),
        ("+n1 slots=4\n", 1, "`+n1` is no name"), ("n1:4 slots=4\n", 1, "`n1:4` is no name"),
        ("n1 slots=4x\n", 1, "`slots=4x`: expected a whole number"), ("n1 slots=-2\n", 1, "`slots=-2`"),
        ("n1 slots=9999999\n", 1, "`slots=9999999`"), ("n1 slots 4\n", 1, "`slots`: expected a whole number"),
        ("n1 slots=4 slots=2\n", 1, "a second time"), ("n1 slots=4 threads=2\n", 1, "does not know `threads=2`"),
        ("n1 slots=8 max_slots=4\n", 1, "max_slots=4 is less than slots=8"),
        ("n1 slots=4\nn2 slots=1\nN1 slots=4\n", 3, "N1 is in line 1 already"),
    ]) func linesThatMpirunWouldNotTakeAreNamed(_ hostfile: String, _ line: Int, _ text: String) throws {
        let (plan, file) = try plan(hostfile)
        #expect(plan.status == 65 && plan.output.isEmpty, "\(plan.output)")
        #expect(plan.diagnosis.hasPrefix("\(file):\(line): ") && plan.diagnosis.contains(text), "\(plan.diagnosis)")
        #expect(plan.diagnosis.split(separator: "\n").count == 1, "\(plan.diagnosis)")
    }

    /// Names with dots are kept whole where another program hands them to mpirun, unless the user has decided.
    @Test func namesOfOtherListsAreKeptWhole() throws {
        func keeps(_ environment: [String: String]) throws -> Bool {
            let plan = try script("scripts/launch", ["--dry-run", "--", "bench"], environment: environment)
            #expect(plan.status == 0, "\(plan.diagnosis)")
            return plan.output.contains("--mca orte_keep_fqdn_hostnames 1")
        }
        try withTemporaryDirectory { directory in
            let file = "\(directory)/nodes"
            try AtomicFile.write("worker.1.foo.net\nworker.2.foo.net\n", to: file)
            for name in ["PBS_NODEFILE", "PE_HOSTFILE", "OMPI_MCA_orte_default_hostfile"] {
                #expect(try keeps([name: file]), "\(name)")
                #expect(try !keeps([name: file, "OMPI_MCA_orte_keep_fqdn_hostnames": "0"]), "\(name)")
            }
        }
        #expect(try keeps(["SLURM_JOB_NODELIST": "n[1-2].foo.net"]))
        #expect(try !keeps(["SLURM_JOB_NODELIST": "n[1-2]"]))
    }

    @Test(arguments: ["launch", "launch-local", "supervise"]) func emptyNamesAreRefused(_ name: String) throws {
        let option = name == "launch-local" ? "--root" : "--hostfile"
        for arguments in [[option, "", "--", "train"], [option]] {
            let run = try script("scripts/\(name)", arguments)
            #expect(run.status == 64 && run.diagnosis.hasPrefix("\(name): \(option) needs a "), "\(run.diagnosis)")
        }
    }

    /// A machine as /proc and /sys show it, for `launch-local --root`.
    private struct Machine {
        var domains = 1
        var cores = 1  // in each domain
        var hardwareThreads = 1  // of each core
        var allowed: String?
        var files: [String: String] = [:]

        func write(to root: String) throws {
            var files = files
            let all = domains * cores
            files["proc/self/status"] =
                "Name:\tsh\nCpus_allowed_list:\t\(allowed ?? "0-\(all * hardwareThreads - 1)")\n"
            files["proc/self/cgroup", default: ""] += "0::/\n"
            for cpu in 0..<all * hardwareThreads {
                let core = cpu % all
                let siblings = (0..<hardwareThreads).map { "\(core + $0 * all)" }.joined(separator: ",")
                let place = "sys/devices/system/cpu/cpu\(cpu)"
                files["\(place)/topology/thread_siblings_list"] = siblings + "\n"
                files["\(place)/node\(core / cores)/cpulist"] = ""
            }
            for (path, text) in files {
                let url = URL(fileURLWithPath: "\(root)/\(path)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: false, encoding: .utf8)
            }
        }
    }

    private func choice(_ machine: Machine, replicas: Int = 8, _ options: String...) throws -> String {
        try withTemporaryDirectory { root in
            try machine.write(to: root)
            let run = try script(
                "scripts/launch-local",
                ["--root", root, "--dry-run"] + options + [
                    "--", "train", "--data", "d", "--run", "r", "--set", "replicas=\(replicas)",
                ])
            #expect(run.status == 0, "\(run.diagnosis)")
            #expect(run.diagnosis.split(separator: "\n").count == 1, "\(run.diagnosis)")
            return run.output.split(separator: " ").dropFirst().prefix { $0 != "--" }.joined(separator: " ")
        }
    }

    /// The most cores, no rank across domains, near 8 threads, ranks that divide the replicas.
    @Test func ranksAndThreadsFitTheMachine() throws {
        #expect(try choice(Machine(cores: 2)) == "--ranks 1 --threads 2")
        #expect(try choice(Machine(cores: 16)) == "--ranks 2 --threads 8")
        #expect(try choice(Machine(cores: 12)) == "--ranks 2 --threads 6")
        #expect(try choice(Machine(cores: 7)) == "--ranks 1 --threads 7")
        #expect(try choice(Machine(domains: 2, cores: 32)) == "--ranks 8 --threads 8 --per-domain 4")
        #expect(
            try choice(Machine(domains: 2, cores: 20, hardwareThreads: 2)) == "--ranks 8 --threads 5 --per-domain 4")
        #expect(try choice(Machine(domains: 2, cores: 32), replicas: 2) == "--ranks 2 --threads 32 --per-domain 1")
        #expect(try choice(Machine(domains: 2, cores: 4), replicas: 1) == "--ranks 1 --threads 8")
    }

    /// The cpuset counts, hardware threads count once, and a quota leaves the placing to the system.
    @Test func onlyWhatMayBeUsed() throws {
        let pinned = Machine(domains: 2, cores: 8, hardwareThreads: 2, allowed: "2-5,18-21")
        #expect(try choice(pinned) == "--ranks 1 --threads 4")
        #expect(try choice(Machine(domains: 2, cores: 8, allowed: "4-11")) == "--ranks 2 --threads 4 --per-domain 1")
        #expect(try choice(Machine(cores: 16), "--cores", "4") == "--ranks 1 --threads 4 --unbound")

        var container = Machine(cores: 16)
        container.files = ["sys/fs/cgroup/cpu.max": "600000 100000\n"]
        #expect(try choice(container) == "--ranks 1 --threads 6 --unbound")
        container.files = ["sys/fs/cgroup/cpu.max": "max 100000\n"]
        #expect(try choice(container) == "--ranks 2 --threads 8")
        // Version 1, a limit in the group above.
        container.files = [
            "proc/self/cgroup": "3:cpu,cpuacct:/pod/box\n",
            "sys/fs/cgroup/cpu/pod/box/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/pod/box/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us": "350000\n",
            "sys/fs/cgroup/cpu/pod/cpu.cfs_period_us": "100000\n",
        ]
        #expect(try choice(container) == "--ranks 1 --threads 3 --unbound")
    }

    /// Ranks for each domain come to lie evenly: each rank on cores of its own, on both hosts alike.
    @Test func domainsAreFilledEvenly() throws {
        let plan = try script(
            "scripts/launch",
            ["--ranks", "4", "--threads", "12", "--per-domain", "1", "--hostfile", "hostfiles/cluster", "--dry-run"]
                + ["--", "bench"])
        let map = try Map(plan.output.split(separator: " ").dropFirst().dropLast(2).map(String.init))
        #expect(map.ranks == ["node01": 2, "node02": 2] && map.cores == [12, 12, 12, 12], "\(plan.output)")
        #expect(map.sockets == [0, 1, 0, 1])
    }
}
