import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/hosts`: training across a network, where network namespaces may be made.
@Suite(.runsPrograms) struct HostsTests {
    /// Whether two hosts can be made here, with links of a rate.
    static let hasHosts: Bool = {
        let run = try? script("scripts/hosts", ["run", "--rate", "1gbit", "--", "hostname"])
        return run?.status == 0 && run?.output == "node1\n"
    }()

    /// A network's name that other runs of the tests do not have at the same time: 15 letters and digits at most.
    private func network(_ letter: Character) -> String { "test\(letter)\(getpid())" }

    private func namespaces(of network: String) throws -> [Substring] {
        try script("ip", ["netns", "list"]).output.split(separator: "\n").filter { $0.hasPrefix("\(network)-") }
    }

    /// A rank on each of two hosts gives the bits of a single process, over links that are cut off from all others.
    @Test(.enabled(if: hasHosts)) func twoHostsGiveTheSameBits() throws {
        let truth = try UndisturbedRun.oneEpoch("float32").digest()
        let network = network("a")
        try withTinyRuns(["epochs": "1"]) { runs in
            let apart = runs.run()
            let run = try script(
                "scripts/hosts",
                ["run", "--name", network, "--rate", "1gbit", "--", "scripts/launch", "--ranks", "2", "--unbound"]
                    + ["--hostfile", "{hosts}", "--"] + apart.train())
            #expect(run.status == 0, "\(run.diagnosis)")
            for node in [1, 2] { #expect(run.diagnosis.contains("\n   \(node - 1)  node\(node)  ")) }
            #expect(try apart.digest() == truth)
            #expect(try namespaces(of: network).isEmpty)
        }
    }

    /// A host that is cut off ends the job within seconds; it is resumed on the host that is left, to the same bits.
    @Test(.enabled(if: hasHosts)) func aHostIsCutOff() throws {
        let truth = try UndisturbedRun.whole.get().digest()
        let network = network("b")
        try withTinyRuns { runs in
            let run = runs.run()
            let job = try script(
                "scripts/hosts",
                ["run", "--name", network, "--", "scripts/supervise", "--wait", "0", "--unbound"]
                    + ["--hostfile", "{hosts}", "--"] + run.train(),
                environment: [
                    "OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
                    "OMPI_MCA_oob_tcp_keepalive_probes": "2",
                    // Leaves time to cut the host off.
                    "LUNA_FAULT": "slow:rank=1:phase=forward:seconds=0.5",
                ]
            ) { job in
                job.wait { FileContent.size(run.latest) != nil }
                _ = try script("scripts/hosts", ["cut", "--name", network, "node2"])
            }
            #expect(job.status == 0, "\(job.diagnosis)")
            for text in ["2 ranks of 1 thread on 2 hosts", "node2 does not answer", "1 rank of 1 thread on 1 host"] {
                #expect(job.diagnosis.contains(text), "\(job.diagnosis)")
            }
            #expect(try run.digest() == truth)
            #expect(try namespaces(of: network).isEmpty)
        }
    }

    /// Rate and delay are what was asked for: an exchange of 21.5 MB cannot be faster than they allow, in s.
    @Test(
        .enabled(if: hasHosts),
        // A rank sends half of it twice; the second half after it has got the first.
        arguments: [("--rate", "100mbit", 21.5e6 * 8 / 100e6 * 0.95), ("--delay", "100ms", 0.2)]
    ) func linksAreAsAsked(_ option: String, _ value: String, _ least: Double) throws {
        struct Row: Decodable {
            let mode: String
            let seconds: Double
        }
        if option == "--delay", try script("scripts/hosts", ["offers"]).output.contains("delay: none") { return }
        let name = network(option.dropFirst(2).first ?? "x")
        let run = try script(
            "scripts/hosts",
            ["run", "--name", name, option, value, "--", "mpirun", "-n", "2", lunaPath, "bench"]
                + ["allreduce", "--replicas", "2", "--steps", "1", "--json"])
        let line = try #require(run.output.split(separator: "\n").last, "\(run.diagnosis)")
        let rows = try JSONDecoder().decode([Row].self, from: Data(line.utf8))
        let tree = try #require(rows.first { $0.mode == "tree" })
        #expect(tree.seconds > least, "\(line)")
    }

    /// The next `run` of that name removes with a note what a killed one has left; what `up` has made stays, and so
    /// does what belongs to a process that runs.
    @Test(.enabled(if: hasHosts)) func aKilledRunsNetworkIsRemoved() throws {
        let (left, kept) = (network("k"), network("u"))
        func hosts(_ arguments: String...) throws -> ProgramRun { try script("scripts/hosts", arguments) }
        defer { for name in [left, kept] { _ = try? hosts("down", "--name", name) } }
        func isUp(_ name: String) throws -> Bool { try namespaces(of: name).count == 3 }

        #expect(try hosts("up", "--name", kept).status == 0)
        var owner: Int32 = 0
        let killed = try script("scripts/hosts", ["run", "--name", left, "--", "sleep", "100"]) { job in
            job.wait { (try? hosts("on", "--name", left, "node2", "hostname").output) == "node2\n" }
            let refused = try hosts("run", "--name", left, "--", "true")
            #expect(refused.status == 64 && refused.diagnosis.contains("there is a network \(left)"))
            owner = job.identifier
            job.send(SIGKILL, toDescendants: true)
        }
        #expect(try killed.status == SIGKILL && isUp(left) && isUp(kept))
        for note in ["hosts: removing the network \(left), as process \(owner), whose it was, is gone\n", ""] {
            let run = try hosts("run", "--name", left, "--", "hostname")
            #expect(run.status == 0 && run.output == "node1\n" && run.diagnosis == note, "\(run.diagnosis)")
        }
        #expect(try namespaces(of: left).isEmpty && isUp(kept))
        let refused = try hosts("run", "--name", kept, "--", "true")
        #expect(try refused.status == 64 && isUp(kept), "\(refused.diagnosis)")

        // The number of a process that runs, but of one that started at another time, or before the machine did.
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        for owner in ["\(getpid()) 1 \(boot)", "\(getpid()) 1 another"] {
            #expect(try hosts("up", "--name", left).status == 0)
            try owner.write(toFile: "/run/luna-hosts/\(left)/owner", atomically: false, encoding: .utf8)
            let run = try hosts("run", "--name", left, "--", "true")
            #expect(run.status == 0 && run.diagnosis.contains("removing the network \(left)"), "\(run.diagnosis)")
        }
    }

    @Test func wrongUseOfHostsIsNamed() throws {
        for (arguments, text) in [
            (["run", "--hosts", "0", "--", "true"], "--hosts"), (["run"], "no command"), (["walk"], "unknown walk"),
            (["cut", "node1"], "which network?"), (["down"], "which network?"), (["run", "--name"], "--name needs"),
            (["down", "--name", "../x"], "letters and digits"), (["up", "--name", "Upper"], "letters and digits"),
            (["on", "--name", "..", "node1", "true"], "letters and digits"), (["mend", "--name", "a"], "mend NODE"),
        ] {
            let run = try script("scripts/hosts", arguments)
            #expect([64, 69].contains(run.status) && run.diagnosis.contains(run.status == 64 ? text : "needs"))
        }
    }
}
