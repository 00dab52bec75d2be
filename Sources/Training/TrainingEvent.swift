import Inference
import Runs

/// An event in a run, reported on rank 0.
public enum TrainingEvent: Sendable {
    /// The run goes on from the checkpoint at a path.
    case resumed(from: String, epoch: Int, step: Int)
    /// A step is done.
    case step(StepRecord, ofSteps: Int)
    /// An epoch's training or validation is done.
    case epoch(EpochRecord)
    /// The search of the held-out scans has made progress.
    case searching(ScanSearch.Progress)
    /// The evaluation on held-out scans is done.
    case froc(FROCRecord)
    /// A checkpoint has become durable.
    case checkpoint(path: String)
    /// A person should know something.
    case warning(String)
}
