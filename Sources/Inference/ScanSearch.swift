import Basics
import CT
import Evaluation
import Foundation
import MPI
import PatchData

/// A scan that is read when its turn comes.
public struct PendingScan {
    /// The scan's series.
    public var seriesUID: String
    /// The clean volume's extent in voxels, approximately: the work of searching it.
    public var extent: ZYX<Int>
    /// The reading of the scan as a clean volume.
    public var read: () throws -> CleanVolume

    /// Creates a scan to be read later.
    ///
    /// - Parameters:
    ///   - seriesUID: The scan's series.
    ///   - extent: The clean volume's extent in voxels, approximately.
    ///   - read: Reads the scan; called once, by the rank that searches it.
    public init(seriesUID: String, extent: ZYX<Int>, read: @escaping () throws -> CleanVolume) {
        self.seriesUID = seriesUID
        self.extent = extent
        self.read = read
    }

    /// Creates a scan of a clean volume's file, of which only series and extent are read now.
    ///
    /// - Throws: `InputError` where the file is no clean volume.
    public init(cleanVolume path: String) throws {
        let (seriesUID, extent) = try CleanVolumeFile.identity(path)
        self.init(seriesUID: seriesUID, extent: extent) { try CleanVolumeFile.read(path) }
    }

    /// The clean volumes of a data set's fold.
    ///
    /// - Throws: `InputError` where one is missing or damaged.
    public static func scans(of dataset: PatchDataset, fold: Int) throws -> [PendingScan] {
        try dataset.volumes(fold: fold).map { try PendingScan(cleanVolume: $0.path) }
    }
}

/// A search of many scans by all ranks of a job.
public struct ScanSearch {
    /// The progress of one rank.
    public struct Progress: Sendable {
        /// The number of this rank's scans that were searched.
        public var scans: Int
        /// The number of this rank's scans.
        public var total: Int
        /// The part of its voxels that was searched, finished tiles included; 0 … 1.
        public var share: Double
        /// The number of candidates found.
        public var candidates: Int
    }

    /// The detector that searches each scan.
    public let detector: ScanDetector
    /// The probability below which findings are left out.
    public var minimumProbability = 0.0

    /// Creates a search.
    public init(_ detector: ScanDetector) { self.detector = detector }

    /// The division of scans among ranks: the largest first, each to the rank that has least to do so far, which ends
    /// at most a third later than the best schedule (R. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969).
    ///
    /// - Parameters:
    ///   - voxels: The size of each scan.
    ///   - ranks: The number of ranks.
    /// - Returns: For each rank the indices of its scans, in the order of the work.
    public static func shares(_ voxels: [Int], ranks: Int) -> [[Int]] {
        var shares = [[Int]](repeating: [], count: ranks)
        var loads = [Int](repeating: 0, count: ranks)
        for index in voxels.indices.sorted(by: { (voxels[$1], $0) < (voxels[$0], $1) }) {
            let rank = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
            shares[rank].append(index)
            loads[rank] += voxels[index]
        }
        return shares
    }

    /// Searches this rank's scans, and gives every rank what all have found: in the scans' order, whoever searched
    /// them.
    ///
    /// - Parameters:
    ///   - scans: The scans, the same on all ranks.
    ///   - communicator: All ranks.
    ///   - shouldStop: Asked after every scan; what has been found by then is not complete.
    ///   - searched: Given each scan of this rank with its candidates.
    ///   - progress: Told of this rank's progress after every tile.
    /// - Throws: What reading and searching a scan throws; `MPIError`.
    public func candidates(
        in scans: [PendingScan], _ communicator: any Communicator, shouldStop: () -> Bool = { false },
        searched: (CleanVolume, [Candidate]) throws -> Void = { _, _ in }, progress: (Progress) -> Void = { _ in }
    ) throws -> [Candidate] {
        let own = Self.shares(scans.map(\.extent.product), ranks: communicator.size)[communicator.rank]
        let work = Double(max(1, own.reduce(0) { $0 + scans[$1].extent.product }))
        var found: [Found] = []
        var state = Progress(scans: 0, total: own.count, share: 0, candidates: 0)
        var done = 0
        // An estimate of the time that is left counts from here.
        if !own.isEmpty { progress(state) }
        for index in own where !shouldStop() {
            let volume = try scans[index].read()
            let voxels = scans[index].extent.product
            let boxes = try detector.detect(volume) { tile, tiles in
                state.share = (Double(done) + Double(voxels) * Double(tile) / Double(tiles)) / work
                if tile < tiles { progress(state) }
            }
            let candidates = ScanDetector.candidates(boxes, in: volume).filter { $0.probability >= minimumProbability }
            try searched(volume, candidates)
            found.append(Found(scan: index, candidates: candidates))
            done += voxels
            state.scans += 1
            state.candidates += candidates.count
            progress(state)
        }
        let all = try communicator.gather(Array(JSONEncoder().encode(found))).flatMap {
            try JSONDecoder().decode([Found].self, from: Data($0))
        }
        return all.sorted { $0.scan < $1.scan }.flatMap(\.candidates)
    }

    private struct Found: Codable {
        var scan: Int
        var candidates: [Candidate]
    }
}
