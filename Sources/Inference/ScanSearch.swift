import Basics
import CT
import Detection
import Evaluation
import Foundation
import MPI

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

    /// The detectors that each search every scan, one after another.
    public let detectors: [ScanDetector]
    /// The probability below which findings are left out.
    public var minimumProbability = 0.0
    /// The overlap by `Separation` from which on only the most probable of several findings is left; nil: all are.
    public var overlap: Double?

    /// Creates a search with one detector.
    public init(_ detector: ScanDetector) { self.init(ensemble: [detector]) }

    /// Creates a search with several detectors, whose findings are joined by weighted box clustering: each view of each
    /// detector is a model.
    ///
    /// - Precondition: There is at least one.
    public init(ensemble detectors: [ScanDetector]) {
        precondition(!detectors.isEmpty, "a search without a detector")
        self.detectors = detectors
    }

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

    /// The result of all ranks together.
    public struct Outcome: Sendable {
        /// The candidates of all scans, in the scans' order.
        public var candidates: [Candidate] = []
        /// The scans that could not be searched, in their order.
        public var failures: [Failure] = []
    }

    /// A scan that could not be searched.
    public struct Failure: Hashable, Sendable {
        /// The scan's series.
        public var seriesUID: String
        /// The reason and the remedy, as messages tell them.
        public var reason: String
    }

    /// Searches this rank's scans, and gives every rank what all have found: in the scans' order, whoever searched
    /// them.
    ///
    /// - Parameters:
    ///   - scans: The scans, the same on all ranks.
    ///   - communicator: All ranks.
    ///   - known: What was found before, by series: those scans are not searched again. The same on all ranks.
    ///   - shouldStop: Asked after every scan; what has been found by then is not complete.
    ///   - tolerates: Whether the search goes on after this error of reading or searching one scan.
    ///   - searched: Given each scan of this rank with its volume and candidates.
    ///   - progress: Told of this rank's progress after every tile.
    /// - Throws: What reading and searching a scan throws and is not tolerated; `MPIError`.
    public func outcome(
        of scans: [PendingScan], _ communicator: any Communicator, known: [String: [Candidate]] = [:],
        shouldStop: () -> Bool = { false }, tolerates: (any Error) -> Bool = { _ in false },
        searched: (PendingScan, CleanVolume, [Candidate]) throws -> Void = { _, _, _ in },
        progress: (Progress) -> Void = { _ in }
    ) throws -> Outcome {
        let open = scans.indices.filter { known[scans[$0].seriesUID] == nil }
        let shares = Self.shares(open.map { scans[$0].extent.product }, ranks: communicator.size)
        let own = shares[communicator.rank].map { open[$0] }
        let work = Double(max(1, own.reduce(0) { $0 + scans[$1].extent.product }))
        var found: [Found] = []
        var state = Progress(scans: 0, total: own.count, share: 0, candidates: 0)
        var done = 0
        // An estimate of the time that is left counts from here.
        if !own.isEmpty { progress(state) }
        for index in own where !shouldStop() {
            let voxels = scans[index].extent.product
            let result = Result {
                try search(scans[index]) { share in
                    state.share = (Double(done) + Double(voxels) * share) / work
                    if share < 1 { progress(state) }
                }
            }
            switch result {
            case .success((let volume, let candidates)):
                try searched(scans[index], volume, candidates)
                found.append(Found(scan: index, candidates: candidates))
                state.candidates += candidates.count
            case .failure(let error):
                guard tolerates(error) else { throw error }
                found.append(Found(scan: index, candidates: [], failure: "\(error)"))
            }
            done += voxels
            state.scans += 1
            state.share = Double(done) / work
            progress(state)
        }
        var all = try communicator.gather(Array(JSONEncoder().encode(found))).flatMap {
            try JSONDecoder().decode([Found].self, from: Data($0))
        }
        all += scans.indices.compactMap { index in
            known[scans[index].seriesUID].map { Found(scan: index, candidates: $0) }
        }
        var outcome = Outcome()
        for part in all.sorted(by: { $0.scan < $1.scan }) {
            outcome.candidates += part.candidates
            if let reason = part.failure {
                outcome.failures.append(Failure(seriesUID: scans[part.scan].seriesUID, reason: reason))
            }
        }
        return outcome
    }

    /// Reads a scan, searches it with each detector, and joins what they find.
    private func search(
        _ scan: PendingScan, progress: (_ share: Double) -> Void
    ) throws -> (CleanVolume, [Candidate]) {
        let volume = try scan.read()
        let findings = try detectors.enumerated().flatMap { place, detector in
            try detector.findings(volume) { tile, tiles in
                progress((Double(place) + Double(tile) / Double(tiles)) / Double(detectors.count))
            }
        }
        let candidates = ScanDetector.candidates(Decoding.join(findings), in: volume)
            .filter { $0.probability >= minimumProbability }
        return (volume, overlap.map { Separation.separate(candidates, overlap: $0) } ?? candidates)
    }

    private struct Found: Codable {
        var scan: Int
        var candidates: [Candidate]
        var failure: String?
    }
}
