/// What a rank does: the parts of a step, and what comes between steps.
public enum TrainingPhase: String, Codable, CaseIterable, Sendable {
    case start
    /// Waiting for crops.
    case load
    /// The counts of cells that scale the loss are added up over the ranks, and whether somebody is asked to stop: here
    /// the fast wait for the slow.
    case counts
    case forward, backward, reduce, update, agreement
    /// All sites share what they have learnt.
    case outer
    case checkpoint, validation, evaluation
    /// The timeline is collected and written.
    case timeline

    /// Whether it is within a step; the others follow one.
    public var isOfAStep: Bool { [.load, .counts, .forward, .backward, .reduce, .update].contains(self) }
}
