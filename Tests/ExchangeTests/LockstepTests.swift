import MPI
import Synchronization
import Testing

@testable import Exchange

@Suite struct LockstepTests {
    private func bytes(_ values: [Double]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

    /// Runs replicas that each make a sum of their one number, and then one of what they were given.
    private func sums(_ values: [Double], gather: Lockstep.Gathering?) throws -> [[Double]] {
        let lockstep = Lockstep(replicas: values.count)
        let results = Mutex<[[Double]]>(values.map { _ in [] })
        try lockstep.run(gather: gather) { replica in
            let first = lockstep.sum([values[replica], 1], of: replica)
            let second = lockstep.sum(first.map { $0 + Double(replica) }, of: replica)
            results.withLock { $0[replica] = first + second }
        }
        return results.withLock { $0 }
    }

    /// Numbers of which the tree's sum is 0, and that of any sequence is not.
    @Test func sumsFollowTheTreeWhateverTheRanks() throws {
        let values = [1e16, 1, -1e16, 1]
        let alone = try sums(values, gather: nil)
        #expect(alone == Array(repeating: [0, 4, 6, 22], count: 4))
        #expect(((values[0] + values[1]) + values[2]) + values[3] == 1)
        // Two ranks of two replicas: what the other one gives in the first sum and in the second.
        let other = Mutex([bytes([2, 6, 3, 7]), bytes([-1e16, 1, 1, 1])])
        let shared = try sums([1e16, 1]) { own in [own, other.withLock { $0.removeLast() }] }
        #expect(shared == Array(repeating: [0, 4, 6, 22], count: 2))
    }

    /// An exchange that fails leaves no replica waiting for ever.
    @Test func aFailureIsThrownWhenAllAreDone() throws {
        let ended = Atomic(0)
        let error = #expect(throws: MPIError.self) {
            let lockstep = Lockstep(replicas: 3)
            try lockstep.run(gather: { _ in throw MPIError(code: 1, function: "MPI_Allgather") }) { replica in
                for _ in 0..<2 { _ = lockstep.sum([1], of: replica) }
                ended.add(1, ordering: .relaxed)
            }
        }
        #expect(error?.function == "MPI_Allgather" && ended.load(ordering: .relaxed) == 3)
    }
}
