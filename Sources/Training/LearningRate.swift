import Basics
import Compute
import Detection

/// The course of the learning rate over an experiment.
public enum Schedule: String, Codable, CaseIterable, Sendable {
    /// The steps of the preset.
    case preset
    /// One learning rate throughout.
    case constant
    /// Half a cosine from the learning rate to zero.
    case cosine
}

extension Preset {
    /// The factors of the schedule, each with the fraction of the epochs up to which it holds.
    var scheduleSteps: [(until: Double, factor: Double)] {
        switch self {
        case .luna, .luna16: [(1.0 / 3, 1), (2.0 / 3, 0.1), (0.8, 0.05), (1, 0.01)]
        case .dsb2017: [(0.5, 1), (0.8, 0.1), (1, 0.01)]
        }
    }
}

extension TrainingConfiguration {
    /// The learning rate of a step.
    ///
    /// - Parameters:
    ///   - step: Completed steps, from 0.
    ///   - stepsPerEpoch: The steps of an epoch of this experiment.
    public func learningRate(step: Int, stepsPerEpoch: Int) -> Double {
        var rate = learningRate
        switch schedule {
        case .constant: break
        case .preset:
            let epoch = Double(step / stepsPerEpoch + 1)
            let steps = preset.scheduleSteps
            rate *= steps.first { epoch <= Double(epochs) * $0.until }?.factor ?? steps[steps.count - 1].factor
        case .cosine:
            rate *= 0.5 * (1 + Elementary.cos(Double.pi * min(1, Double(step) / Double(epochs * stepsPerEpoch))))
        }
        if step < warmupSteps { rate *= Double(step + 1) / Double(warmupSteps) }
        return rate
    }
}
