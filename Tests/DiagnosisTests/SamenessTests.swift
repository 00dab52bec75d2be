import MPI
import Testing

@testable import Diagnosis

@Suite struct SamenessTests {
    @Test func differentPrograms() {
        let versions = Survey.made(3) { if $0.rank == 2 { $0.version = "1.1" } }
        #expect(
            versions.texts("luna") == [
                "problem: the ranks run different programs: luna 1.0 (ranks 0-1 on node1), luna 1.1 (rank 2 on node1)"
            ])
        let builds = Survey.made(2) { $0.executable = UInt32($0.rank + 10) }
        #expect(
            builds.texts("luna") == [
                "problem: the ranks run different programs: luna 1.0, build a (rank 0 on node1), "
                    + "luna 1.0, build b (rank 1 on node1)"
            ])
        let libraries = Survey.made(2) {
            guard $0.rank == 1 else { return }
            $0.hdf5 = "1.14.0"
            $0.transport?.library = "Open MPI v5.0.1"
        }
        #expect(libraries.findings.map(\.severity) == [.problem, .warning])
    }

    @Test func differentData() {
        let survey = Survey.made(2) { $0.measures.dataDigest = $0.rank == 0 ? "aa" : "bb" }
        #expect(
            survey.texts("data") == [
                "problem: the ranks see different data sets: data set aa (rank 0 on node1), "
                    + "data set bb (rank 1 on node1)"
            ])
    }

    @Test func arithmetic() {
        let fallback = Survey.made(2) { ($0.openBLASCore, $0.openBLASIsOutdated) = ("Prescott", true) }
        #expect(
            fallback.texts("OpenBLAS") == [
                "warning: ranks 0-1 on node1: kernels of an old processor (Prescott) on one with avx512"
            ])
        #expect(fallback.findings[0].remedy.contains("OPENBLAS_CORETYPE=SKYLAKEX"))
        let chosen = Survey.made(1) {
            ($0.openBLASCore, $0.openBLASIsOutdated, $0.openBLASCoreType) = ("Prescott", true, "PRESCOTT")
        }
        #expect(chosen.findings[0].remedy.hasPrefix("unset OPENBLAS_CORETYPE"))
        let mixed = Survey.made(2) {
            if $0.rank == 1 { ($0.openBLASCore, $0.instructionSet) = ("Haswell", "avx2") }
        }
        // Its products take no part in training, so that other kernels change no bits.
        #expect(mixed.texts("OpenBLAS").isEmpty)
        #expect(mixed.texts("instructions")[0].contains("avx512 (rank 0 on node1), avx2 (rank 1 on node1)"))
    }

    @Test func transport() {
        let slow = Survey.made(2) { $0.transport?.layers = ["self", "tcp"] }
        #expect(slow.texts("transport")[0].contains("though they share memory (layers: self, tcp)"))
        let small = Survey.made(8) { $0.sharedMemoryFree = 16 << 20 }
        #expect(small.texts("transport") == ["warning: ranks 0-7 on node1: 16 MiB free in /dev/shm for 8 ranks"])
        #expect(small.findings[0].remedy.contains("64 MiB"))
        let ignored = Survey.made(2) {
            $0.host = "node\($0.rank)"
            $0.adapters = ["mlx5_0"]
        }
        #expect(
            ignored.texts("transport") == [
                "warning: ranks 0-1 on node0, node1: messages between hosts go over TCP, though there is mlx5_0"
            ])
        var used = ignored
        for index in used.ranks.indices { used.ranks[index].transport?.messaging = "ucx" }
        #expect(used.findings == [])
    }
}
