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
