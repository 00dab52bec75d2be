extension Survey {
    /// The time in s that a step of the planned run takes on these ranks; nil where none was measured.
    ///
    /// The slowest rank's measured step, as often as a rank has replicas, and the measured reduction as if nothing of
    /// it went on beside the arithmetic.
    public var estimatedStepSeconds: Double? {
        guard let plan, let slowest = ranks.compactMap(\.measures.stepSeconds).max() else { return nil }
        let replicas = (plan.replicas + ranks.count - 1) / ranks.count
        let reduction = ranks.compactMap(\.measures.reductionSeconds).max() ?? 0
        return Double(replicas) * slowest + reduction / Double(plan.stepsPerReduction)
    }

    /// The time in s that the steps of the whole planned run take, without reading, validation, evaluation and
    /// checkpoints; nil without a data set or a measured step.
    public var estimatedSeconds: Double? {
        guard plan?.refusal == nil, let steps = plan?.steps, let step = estimatedStepSeconds else { return nil }
        return Double(steps) * step
    }
}
