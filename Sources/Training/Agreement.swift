import FileIO
import MPI

/// An error where ranks that have to hold the same do not.
public struct DisagreementError: Error, CustomStringConvertible {
    public let description: String
}

/// The check that all ranks hold the same, by their digests.
enum Agreement {
    static let badSetup = "check that all hosts have the same program and see the same files"
    static let badMemory =
        "a rank miscalculated or lost a bit: `--resume` goes on from the last checkpoint, on which all agreed; "
        + "if it is the same host again, do without it"

    /// - Parameters:
    ///   - subject: The name of what is compared, for the message.
    ///   - group: The number of consecutive ranks that are compared with one another; nil: all.
    ///   - remedy: The advice where ranks differ.
    /// - Throws: `DisagreementError` naming the ranks that differ from most, and their hosts; `MPIError`.
    static func check(
        _ digest: Digest, of subject: String, _ communicator: any Communicator, group: Int? = nil,
        remedy: String = badSetup
    ) throws {
        let all = try communicator.gather(text: digest.text)
        let size = group ?? all.count
        let different = stride(from: 0, to: all.count, by: size).flatMap { first in
            odd(all[first..<min(first + size, all.count)])
        }
        guard let odd = different.first else { return }
        let hosts = try communicator.gather(text: communicator.hostName)
        let ranks = different.map { String($0.rank) }.joined(separator: ", ")
        let places = Set(different.map { hosts[$0.rank] }).sorted().joined(separator: ", ")
        throw DisagreementError(
            description: "\(subject) differs between rank \(odd.usual) and rank \(ranks): \(remedy) "
                + "(rank \(ranks) on \(places))")
    }

    /// The ranks whose text is not that of most, each with a rank that has the usual one.
    private static func odd(_ texts: ArraySlice<String>) -> [(rank: Int, usual: Int)] {
        // Where two groups are equally large, the one with the lowest rank counts as most.
        let groups = Dictionary(grouping: texts.indices) { texts[$0] }.values
        guard groups.count > 1, let most = groups.max(by: { ($0.count, $1[0]) < ($1.count, $0[0]) }) else { return [] }
        return texts.indices.filter { texts[$0] != texts[most[0]] }.map { ($0, most[0]) }
    }
}
