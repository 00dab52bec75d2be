// Weighted box clustering: several networks' findings, or those of one network in several views, become one list
// (P. Jaeger et al., "Retina U-Net", ML4H 2020). A finding that all of them share keeps its confidence; one that few
// have loses it.

import Basics

extension Decoding {
    /// The number of a model's findings that are joined with others', the most confident ones: more than any evaluation
    /// looks at in a scan.
    static let joinedFindings = 1000

    /// A box, and how much it counts beside others.
    public struct WeightedBox: Hashable, Sendable {
        /// The box and its confidence.
        public var scored: ScoredBox
        /// The weight beside other boxes.
        public var weight: Double

        /// Creates a box with a weight.
        public init(_ scored: ScoredBox, weight: Double = 1) {
            self.scored = scored
            self.weight = weight
        }
    }

    /// Joins the findings of several models of equal weight by `cluster`; a single model's are left as they are.
    ///
    /// - Parameters:
    ///   - findings: Each model's findings in one volume, most confident first; of several models, the first 1,000 of
    ///     each count.
    ///   - overlap: Intersection over union above which findings mean the same.
    /// - Returns: The findings of all, most confident first.
    public static func join(_ findings: [[ScoredBox]], overlap: Double = suppressionOverlap) -> [ScoredBox] {
        if findings.count == 1 { return findings[0] }
        let boxes = findings.flatMap { $0.prefix(joinedFindings).map { WeightedBox($0) } }
        return cluster(boxes, models: findings.count, overlap: overlap)
    }

    /// Joins the boxes that mean the same.
    ///
    /// The most confident box takes all that overlap it, each with its overlap times its own weight as its weight w.
    /// With their probabilities s the cluster's box is the mean by w·s, and its probability is Σ w·s/(Σ w + m·v), where
    /// m is the number of models that have no box there and v the mean of w. Then the next box takes its turn.
    ///
    /// - Parameters:
    ///   - boxes: All models' boxes of one volume; of equally confident ones the first takes its turn first.
    ///   - models: The number of models that could have found each box.
    ///   - overlap: Intersection over union above which boxes mean the same.
    /// - Returns: The clusters, most confident first.
    public static func cluster(
        _ boxes: [WeightedBox], models: Int, overlap: Double = suppressionOverlap
    ) -> [ScoredBox] {
        let order = boxes.indices.sorted {
            (boxes[$1].scored.logit, $0) < (boxes[$0].scored.logit, $1)
        }
        var rest = order.map { boxes[$0] }
        var clusters: [ScoredBox] = []
        while let first = rest.first {
            var members = [(box: first, overlap: 1.0)]
            var others: [WeightedBox] = []
            for box in rest.dropFirst() {
                let shared = box.scored.box.overlap(first.scored.box)
                if shared > overlap { members.append((box, shared)) } else { others.append(box) }
            }
            clusters.append(mean(of: members, models: models))
            rest = others
        }
        return clusters.enumerated().sorted {
            ($1.element.logit, $0.offset) < ($0.element.logit, $1.offset)
        }.map(\.element)
    }

    private static func mean(of members: [(box: WeightedBox, overlap: Double)], models: Int) -> ScoredBox {
        var (weights, scores) = (0.0, 0.0)
        var center = ZYX(repeating: 0.0)
        var diameter = 0.0
        for (box, overlap) in members {
            let weight = overlap * box.weight
            let score = weight * box.scored.probability
            weights += weight
            scores += score
            center = center.zip(box.scored.box.center) { $0 + score * $1 }
            diameter += score * box.scored.box.diameter
        }
        let missing = Double(max(0, models - members.count))
        let probability = scores / (weights + missing * weights / Double(members.count))
        // A probability of 1 has no logit; one this near to it is as good.
        let bounded = min(max(probability, 1e-15), 1 - 1e-15)
        return ScoredBox(
            logit: Elementary.log(bounded / (1 - bounded)),
            box: Box(center: center.map { $0 / scores }, diameter: diameter / scores))
    }
}
