import Inference
import Runs

/// What happens in a run, told on rank 0.
public enum TrainingEvent: Sendable {
    case resumed(from: String, epoch: Int, step: Int)
    case step(StepRecord, ofSteps: Int)
    case epoch(EpochRecord)
    /// The search of the held-out scans goes on.
    case searching(ScanSearch.Progress)
    case froc(FROCRecord)
    case checkpoint(path: String)
    /// Something that a person should know.
    case warning(String)
}
