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

    private func namespaces(of network: String) throws -> [Substring] {
        try script("ip", ["netns", "list"]).output.split(separator: "\n").filter { $0.hasPrefix("\(network)-") }
    }

    /// A rank on each of two hosts gives the bits of a single process, over links that are cut off from all others.
    @Test(.enabled(if: hasHosts)) func twoHostsGiveTheSameBits() throws {
        let truth = try UndisturbedRun.oneEpoch("float32").digest()
        try withTinyRuns(["epochs": "1"]) { runs in
            let apart = runs.run()
            let run = try script(
                "scripts/hosts",
                ["run", "--name", "lunatesta", "--rate", "1gbit", "--", "scripts/launch", "--ranks", "2", "--unbound"]
                    + ["--hostfile", "{hosts}", "--"] + apart.train())
            #expect(run.status == 0, "\(run.diagnosis)")
            for node in [1, 2] { #expect(run.diagnosis.contains("\n   \(node - 1)  node\(node)  ")) }
            #expect(try apart.digest() == truth)
            #expect(try namespaces(of: "lunatesta").isEmpty)
        }
    }

    /// A host that is cut off ends the job within seconds; it is resumed on the host that is left, to the same bits.
    @Test(.enabled(if: hasHosts)) func aHostIsCutOff() throws {
        let truth = try UndisturbedRun.whole.get().digest()
        try withTinyRuns { runs in
            let run = runs.run()
            let job = try script(
                "scripts/hosts",
                ["run", "--name", "lunatestb", "--", "scripts/supervise", "--wait", "0", "--unbound"]
                    + ["--hostfile", "{hosts}", "--"] + run.train(),
                environment: [
                    "OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
                    "OMPI_MCA_oob_tcp_keepalive_probes": "2",
                    // Leaves time to cut the host off.
                    "LUNA_FAULT": "slow:rank=1:phase=forward:seconds=0.5",
                ]
            ) { job in
                job.wait { FileContent.size(run.latest) != nil }
                _ = try script("scripts/hosts", ["cut", "--name", "lunatestb", "node2"])
            }
            #expect(job.status == 0, "\(job.diagnosis)")
            for text in ["2 ranks of 1 thread on 2 hosts", "node2 does not answer", "1 rank of 1 thread on 1 host"] {
                #expect(job.diagnosis.contains(text), "\(job.diagnosis)")
            }
            #expect(try run.digest() == truth)
            #expect(try namespaces(of: "lunatestb").isEmpty)
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
        let name = "lunatest\(option.dropFirst(2).first ?? "x")"
        let run = try script(
            "scripts/hosts",
            ["run", "--name", name, option, value, "--", "mpirun", "-n", "2", lunaPath, "bench"]
                + ["allreduce", "--replicas", "2", "--steps", "1", "--json"])
        let line = try #require(run.output.split(separator: "\n").last, "\(run.diagnosis)")
        let rows = try JSONDecoder().decode([Row].self, from: Data(line.utf8))
        let tree = try #require(rows.first { $0.mode == "tree" })
        #expect(tree.seconds > least, "\(line)")
    }

    @Test func wrongUseOfHostsIsNamed() throws {
        for (arguments, text) in [
            (["run", "--hosts", "0", "--", "true"], "--hosts"), (["run"], "no command"), (["walk"], "unknown walk"),
            (["cut", "node1"], "which network?"),
        ] {
            let run = try script("scripts/hosts", arguments)
            #expect([64, 69].contains(run.status) && run.diagnosis.contains(run.status == 64 ? text : "needs"))
        }
    }
}
