/// The activity of a rank: the parts of a step, and what comes between steps.
public enum TrainingPhase: String, Codable, CaseIterable, Sendable {
    /// The preparation before the first step.
    case start
    /// The wait for crops.
    case load
    /// The sum over the ranks of the counts of cells that scale the loss, and of requests to stop: the fast ranks wait
    /// for the slow ones here.
    case counts
    /// The forward pass.
    case forward
    /// The backward pass.
    case backward
    /// The wait for the sums of batch statistics over the ranks, within a pass, where replicas share them.
    case statistics
    /// The wait for the gradients' sum over the ranks.
    case reduce
    /// The optimiser's update of the parameters.
    case update
    /// The check that all ranks hold the same.
    case agreement
    /// The exchange between sites of what they have learnt.
    case outer
    /// The gathering of a checkpoint, and the wait for the one before it to be written.
    case checkpoint
    /// The loss on held-out crops.
    case validation
    /// The search of held-out scans.
    case evaluation
    /// The collection and writing of the timeline.
    case timeline

    /// Whether the phase is a part of a step; the others follow one.
    public var isOfAStep: Bool {
        [.load, .counts, .forward, .backward, .statistics, .reduce, .update].contains(self)
    }
}
