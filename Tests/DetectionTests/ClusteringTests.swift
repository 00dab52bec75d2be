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

    /// The definition of the joining, with edges in place of diameters.
    private func naive(_ models: [[ScoredBox]], overlap: Double) -> [(probability: Double, center: ZYX<Double>)] {
        var rest = models.flatMap(\.self)
        var clusters: [(probability: Double, center: ZYX<Double>)] = []
        while let best = rest.max(by: { $0.logit < $1.logit }) {
            let members = rest.filter { $0.box.overlap(best.box) > overlap }
            rest.removeAll { $0.box.overlap(best.box) > overlap }
            let weights = members.map { $0.box.overlap(best.box) }
            let scores = zip(weights, members).map { $0 * $1.probability }
            let missing = Double(max(0, models.count - members.count))
            let (weight, score) = (weights.reduce(0, +), scores.reduce(0, +))
            let sums = ZYX(0, 1, 2).map { axis in
                zip(scores, members).reduce(0) { $0 + $1.0 * $1.1.box.center[axis] }
            }
            clusters.append(
                (score / (weight + missing * weight / Double(members.count)), sums.map { $0 / score }))
        }
        return clusters.sorted { $0.probability > $1.probability }
    }

    /// Findings of a model: no two of the same confidence.
    private func findings(_ model: Int) -> [ScoredBox] {
        var generator = CounterGenerator(seed: UInt64(model), purpose: "clustering test")
        let boxes = (0..<60).map { _ in
            ScoredBox(
                logit: generator.uniform(-3, 4),
                box: Box(
                    center: ZYX(generator.uniform(0, 20), generator.uniform(0, 30), generator.uniform(0, 30)),
                    diameter: generator.uniform(4, 12)))
        }
        return Decoding.suppress(boxes)
    }

    @Test(arguments: [0.1, 0.5]) func joinsAsDefined(_ overlap: Double) {
        let models = (0..<4).map(findings)
        let joined = Decoding.join(models, overlap: overlap)
        let expected = naive(models, overlap: overlap)
        #expect(joined.count == expected.count && joined.count > 20)
        for (own, other) in zip(joined, expected) {
            #expect(abs(own.probability - other.probability) < 1e-12)
            #expect(zip(own.box.center.array, other.center.array).allSatisfy { abs($0 - $1) < 1e-9 })
        }
    }

    /// The order of networks changes no bit, and copies of one network change nothing of its findings.
    @Test func orderAndCopies() {
        let models = (0..<4).map(findings)
        let joined = Decoding.join(models)
        #expect(Decoding.join([models[2], models[0], models[3], models[1]]) == joined)
        #expect(Decoding.join([models[0]]) == models[0])
        let copies = Decoding.join([models[0], models[0], models[0]])
        #expect(copies.count == models[0].count)
        for (own, other) in zip(copies, models[0]) {
            #expect(abs(own.probability - other.probability) < 1e-12)
            #expect(abs(own.box.diameter - other.box.diameter) < 1e-9)
        }
    }

    /// The limit on findings is that of each model, however many the other models have.
    @Test func limit() {
        let many = (0..<Decoding.joinedFindings + 10).map { place in
            ScoredBox(
                logit: -Double(place) / 1000, box: Box(center: ZYX(0, 0, 20 * Double(place)), diameter: 5))
        }
        let above = many.map { ScoredBox(logit: 5, box: Box(center: $0.box.center + ZYX(50, 0, 0), diameter: 5)) }
        #expect(Decoding.join([many, above]).count == 2 * Decoding.joinedFindings)
        #expect(Decoding.join([many]).count == many.count)
    }
}
