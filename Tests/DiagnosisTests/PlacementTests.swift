import Testing

@testable import Diagnosis

@Suite struct PlacementTests {
    @Test func nothingToSay() {
        #expect(Survey.made(8, plan: .made).findings == [])
        #expect(Finding.summary([]) == "no problems")
    }

    @Test func ranksOnTheSameProcessors() {
        let crowded = Survey.made(4) { $0.processors = NumberSet(0...7) }
        #expect(crowded.texts("processors") == ["warning: ranks 0-3 on node1: 32 threads share 8 processors (0-7)"])
        #expect(crowded.findings[0].remedy.contains("slot:PE=2"))
        #expect(crowded.findings[0].ranks == NumberSet(0...3))

        let unbound = Survey.made(4) {
            $0.processors = NumberSet(0...31)
            $0.cores = $0.processors
            $0.hostProcessors = 32
        }
        #expect(unbound.texts("processors") == ["note: ranks 0-3 on node1: not bound: each may run on all of 0-31"])
    }

    @Test func moreRanksThanProcessors() {
        let crowded = Survey.made(3) {
            $0.processors = NumberSet(0...1)
            $0.hostProcessors = 2
            $0.threads = 1
        }
        #expect(crowded.texts("processors") == ["warning: ranks 0-2 on node1: 3 threads share 2 processors (0-1)"])
        #expect(crowded.findings[0].remedy.hasPrefix("start 2 ranks here"))
    }

    @Test func moreThreadsThanProcessors() {
        let bound = Survey.made(2) { if $0.rank == 1 { $0.processors = NumberSet([9]) } }
        #expect(bound.texts("processors") == ["warning: rank 1 on node1: 8 threads share 1 processor (9)"])
        #expect(bound.findings[0].remedy.contains("PE=8"))
    }

    @Test func processorsThatOverlapInPart() {
        let survey = Survey.made(3) { if $0.rank == 1 { $0.processors = NumberSet(4...11) } }
        #expect(survey.texts("processors") == ["warning: ranks 0-1 on node1: their processors overlap"])
        // On different hosts there is nothing to overlap.
        let apart = Survey.made(2) {
            $0.processors = NumberSet(0...7)
            $0.host = "node\($0.rank)"
        }
        #expect(apart.findings == [])
    }

    @Test func hardwareThreadsOfTheSameCores() {
        let siblings = Survey.made(2) {
            $0.processors = NumberSet($0.rank == 0 ? 0...7 : 8...15)
            $0.cores = NumberSet(0...7)
        }
        #expect(
            siblings.texts("processors") == [
                "warning: ranks 0-1 on node1: they run on hardware threads of the same cores"
            ])
        let both = Survey.made(1) { $0.cores = NumberSet(0...3) }
        #expect(both.texts("threads") == ["note: rank 0 on node1: 8 threads on 4 cores"])
        #expect(both.findings[0].remedy.contains("threads=4"))
    }

    @Test func rankAcrossNodes() {
        let survey = Survey.made(2) { if $0.rank == 1 { $0.nodes = NumberSet(0...1) } }
        #expect(survey.texts("NUMA") == ["warning: rank 1 on node1: processors on 2 NUMA nodes (0-1)"])
    }

    @Test func processorsWithoutWork() {
        let bound = Survey.made(2) {
            $0.hostProcessors = 64
            $0.processors = NumberSet([$0.rank])
            $0.cores = $0.processors
            $0.threads = 1
        }
        #expect(
            bound.texts("processors") == [
                "warning: ranks 0-1 on node1: 2 threads on a host with 64 processors, bound to 0-1"
            ])
        #expect(bound.findings[0].remedy.contains("slot:PE=32"))
        let chosen = Survey.made(1) { $0.threads = 2 }
        #expect(chosen.texts("processors") == ["note: rank 0 on node1: 2 threads on a host with 8 processors"])
    }

    @Test func limitedTime() {
        let limited = Survey.made(2) { $0.quota = ControlGroup.Quota(processors: 4, group: "/job") }
        #expect(
            limited.texts("processors") == [
                "warning: ranks 0-1 on node1: 16 threads, but the control group gives 4.0 processors' time"
            ])
        let enough = Survey.made(2) { $0.quota = ControlGroup.Quota(processors: 8, group: "/job/\($0.rank)") }
        #expect(enough.findings == [])
    }

    @Test func unequalHosts() {
        let survey = Survey.made(4) {
            if $0.rank >= 2 {
                $0.host = "node2"
                $0.threads = 4
                $0.processorModel = "B"
            }
        }
        #expect(
            survey.texts("threads") == [
                "warning: every step waits for the slowest, and threads differ: "
                    + "8 threads (ranks 0-1 on node1), 4 threads (ranks 2-3 on node2)"
            ])
        #expect(
            survey.texts("hosts") == ["note: the processors differ: A (ranks 0-1 on node1), B (ranks 2-3 on node2)"])
    }

    /// A finding that is the same on every host is told once.
    @Test func manyHosts() {
        let survey = Survey.made(1024) {
            $0.host = "node\($0.rank / 8)"
            $0.nodes = NumberSet(0...1)
        }
        #expect(
            survey.texts("NUMA") == [
                "warning: ranks 0-1023 on 128 hosts (node0, node1, node2, …): processors on 2 NUMA nodes (0-1)"
            ])
    }
}
