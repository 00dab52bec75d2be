import Inference
import Testing

@Suite struct ScanSearchTests {
    /// Every scan is searched once, the largest first, and no rank has more than the bound of Graham's theorem.
    @Test(arguments: 1...5) func sharesAreEven(_ ranks: Int) {
        let voxels = (0..<37).map { ($0 * 7919 + 13) % 101 + 5 }
        let shares = ScanSearch.shares(voxels, ranks: ranks)
        #expect(shares.count == ranks)
        #expect(shares.flatMap(\.self).sorted() == Array(voxels.indices))
        for share in shares { #expect(share.map { voxels[$0] } == share.map { voxels[$0] }.sorted(by: >)) }
        let loads = shares.map { $0.reduce(0) { $0 + voxels[$1] } }
        let ideal = Double(voxels.reduce(0, +)) / Double(ranks)
        #expect(Double(loads.max() ?? 0) <= ideal * 4 / 3)
    }

    /// Graham's own worst case for two: 3, 3, 2, 2, 2 takes 7 where 6 would do.
    @Test func knownSchedule() {
        #expect(ScanSearch.shares([2, 3, 2, 3, 2], ranks: 2) == [[1, 0, 4], [3, 2]])
        #expect(ScanSearch.shares([5], ranks: 3) == [[0], [], []])
        #expect(ScanSearch.shares([], ranks: 2) == [[], []])
    }
}
