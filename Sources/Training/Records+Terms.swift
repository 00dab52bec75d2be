// Records made of the loss's terms.

import Detection
import Runs

extension StepRecord {
    /// Creates the record of a step.
    ///
    /// - Parameters:
    ///   - terms: The sums of the step over all replicas.
    ///   - gradientNorm: The gradient's norm; not finite where the step was left out.
    init(
        epoch: Int, step: Int, learningRate: Double, terms: LossTerms, gradientNorm: Double, skippedSeries: [String],
        seconds: Double, dataSeconds: Double, reduceSeconds: Double, workSeconds: Double, patchesPerSecond: Double
    ) {
        self.init(
            epoch: epoch, step: step, learningRate: learningRate, loss: terms.total,
            classification: terms.classification, regression: terms.regression, positives: terms.positives,
            positivesCorrect: terms.positivesCorrect, negatives: terms.negatives,
            negativesCorrect: terms.negativesCorrect, gradientNorm: gradientNorm, skipped: !gradientNorm.isFinite,
            skippedSeries: skippedSeries.isEmpty ? nil : skippedSeries, seconds: seconds, dataSeconds: dataSeconds,
            reduceSeconds: reduceSeconds, workSeconds: workSeconds, patchesPerSecond: patchesPerSecond)
    }
}

extension EpochRecord {
    /// Creates the record of an epoch's training, or of a validation.
    ///
    /// - Parameters:
    ///   - terms: The sums over `parts` steps, or of one validation.
    ///   - skipped: The number of further steps, which were left out. Where all were, there is no loss: it is not a
    ///     number.
    init(_ phase: Phase, epoch: Int, step: Int, terms: LossTerms, parts: Int, skipped: Int = 0) {
        let share = parts == 0 && skipped > 0 ? Double.nan : 1 / Double(max(1, parts))
        self.init(
            phase: phase, epoch: epoch, step: step, loss: terms.total * share,
            classification: terms.classification * share, regression: terms.regression.map { $0 * share },
            truePositiveRate: terms.positives > 0 ? terms.positivesCorrect / terms.positives : nil,
            trueNegativeRate: terms.negatives > 0 ? terms.negativesCorrect / terms.negatives : nil,
            positives: terms.positives, negatives: terms.negatives, skipped: skipped > 0 ? skipped : nil)
    }
}
