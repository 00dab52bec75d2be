import Testing

@testable import Diagnosis

@Suite struct RankTableTests {
    @Test func rowForEachRank() {
        #expect(
            RankTable(Survey.made(2)).lines == [
                "rank  host   processors  cores  NUMA  threads  memory",
                "   0  node1  0-7             8     0        8  64 GiB",
                "   1  node1  8-15            8     0        8  64 GiB",
            ])
    }

    @Test func rowForEachHost() {
        let survey = Survey.made(24) {
            $0.host = "node\($0.rank / 8)"
            $0.measures.stepSeconds = 0.5 + Double($0.rank) / 100
        }
        #expect(
            RankTable(survey).lines == [
                " rank  host   processors  cores  NUMA  threads  memory  s/step",
                "  0-7  node0  0-63           64     0    8 x 8  64 GiB    0.57",
                " 8-15  node1  0-63           64     0    8 x 8  64 GiB    0.65",
                "16-23  node2  0-63           64     0    8 x 8  64 GiB    0.73",
            ])
    }

    @Test func rowForHostsAlike() {
        let survey = Survey.made(10_000) {
            $0.host = "node\($0.rank / 8)"
            if $0.host == "node7" { $0.threads = 4 }
        }
        let lines = RankTable(survey).lines
        #expect(lines.count == 3)
        #expect(lines[1].contains("1249 hosts (node0 … node1249)") && lines[1].contains("8 x 8"))
        #expect(lines[2].contains("56-63  node7") && lines[2].contains("8 x 4"))
    }

    @Test func textsOfAJob() {
        let lines = Survey.made(2, plan: .made) { $0.measures.stepSeconds = 0.7 }.lines
        #expect(lines[0] == "luna 1.0, 2 ranks on 1 host")
        #expect(
            lines[1] == "MPI: Open MPI v4.1.4; ob1 over self, tcp, vader in use, from which follows: "
                + "shared memory (vader) within a host, TCP (eth0) between hosts")
        #expect(
            lines.contains(
                "step: 8 replicas of 1 x 96^3, 0.70 s each; 512 MiB a rank (by a formula: no step was tried)"))
    }

    /// A run's hours are its steps times the replicas of a rank on the slowest one, and the exchange.
    @Test func hoursOfARun() {
        var plan = RunPlan.made
        plan.steps = 10_000
        func survey(_ ranks: Int) -> Survey {
            Survey.made(ranks, plan: plan) {
                $0.measures.stepSeconds = $0.rank == 0 ? 0.8 : 0.7
                $0.measures.reductionSeconds = ranks > 1 ? 0.1 : nil
            }
        }
        #expect(survey(1).estimatedStepSeconds == 8 * 0.8)
        #expect(survey(1).estimatedSeconds == 64_000)
        #expect(survey(4).estimatedStepSeconds == 2 * 0.8 + 0.1)
        #expect(survey(8).estimatedSeconds.map { ($0 - 9000).magnitude < 1e-6 } == true)
        let words = "run: 10000 steps of about 0.90 s, 2 h 30 min in all, without reading, validation, "
        #expect(survey(8).lines.contains { $0.hasPrefix(words) })
        plan.stepsPerReduction = 50
        #expect(survey(8).estimatedStepSeconds.map { ($0 - 0.802).magnitude < 1e-9 } == true)
        plan.refusal = "8 replicas over 3 ranks"
        #expect(survey(3).estimatedSeconds == nil)
        plan.refusal = nil
        plan.steps = nil
        #expect(survey(8).estimatedSeconds == nil && !survey(8).lines.contains { $0.hasPrefix("run:") })
    }
}
