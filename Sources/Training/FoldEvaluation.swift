import CT
import Detection
import Evaluation
import Inference
import MPI
import PatchData

/// LUNA16's FROC on the scans that a run holds out.
struct FoldEvaluation {
    private let scans: [PendingScan]
    private let reference: ReferenceStandard

    /// - Parameter volumes: The held-out fold's.
    /// - Throws: `InputError` where one is missing or damaged.
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

    /// Makes sure that every scan can be cut into tiles, before there is an epoch's work to lose.
    ///
    /// - Throws: `UsageError` where the memory that the detector may take is too little.
    func check(_ detector: ScanDetector) throws { for scan in scans { _ = try detector.plan(scan.extent) } }

    /// Searches the scans, shared over the ranks.
    ///
    /// - Returns: On every rank the same; nil where some rank was asked to stop meanwhile.
    /// - Throws: What reading a volume throws; `MPIError`.
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
    public var cpm: Double
    /// Completed steps.
    public var step: Int
}
