import CT
import Detection
import Evaluation
import Inference
import MPI
import PatchData

/// The FROC evaluation by LUNA16's rules, on the scans that a run holds out.
struct FoldEvaluation {
    private let scans: [PendingScan]
    private let reference: ReferenceStandard

    /// - Parameter volumes: The volumes of the held-out fold.
    /// - Throws: `InputError` where a volume is missing or damaged.
    init(_ volumes: [PatchDataset.VolumeEntry]) throws {
        scans = try volumes.map { try PendingScan(cleanVolume: $0.path) }
        let marked = try volumes.flatMap { entry in
            try CleanVolumeFile.annotations(entry.path).map {
                Finding(
                    seriesUID: entry.seriesUID, x: $0.center.x, y: $0.center.y, z: $0.center.z, diameter: $0.diameter)
            }
        }
        reference = ReferenceStandard(scans: volumes.map(\.seriesUID), nodules: marked, excluded: [])
    }

    /// Checks that every scan can be cut into tiles, before an epoch's work could be lost.
    ///
    /// - Throws: `UsageError` where the detector may not take enough memory.
    func check(_ detector: ScanDetector) throws { for scan in scans { _ = try detector.plan(scan.extent) } }

    /// The result of a search of the scans; the same on every rank.
    enum Outcome {
        /// The FROC.
        case result(EvaluationResult)
        /// Some rank was asked to stop meanwhile.
        case stopped
        /// The network's answers are not finite: there is no FROC. The reason names the first such scan.
        case diverged(reason: String)
    }

    /// Searches the scans, which the ranks share.
    ///
    /// - Throws: `InputError` or `FileError` where a volume cannot be read; `MPIError`.
    func outcome(
        _ detector: ScanDetector, _ communicator: any Communicator, progress: (ScanSearch.Progress) -> Void
    ) throws -> Outcome {
        let found = try ScanSearch(detector).outcome(
            of: scans, communicator, shouldStop: { StopRequest.isMade }, tolerates: { $0 is ScoresNotFinite },
            progress: progress)
        var stop = [StopRequest.isMade ? 1 : 0]
        try communicator.sum(&stop)
        if stop[0] > 0 { return .stopped }
        if let failure = found.failures.first { return .diverged(reason: failure.reason) }
        return .result(EvaluationResult(found.candidates, reference, resamples: 0))
    }
}

/// The most sensitive state of a run so far.
public struct BestResult: Hashable, Sendable {
    /// The mean sensitivity at the seven rates.
    public var cpm: Double
    /// Completed steps.
    public var step: Int
}
