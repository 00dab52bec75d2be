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

    /// Searches the scans, which the ranks share.
    ///
    /// - Returns: The same result on every rank; nil where some rank was asked to stop meanwhile.
    /// - Throws: `InputError` or `FileError` where a volume cannot be read; `MPIError`.
    func result(
        _ detector: ScanDetector, _ communicator: any Communicator, progress: (ScanSearch.Progress) -> Void
    ) throws -> EvaluationResult? {
        let candidates = try ScanSearch(detector).candidates(
            in: scans, communicator, shouldStop: { StopRequest.isMade }, progress: progress)
        var stop = [StopRequest.isMade ? 1 : 0]
        try communicator.sum(&stop)
        return stop[0] > 0 ? nil : EvaluationResult(candidates, reference, resamples: 0)
    }
}

/// The most sensitive state of a run so far.
public struct BestResult: Hashable, Sendable {
    /// The mean sensitivity at the seven rates.
    public var cpm: Double
    /// Completed steps.
    public var step: Int
}
