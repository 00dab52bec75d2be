// The focal loss of a cell, and the choice of the cells that are worth it.

import Basics

/// The focal loss (T.-Y. Lin et al., ICCV 2017): cross-entropy that counts little where the answer is right already.
///
/// With p = σ(x) it is −α (1 − p)^γ log p for a positive and −α p^γ log(1 − p) for a negative, whose α is the
/// negatives' weight.
enum FocalLoss {
    /// The loss of a positive and its derivative with respect to the logit.
    static func positive(_ logit: Double, weight: Double, focus: Double) -> (loss: Double, slope: Double) {
        let (loss, slope) = negative(-logit, weight: weight, focus: focus)
        return (loss, -slope)
    }

    /// The loss of a negative and its derivative with respect to the logit.
    static func negative(_ logit: Double, weight: Double, focus: Double) -> (loss: Double, slope: Double) {
        let p = DetectionLoss.sigmoid(logit)
        let entropy = DetectionLoss.softplus(logit)  // −log(1 − p)
        // p^γ, whose logarithm is exact where p itself would be rounded to 0.
        let modulation = weight * Elementary.exp(-focus * DetectionLoss.softplus(-logit))
        return (modulation * entropy, modulation * (p + focus * (1 - p) * entropy))
    }
}

/// The mining of hard negatives.
enum HardestCells {
    /// The `count` cells with the largest logits, in ascending order; among equals the first.
    static func choose(_ count: Int, of cells: [Int], logits: [Float]) -> [Int] {
        guard cells.count > count else { return cells }
        let order = cells.sorted { logits[$0] > logits[$1] || logits[$0] == logits[$1] && $0 < $1 }
        return order.prefix(count).sorted()
    }
}
