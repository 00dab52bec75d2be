import Basics
import Evaluation
import FileIO
import Foundation

/// A record of what a search of many scans has found so far, in files beside its output, so that an interrupted one
/// goes on.
///
/// Each rank appends the scans that it has searched to a file of its own, `OUTPUT.partial-RANK`: a first line that says
/// which search it is, then a line of JSON for each scan. A line that a kill has cut off is passed over.
public final class SearchRecord {
    /// A line for a scan.
    private struct Entry: Codable {
        var series: String
        /// The scan's files as they were: a scan that has been replaced is searched again.
        var files: [FileStamp]
        var candidates: [Candidate]
    }

    /// The first line.
    private struct Head: Codable, Hashable {
        var search: String
    }

    private let path: String
    private let handle: FileHandle

    /// Opens a rank's file, and begins it where there is none.
    ///
    /// - Parameters:
    ///   - output: The search's output.
    ///   - key: The text that tells this search from others.
    ///   - rank: The rank.
    /// - Throws: `FileError`.
    public init(output: String, key: String, rank: Int) throws {
        path = Self.path(output, rank: rank)
        if FileContent.size(path) == nil { try AtomicFile.write(JSON.encode(Head(search: key)) + [10], to: path) }
        guard let handle = FileHandle(forWritingAtPath: path) else { throw FileError(path, "open") }
        self.handle = handle
        do { try handle.seekToEnd() } catch { throw FileError(path, "append", reason: error.localizedDescription) }
    }

    /// Appends a scan that has been searched.
    ///
    /// - Parameters:
    ///   - scan: The scan.
    ///   - stamps: Its files' stamps from before it was read.
    ///   - candidates: What was found.
    /// - Throws: `FileError`.
    public func append(_ scan: PendingScan, stamps: [FileStamp], _ candidates: [Candidate]) throws {
        let entry = Entry(series: scan.seriesUID, files: stamps, candidates: candidates)
        do { try handle.write(contentsOf: JSONEncoder().encode(entry) + [10]) } catch {
            throw FileError(path, "append", reason: error.localizedDescription)
        }
    }

    /// Reads what earlier searches with the same key have found of scans that have not changed since, and gathers it in
    /// rank 0's file; files of other searches are removed.
    ///
    /// - Parameters:
    ///   - output: The search's output.
    ///   - key: The text that tells this search from others.
    ///   - scans: The scans that are to be searched.
    /// - Returns: The candidates by series.
    /// - Throws: `FileError`.
    public static func resume(output: String, key: String, _ scans: [PendingScan]) throws -> [String: [Candidate]] {
        let paths = try paths(output)
        guard !paths.isEmpty else { return [:] }
        let head = Head(search: key)
        var entries: [String: Entry] = [:]
        for path in paths {
            let lines = try FileContent.bytes(path).split(separator: 10)
            guard let first = lines.first, (try? JSON.decode(Head.self, from: first)) == head else { continue }
            for line in lines.dropFirst() {
                if let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) { entries[entry.series] = entry }
            }
        }
        let kept = scans.compactMap { scan -> Entry? in
            guard let entry = entries[scan.seriesUID], (try? scan.files.map(FileStamp.init)) == entry.files else {
                return nil
            }
            return entry
        }
        let text = try JSON.encode(head) + [10] + kept.flatMap { try JSONEncoder().encode($0) + [10] }
        try AtomicFile.write(text, to: path(output, rank: 0))
        for path in paths where path != Self.path(output, rank: 0) { try remove(path) }
        return Dictionary(kept.map { ($0.series, $0.candidates) }, uniquingKeysWith: { $1 })
    }

    /// Removes the files of all ranks.
    ///
    /// - Throws: `FileError`.
    public static func removeAll(output: String) throws { for path in try paths(output) { try remove(path) } }

    private static func remove(_ path: String) throws {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw FileError(path, "remove", reason: error.localizedDescription)
        }
    }

    private static func path(_ output: String, rank: Int) -> String { "\(output).partial-\(rank)" }

    /// The files that are there, of however many ranks.
    private static func paths(_ output: String) throws -> [String] {
        let prefix = "\(Path.name(of: output)).partial-"
        let directory = Path.directory(of: output)
        return try FileContent.names(inDirectory: directory)
            .filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }
            .map { Path.beside(output, $0) }
    }
}
