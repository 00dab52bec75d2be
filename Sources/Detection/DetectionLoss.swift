// Classification of cells by cross-entropy with hard negative mining, and regression of the positives' boxes.
//
//     loss = ½ mean over positives of BCE(p, 1) + ½ mean over kept negatives of BCE(p, 0)
//          + Σ over the four components of mean over positives of smoothL1(output − label)
//
// A step's crops are spread over replicas. Mining is a replica's own; the means are over the step, so each replica is
// given the step's counts and returns its share: a replica without a positive weighs as it would in one large batch.

import Basics

/// The published loss: cross-entropy of cells with hard negative mining, and smooth L1 of the positives' boxes.
///
/// It is that of F. Liao et al., IEEE TNNLS 2019, with two mined negatives per crop.
public enum DetectionLoss {
    /// The number of mined negatives per crop in training.
    public static let negativesPerCrop = 2

    /// The counts that a micro-batch adds to the step's; known from the labels alone, before the forward pass.
    ///
    /// - Parameters:
    ///   - labels: [N, d, h, w, anchors, 5].
    ///   - mining: Whether only the 2·N hardest negatives count (training) or all (validation).
    public static func counts(labels: Tensor, mining: Bool) -> LossCounts {
        var counts = LossCounts()
        for cell in stride(from: 0, to: labels.count, by: Grid.components) {
            if labels.values[cell] > 0.5 { counts.positives += 1 }
            if labels.values[cell] < -0.5 { counts.negatives += 1 }
        }
        if mining { counts.negatives = min(counts.negatives, negativesPerCrop * labels.shape[0]) }
        return counts
    }

    /// A micro-batch's share of the step's loss, and its gradient.
    ///
    /// - Parameters:
    ///   - output: [N, d, h, w, anchors, 5].
    ///   - labels: The same shape.
    ///   - mining: Whether only the 2·N hardest negatives count (training) or all (validation).
    ///   - normalizers: The step's counts, over all replicas.
    ///   - regressionWeight: The factor of the regression's gradient; as published it is 1.
    /// - Returns: The terms, unweighted, and the gradient of their total with respect to `output`, in the same shape.
    public static func evaluate(
        output: Tensor, labels: Tensor, mining: Bool, normalizers: LossCounts, regressionWeight: Double = 1
    ) -> (terms: LossTerms, gradient: Tensor) {
        precondition(output.shape == labels.shape, "output \(output.shape) and labels \(labels.shape) differ in shape")
        var terms = LossTerms()
        var gradient = Tensor(shape: output.shape)
        let perPositive = 1 / Double(max(1, normalizers.positives))
        let perNegative = 1 / Double(max(1, normalizers.negatives))
        var negatives: [Int] = []
        for cell in stride(from: 0, to: output.count, by: Grid.components) {
            let label = labels.values[cell]
            if label < -0.5 { negatives.append(cell) }
            guard label > 0.5 else { continue }
            let logit = Double(output.values[cell])
            terms.positives += 1
            if logit >= 0 { terms.positivesCorrect += 1 }
            terms.positiveClassification += 0.5 * softplus(-logit) * perPositive
            gradient.values[cell] = Float(0.5 * (sigmoid(logit) - 1) * perPositive)
            for component in terms.regression.indices {
                let difference =
                    Double(output.values[cell + 1 + component]) - Double(labels.values[cell + 1 + component])
                terms.regression[component] += smoothL1(difference) * perPositive
                gradient.values[cell + 1 + component] = Float(
                    min(1, max(-1, difference)) * perPositive * regressionWeight)
            }
        }
        if mining {
            negatives = HardestCells.choose(negativesPerCrop * output.shape[0], of: negatives, logits: output.values)
        }
        for cell in negatives {
            let logit = Double(output.values[cell])
            terms.negatives += 1
            if logit < 0 { terms.negativesCorrect += 1 }
            terms.negativeClassification += 0.5 * softplus(logit) * perNegative
            gradient.values[cell] = Float(0.5 * sigmoid(logit) * perNegative)
        }
        return (terms, gradient)
    }

    /// The softplus log(1 + eˣ), without overflow: BCE(sigmoid(x), 0).
    static func softplus(_ x: Double) -> Double { max(x, 0) + Elementary.log(1 + Elementary.exp(-abs(x))) }

    /// The logistic function 1/(1 + e⁻ˣ).
    static func sigmoid(_ x: Double) -> Double { 1 / (1 + Elementary.exp(-x)) }

    /// The smooth L1 norm (R. Girshick, "Fast R-CNN", ICCV 2015): ½ d² where |d| < 1, |d| − ½ elsewhere.
    static func smoothL1(_ d: Double) -> Double { abs(d) < 1 ? d * d / 2 : abs(d) - 0.5 }
}
