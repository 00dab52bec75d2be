import FileIO
import Foundation
import TestSupport
import Testing

/// `scripts/hosts`: training across a network, where network namespaces may be made.
extension LaunchTests {
    /// Whether two hosts can be made here, with links of a rate.
    static let hasHosts: Bool = {
        let run = try? LaunchScript("scripts/hosts", ["run", "--rate", "1gbit", "--", "hostname"])
        return run?.status == 0 && run?.output == "node1\n"
    }()

    private func namespaces(of network: String) throws -> [Substring] {
        try LaunchScript("ip", ["netns", "list"]).output.split(separator: "\n").filter { $0.hasPrefix("\(network)-") }
    }

    /// A rank on each of two hosts gives the bits of a single process, over links that are cut off from all others.
    @Test(.enabled(if: hasHosts), .timeLimit(.minutes(4))) func twoHostsGiveTheSameBits() throws {
        try TrainingCommandTests().withRuns { data, directory, config in
            let settings = ["--data", data, "--config", config, "--set", "epochs=1"]
            let alone = try LunaProcess(["train", "--run", "\(directory)/alone"] + settings)
            #expect(alone.status == 0, "\(alone.diagnosis)")
            let run = try LaunchScript(
                "scripts/hosts",
                ["run", "--name", "lunatesta", "--rate", "1gbit", "--", "scripts/launch", "--ranks", "2", "--unbound"]
                    + ["--hostfile", "{hosts}", "--", "train", "--run", "\(directory)/apart"] + settings)
            #expect(run.status == 0, "\(run.diagnosis)")
            for node in [1, 2] { #expect(run.diagnosis.contains("\n   \(node - 1)  node\(node)  ")) }
            let digest = try #require(try LaunchScript.digest("\(directory)/alone"))
            #expect(try LaunchScript.digest("\(directory)/apart") == digest)
            #expect(try namespaces(of: "lunatesta").isEmpty)
        }
    }

    /// A host that is cut off ends the job within seconds; it is resumed on the host that is left, to the same bits.
    @Test(.enabled(if: hasHosts), .timeLimit(.minutes(4))) func aHostIsCutOff() throws {
        try TrainingCommandTests().withRuns { data, directory, config in
            let settings = ["--data", data, "--config", config]
            let whole = try LunaProcess(["train", "--run", "\(directory)/whole"] + settings)
            #expect(whole.status == 0, "\(whole.diagnosis)")
            let run = "\(directory)/run"
            let cutter = Thread {
                while FileContent.size("\(run)/checkpoints/latest") == nil { Thread.sleep(forTimeInterval: 0.02) }
                _ = try? LaunchScript("scripts/hosts", ["cut", "--name", "lunatestb", "node2"])
            }
            cutter.start()
            let job = try LaunchScript(
                "scripts/hosts",
                ["run", "--name", "lunatestb", "--", "scripts/supervise", "--wait", "0", "--unbound"]
                    + ["--hostfile", "{hosts}", "--", "train", "--run", run] + settings,
                environment: [
                    "OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
                    "OMPI_MCA_oob_tcp_keepalive_probes": "2",
                ])
            #expect(job.status == 0, "\(job.diagnosis)")
            for text in ["2 ranks of 1 thread on 2 hosts", "node2 does not answer", "1 rank of 1 thread on 1 host"] {
                #expect(job.diagnosis.contains(text), "\(job.diagnosis)")
            }
            let digest = try #require(try LaunchScript.digest("\(directory)/whole"))
            #expect(try LaunchScript.digest(run) == digest)
            #expect(try namespaces(of: "lunatestb").isEmpty)
        }
    }

    /// Rate and delay are what was asked for: an exchange of 21.5 MB cannot be faster than they allow, in s.
    @Test(
        .enabled(if: hasHosts), .timeLimit(.minutes(4)),
        // A rank sends half of it twice; the second half after it has got the first.
        arguments: [("--rate", "100mbit", 21.5e6 * 8 / 100e6 * 0.95), ("--delay", "100ms", 0.2)]
    ) func linksAreAsAsked(_ option: String, _ value: String, _ least: Double) throws {
        struct Row: Decodable {
            let mode: String
            let seconds: Double
        }
        if option == "--delay", try LaunchScript("scripts/hosts", ["offers"]).output.contains("delay: none") { return }
        let name = "lunatest\(option.dropFirst(2).first ?? "x")"
        let run = try LaunchScript(
            "scripts/hosts",
            ["run", "--name", name, option, value, "--", "mpirun", "-n", "2", LunaProcess.executable.path, "bench"]
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
            let run = try LaunchScript("scripts/hosts", arguments)
            #expect([64, 69].contains(run.status) && run.diagnosis.contains(run.status == 64 ? text : "needs"))
        }
    }
}
