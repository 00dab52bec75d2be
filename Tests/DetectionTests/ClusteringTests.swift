import Basics
import Testing

@testable import Detection

@Suite struct ClusteringTests {
    private func box(_ z: Double, _ y: Double, _ size: Double, _ probability: Double, _ weight: Double = 1)
        -> Decoding.WeightedBox
    {
        .init(
            ScoredBox(
                logit: Elementary.log(probability / (1 - probability)),
                box: Box(center: ZYX(z, y, 0), diameter: size)), weight: weight)
    }

    private var three: [Decoding.WeightedBox] {
        [box(0, 0, 10, 0.9), box(1, 0, 10, 0.6, 0.8), box(0, 2, 8, 0.3)]
    }

    /// Overlaps 1, 9/11 and 0.421053; the sums were done by hand.
    @Test(arguments: [(3, 0.683679), (8, 0.256380)]) func knownAnswer(_ models: Int, _ probability: Double) throws {
        let clusters = Decoding.cluster(three, models: models)
        let cluster = try #require(clusters.first)
        #expect(clusters.count == 1)
        #expect(abs(cluster.probability - probability) < 1e-6)
        #expect(abs(cluster.box.center.z - 0.276755) < 1e-6 && abs(cluster.box.center.y - 0.178030) < 1e-6)
        #expect(abs(cluster.box.diameter - 9.82197) < 1e-5)
    }

    /// Boxes that overlap less than asked for stay apart, and the list is in the order of confidence.
    @Test func apart() {
        let clusters = Decoding.cluster(three + [box(40, 0, 6, 0.95)], models: 1, overlap: 0.5)
        #expect(clusters.map { ($0.probability * 100).rounded() } == [95, 78, 30])
        #expect(Decoding.cluster([], models: 3).isEmpty)
    }

    /// What every model finds keeps its confidence; what one of four finds has a quarter of it.
    @Test func agreementCounts() throws {
        let all = Decoding.cluster((0..<4).map { _ in box(5, 5, 6, 0.8) }, models: 4)
        #expect(abs(try #require(all.first).probability - 0.8) < 1e-12)
        let one = Decoding.cluster([box(5, 5, 6, 0.8)], models: 4)
        #expect(abs(try #require(one.first).probability - 0.2) < 1e-12)
    }

    @Test func certaintyIsFinite() throws {
        let sure = ScoredBox(logit: 800, box: Box(center: ZYX(repeating: 1), diameter: 5))
        let cluster = try #require(Decoding.cluster([.init(sure)], models: 1).first)
        #expect(cluster.logit.isFinite && cluster.box == sure.box)
    }
}
