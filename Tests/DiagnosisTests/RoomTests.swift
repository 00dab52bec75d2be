import MPI
import Testing

@testable import Diagnosis

@Suite struct RoomTests {
    @Test func memory() {
        let tight = Survey.made(4, plan: .made) { $0.memoryAvailable = 1 << 30 }
        #expect(
            tight.texts("memory") == [
                "problem: ranks 0-3 on node1: 4 ranks of a host need 2048 MiB, 1024 MiB are available"
            ])
        let full = Survey.made(1, plan: .made) { $0.memoryAvailable = 540 << 20 }
        #expect(full.texts("memory") == ["warning: rank 0 on node1: needs 512 MiB, 540 MiB are available"])
        #expect(Survey.made(4) { $0.memoryAvailable = 1 << 20 }.findings == [])
    }

    /// Ranks on several hosts in turn; of one nothing is known.
    @Test func memoryByHost() {
        let hosts = HostMemory.hosts([("b", 300), ("a", 100), ("b", 200), ("a", nil), ("c", nil)])
        #expect(
            hosts == [
                .init(name: "b", ranks: [0, 2], available: 200), .init(name: "a", ranks: [1, 3], available: 100),
            ])
        #expect(hosts.map { $0.lacks(100) } == [false, true] && hosts.map { $0.lacks(101) } == [true, true])
    }

    @Test func replicas() {
        var plan = RunPlan.made
        plan.refusal = "3 ranks do not divide 8 replicas; start 1, 2, 4, 8 ranks"
        let findings = Survey.made(3, plan: plan).findings
        #expect(findings.map(\.severity) == [.problem])
        #expect(findings[0].seen == "3 ranks do not divide 8 replicas")
        #expect(findings[0].remedy == "start 1, 2, 4, 8 ranks")
    }

    @Test func clocks() {
        let survey = Survey.made(4) {
            let offsets = [0, 0.4, -2.5, 0.7]
            $0.measures.clock = ClockOffset(seconds: offsets[$0.rank], uncertainty: $0.rank == 3 ? 0.3 : 0.001)
        }
        // What the measurement cannot tell from 0.5 s is not said.
        #expect(survey.texts("clocks") == ["warning: rank 2 on node1: the clock is 2.5 s behind rank 0's"])
    }

    @Test func slowRanks() {
        let survey = Survey.made(4, plan: .made) {
            $0.measures.stepSeconds = $0.rank == 3 ? 0.9 : 0.7
            $0.measures.productSpeed = $0.rank == 1 ? 50 : 100
        }
        #expect(
            survey.texts("balance") == [
                "warning: rank 1 on node1: 50 GFLOP/s a thread, the median rank has 100",
                "warning: rank 3 on node1: 0.90 s for a step, the median rank takes 0.70 s",
            ])
        let all = Survey.made(2) { $0.measures.productSpeed = 9 }
        #expect(
            all.texts("OpenBLAS") == [
                "warning: ranks 0-1 on node1: 9 GFLOP/s a thread in matrix products, avx512 should reach 25 at least"
            ])
        // Threads that share processors are slow for that reason, which has its own finding.
        let crowded = Survey.made(2) {
            $0.processors = NumberSet(0...7)
            $0.measures.productSpeed = 9
        }
        #expect(crowded.texts("OpenBLAS").isEmpty && crowded.texts("processors").count == 1)
    }

    @Test func reading() {
        let survey = Survey.made(2, plan: .made) {
            $0.measures.stepSeconds = 0.5
            $0.measures.reading = ReadMeasurement(bytes: 3_000_000, seconds: $0.rank == 0 ? 1 : 0.1)
        }
        #expect(
            survey.texts("reading") == [
                "warning: rank 0 on node1: shards come with 3.0 MB/s, training takes 2.0 MB/s a rank"
            ])
    }

    @Test(arguments: [(0.01, nil), (0.2, "note"), (1.0, "warning")] as [(Double, String?)])
    func reduction(_ seconds: Double, _ severity: String?) {
        let survey = Survey.made(4, plan: .made) {
            $0.measures.stepSeconds = 0.7
            $0.measures.reductionSeconds = seconds
        }
        #expect(survey.findings.first?.severity.rawValue == severity)
    }

    @Test func files() {
        var survey = Survey.made(2, plan: .made) {
            $0.measures.dataFileSystem = "nfs4"
            $0.measures.dataLocks = FileLocks(whole: "No locks available")
        }
        #expect(
            survey.texts("locks") == [
                "note: ranks 0-1 on node1: the data's file system (nfs4) refuses locks: No locks available"
            ])
        survey.place = RunPlace(
            directory: "runs", fileSystem: "ext4", freeBytes: 100 << 20, refusal: "runs/a: cannot create: why")
        #expect(
            survey.texts("run directory") == [
                "problem: no checkpoint can be written: runs/a: cannot create: why",
                "problem: runs: 100 MiB free, 5 checkpoints take 250 MiB",
            ])
        #expect(Finding.summary(survey.findings) == "2 problems, 1 note")
    }
}
