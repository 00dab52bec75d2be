import Evaluation
import FileIO
import Foundation
import Inference
import MPI

/// The progress that a search of many scans leaves for the next one, should it be interrupted; of a single scan, and
/// for an output that is no file, there is nothing to keep.
struct SearchProgress {
    /// The candidates that were found before, by series; the same on all ranks.
    let known: [String: [Candidate]]
    private let output: String
    private let record: SearchRecord?
    private let stamps: [String: [FileStamp]]

    /// Finds what earlier searches have left, and begins a rank's record. Collective.
    ///
    /// - Parameters:
    ///   - key: The text that tells this search from others.
    ///   - note: Told on rank 0 how many scans are done.
    /// - Throws: `FileError`, `MPIError`.
    init(
        _ scans: [PendingScan], output: String, key: String, _ communicator: any Communicator, note: (String) -> Void
    ) throws {
        self.output = output
        let isFirst = communicator.rank == 0
        let isKept = scans.count > 1 && (FileContent.size(output) != nil || access(output, F_OK) != 0)
        var found: [String: [Candidate]] = [:]
        if isFirst && isKept { found = try SearchRecord.resume(output: output, key: key, scans) }
        let all = try communicator.gather(isFirst ? Array(JSONEncoder().encode(found)) : [])
        known = isFirst ? found : try JSONDecoder().decode([String: [Candidate]].self, from: Data(all[0]))
        if isFirst && !known.isEmpty { note("\(known.count) of \(scans.count) scans were searched before") }
        // The stamps are taken before any scan is read. A host without the output's directory keeps nothing.
        var stamps: [String: [FileStamp]] = [:]
        for scan in scans where isKept { stamps[scan.seriesUID] = try? scan.files.map(FileStamp.init) }
        self.stamps = stamps
        let rank = communicator.rank
        if !isKept {
            record = nil
        } else if isFirst {
            record = try SearchRecord(output: output, key: key, rank: rank)
        } else {
            record = try? SearchRecord(output: output, key: key, rank: rank)
        }
    }

    /// Keeps what was found in a scan.
    ///
    /// - Throws: `FileError`.
    func append(_ scan: PendingScan, _ candidates: [Candidate]) throws {
        if let stamps = stamps[scan.seriesUID] { try record?.append(scan, stamps: stamps, candidates) }
    }

    /// Removes the records of all ranks: the search is done.
    ///
    /// - Throws: `FileError`.
    func end() throws { if record != nil { try SearchRecord.removeAll(output: output) } }
}
