import Basics
import CT
import Detection
import Evaluation
import MPI
import Testing

@testable import Inference

/// Searches of a scan with several networks.
@Suite struct EnsembleTests {
    private let volume: CleanVolume = {
        let extent = ZYX(32, 32, 32)
        var voxels = [UInt8](repeating: 100, count: extent.product)
        for (place, level) in [(5, 250), (17, 220), (25, 180)] {
            voxels[(place * 32 + 21) * 32 + place] = UInt8(level)
        }
        return CleanVolume(
            seriesUID: "a", extent: extent, voxels: voxels,
            frame: WorldFrame(
                origin: ZYX(-10, 20, 30), spacing: ZYX(2, 0.5, 0.5), flipped: false, scanExtent: ZYX(100, 200, 200),
                cropStart: ZYX(3, 4, 5)))
    }()

    /// A network that finds what is brighter than a level, the surer the brighter, off by a part of the anchor.
    private func network(above level: Float, offset: Float) -> Mirrors.Network {
        { input, coord in
            let (d, h, w) = (coord.shape[2], coord.shape[3], coord.shape[4])
            var output = Tensor(shape: [1, d, h, w, 1, 5])
            for cell in 0..<d * h * w {
                let (z, y, x) = (cell / (h * w), cell / w % h, cell % w)
                let voxel = ((4 * z + 1) * 4 * h + 4 * y + 1) * 4 * w + 4 * x + 1
                let seen = input.values[voxel]
                output.values.replaceSubrange(
                    5 * cell..<5 * cell + 5, with: [seen > level ? 4 * seen - offset : -9, offset, 0, offset, offset])
            }
            return output
        }
    }

    private func detector(above level: Float, offset: Float) -> ScanDetector {
        ScanDetector(
            recipe: RecipeName.published.recipe(anchors: [10]), network: network(above: level, offset: offset))
    }

    private func outcome(_ search: ScanSearch) throws -> [Candidate] {
        let volume = volume
        let scan = PendingScan(seriesUID: "a", extent: volume.extent) { volume }
        return try search.outcome(of: [scan], SingleCommunicator()).candidates
    }

    /// Two findings in common and one of the first network's alone, by the formula for pairs.
    @Test func findingsAreJoined() throws {
        let (one, two) = (detector(above: 0.3, offset: 0), detector(above: 0.6, offset: 0.125))
        let (own, other) = (try one.detect(volume), try two.detect(volume))
        #expect(own.count == 3 && other.count == 2)
        let expected = own.enumerated().map { place, a -> (probability: Double, box: Box) in
            guard place < other.count else { return (a.probability / 2, a.box) }
            let b = other[place]
            let overlap = a.box.overlap(b.box)
            let (p, q) = (a.probability, overlap * b.probability)
            let center = a.box.center.zip(b.box.center) { (p * $0 + q * $1) / (p + q) }
            return (
                (p + q) / (1 + overlap),
                Box(center: center, diameter: (p * a.box.diameter + q * b.box.diameter) / (p + q))
            )
        }
        let joined = try outcome(ScanSearch(ensemble: [one, two]))
        #expect(joined.count == 3)
        for (candidate, (probability, box)) in zip(joined, expected) {
            let point = volume.frame.world(box.center)
            #expect(abs(candidate.probability - probability) < 1e-12)
            #expect(abs(candidate.x - point.x) < 1e-9 && abs(candidate.z - point.z) < 1e-9)
            #expect(abs((candidate.diameter ?? 0) - box.diameter) < 1e-9)
        }
        #expect(try outcome(ScanSearch(ensemble: [two, one])) == joined)
        #expect(try outcome(ScanSearch(one)) == ScanDetector.candidates(own, in: volume))
        var sure = ScanSearch(ensemble: [one, two])
        sure.minimumProbability = joined[1].probability
        #expect(try outcome(sure) == Array(joined.prefix(2)))
    }

    /// Views are models, too: a finding of one network of two in all four views has half of its probability.
    @Test func viewsCount() throws {
        let recipe = RecipeName.published.recipe(anchors: [10])
        let seeing = ScanDetector(recipe: recipe, views: Array(repeating: network(above: 0.3, offset: 0), count: 4))
        let blind = ScanDetector(recipe: recipe, views: Array(repeating: network(above: 9, offset: 0), count: 4))
        var progress: [Double] = []
        let scan = PendingScan(seriesUID: "a", extent: volume.extent) { [volume] in volume }
        let joined = try ScanSearch(ensemble: [seeing, blind]).outcome(
            of: [scan], SingleCommunicator(), progress: { progress.append($0.share) }
        ).candidates
        let alone = try detector(above: 0.3, offset: 0).detect(volume)
        #expect(joined.count == alone.count)
        for (candidate, finding) in zip(joined, alone) {
            #expect(abs(candidate.probability - finding.probability / 2) < 1e-12)
        }
        #expect(progress == (0...8).map { Double($0) / 8 })
    }

    @Test func otherNetworksTakeMemory() throws {
        var detector = detector(above: 0, offset: 0)
        let plan = try detector.plan(volume.extent)
        let alone = detector.memory(plan)
        detector.otherBytes = 12_345
        #expect(detector.memory(plan) == alone + 12_345)
    }

    /// Cubes of 10 mm at 0, 6 and 12 mm overlap by a quarter; at 0 and 12 mm not at all.
    @Test func separation() {
        func candidate(_ series: String, _ x: Double, _ probability: Double, _ diameter: Double? = 10) -> Candidate {
            Candidate(seriesUID: series, x: x, y: 0, z: 0, probability: probability, diameter: diameter)
        }
        let list = [
            candidate("a", 12, 0.2), candidate("a", 0, 0.4), candidate("b", 0, 0.9), candidate("a", 6, 0.3),
            candidate("a", 0, 0.1, nil), candidate("a", 1e300, 0.1), candidate("a", 0, 0.1, 1e-9),
        ]
        #expect(Separation.separate(list, overlap: 0.26) == list)
        let apart = Separation.separate(list, overlap: 0.25)
        #expect(apart == [0, 1, 2, 4, 5, 6].map { list[$0] })
        #expect(Separation.separate(apart, overlap: 0.01) == apart)
        #expect(Separation.separate([], overlap: 0.5).isEmpty)
    }
}
