// Box voting: a finding's place and size from all boxes that mean the same (S. Gidaris and N. Komodakis, "Object
// detection via a multi-region and semantic segmentation-aware CNN model", ICCV 2015). A network whose boxes are not
// learnt well yet answers with the cells around a nodule; their mean lies nearer to it than the strongest of them.

import Basics

extension Decoding {
    /// The number of findings that are moved: as many as LUNA16 counts in a scan.
    static let voters = 100

    /// Moves each finding to the mean of the boxes that overlap it, weighted by their probability; its own probability
    /// stays.
    ///
    /// Boxes of less than half the finding's probability have no vote.
    ///
    /// - Parameters:
    ///   - findings: The boxes that suppression kept, most confident first; those beyond the first 100 stay in place.
    ///   - boxes: All boxes.
    ///   - overlap: Intersection over union from which on a box means the same finding.
    public static func vote(
        _ findings: [ScoredBox], among boxes: [ScoredBox], overlap: Double = suppressionOverlap
    ) -> [ScoredBox] {
        findings.enumerated().map { place, finding in
            guard place < voters else { return finding }
            var weight = 0.0
            var center = ZYX(repeating: 0.0)
            var logDiameter = 0.0
            for box in boxes where 2 * box.probability >= finding.probability && box.box.overlap(finding.box) >= overlap
            {
                weight += box.probability
                center = center.zip(box.box.center) { $0 + box.probability * $1 }
                logDiameter += box.probability * Elementary.log(box.box.diameter)
            }
            // The finding is among the boxes, so there is a vote.
            guard weight > 0 else { return finding }
            return ScoredBox(
                logit: finding.logit,
                box: Box(center: center.map { $0 / weight }, diameter: Elementary.exp(logDiameter / weight)))
        }
    }
}
