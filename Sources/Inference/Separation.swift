import Basics
import Detection
import Evaluation

/// A suppression of findings after the fact: of those whose cubes overlap by a given part, the most probable is left.
///
/// A detector's findings overlap by less than 0.1 anyway, but after voting or the joining of several networks they may
/// overlap by more; a smaller part leaves out more. Nothing but the list is needed, so that a part can be chosen on
/// lists that are there.
public enum Separation {
    /// The parts (intersection over union) that can be asked for.
    public static let overlaps = 0.01...1.0

    /// Leaves out each candidate whose cube overlaps a more probable one's of the same scan.
    ///
    /// - Parameters:
    ///   - candidates: Candidates of any scans, in world mm; of equally probable ones the first comes first.
    ///   - overlap: The intersection over union from which on cubes overlap too much.
    /// - Returns: The others, in their order. What has no diameter, or no place and size of a nodule, stays.
    public static func separate(_ candidates: [Candidate], overlap: Double) -> [Candidate] {
        var isKept = candidates.map { box(of: $0) == nil }
        for places in Dictionary(grouping: candidates.indices, by: { candidates[$0].seriesUID }).values {
            let located = places.compactMap { place in box(of: candidates[place]).map { (place: place, box: $0) } }
            // A candidate's probability serves as a logit: only the order counts.
            let boxes = located.map { ScoredBox(logit: candidates[$0.place].probability, box: $0.box) }
            for survivor in Decoding.survivors(of: boxes, overlap: overlap) { isKept[located[survivor].place] = true }
        }
        return candidates.indices.filter { isKept[$0] }.map { candidates[$0] }
    }

    /// The candidate's cube; nil where it has none that suppression takes.
    private static func box(of candidate: Candidate) -> Box? {
        guard let diameter = candidate.diameter, 0.001...1000 ~= diameter else { return nil }
        let center = ZYX(candidate.z, candidate.y, candidate.x)
        return center.array.allSatisfy { abs($0) < 1e6 } ? Box(center: center, diameter: diameter) : nil
    }
}
