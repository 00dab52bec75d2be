import FileIO
import MPI
import Testing

@testable import Training

/// A rank of three whose others hold what the test says.
private final class ScriptedCommunicator: Communicator {
    let rank = 0
    var size: Int { 1 + others.count }
    let hostName = "scripted"
    private let others: [[UInt8]]

    init(others: [[UInt8]]) { self.others = others }

    func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] + others }
    func barrier() {}
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
    func sum(_ values: inout [Int]) {}
    func maximum(_ values: inout [Double]) {}
    func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
    func share(_ values: UnsafeMutableBufferPointer<Float>, parts: [Range<Int>]) {}
    func startSum(_ values: [Int]) -> any PendingSum { KnownSum(values) }
    func split(_ color: Int) -> any Communicator { self }
    func messenger() -> (any Messenger)? { nil }
    func abort(_ status: Int32) {}
}

@Suite struct AgreementTests {
    private func digest(_ values: [Float]) -> Digest {
        var digest = Digest()
        digest.add(values)
        return digest
    }

    private func text(_ values: [Float]) -> [UInt8] { Array(digest(values).text.utf8) }

    @Test func equalRanksAgree() throws {
        let communicator = ScriptedCommunicator(others: [text([1, 2]), text([1, 2])])
        try Agreement.check(digest([1, 2]), of: "the state", communicator)
    }

    /// One bit of one number on one rank, a zero's sign included.
    @Test(arguments: [[Float(1).nextUp, 0], [1, -0.0]]) func oneBitIsNoticed(_ values: [Float]) {
        let communicator = ScriptedCommunicator(others: [text([1, 0]), text(values)])
        let error = #expect(throws: DisagreementError.self) {
            try Agreement.check(digest([1, 0]), of: "the state at step 100", communicator)
        }
        #expect(error?.description.contains("the state at step 100 differs between rank 0 and rank 2:") == true)
    }

    /// Those that differ from most are named, rank 0 as well.
    @Test func theOddOneIsNamed() {
        let communicator = ScriptedCommunicator(others: [text([1]), text([1])])
        let error = #expect(throws: DisagreementError.self) {
            try Agreement.check(digest([2]), of: "the state", communicator)
        }
        #expect(error?.description.contains("differs between rank 1 and rank 0:") == true)
        let all = ScriptedCommunicator(others: [text([1]), text([3])])
        let other = #expect(throws: DisagreementError.self) {
            try Agreement.check(digest([2]), of: "the state", all)
        }
        #expect(other?.description.contains("differs between rank 0 and rank 1, 2:") == true)
    }

    /// Groups may hold different things, their ranks may not.
    @Test func groupsAreComparedEachForItself() throws {
        let good = ScriptedCommunicator(others: [[1], [2], [2]].map(text))
        try Agreement.check(digest([1]), of: "the state", good, group: 2)
        let bad = ScriptedCommunicator(others: [[1], [2], [3]].map(text))
        let error = #expect(throws: DisagreementError.self) {
            try Agreement.check(digest([1]), of: "the state", bad, group: 2)
        }
        #expect(error?.description.contains("differs between rank 2 and rank 3:") == true)
    }

    /// The strands of a digest: every bit counts, whatever strand or remainder it falls into, and so does the order.
    @Test(arguments: [8, 9, 15, 16, 1000]) func strandsNoticeOneBit(_ count: Int) {
        func digest(_ values: [Float]) -> Digest {
            var digest = Digest()
            digest.addStrands(values)
            return digest
        }
        let values = (0..<count).map { Float($0) }
        #expect(digest(values) == digest(values))
        for index in 0..<count {
            for bit in [0, 20, 31] {
                var changed = values
                changed[index] = Float(bitPattern: changed[index].bitPattern ^ 1 << UInt32(bit))
                #expect(digest(changed) != digest(values), "bit \(bit) of \(index)")
            }
        }
        var swapped = values
        swapped.swapAt(0, 2)
        #expect(digest(swapped) != digest(values))
        #expect(digest(values + [0]) != digest(values))
    }
}
