import FileIO
import MPI

/// The ranks do not hold the same.
public struct DisagreementError: Error, CustomStringConvertible {
    public let description: String
}

/// Checks that all ranks hold the same, by their digests.
enum Agreement {
    static let badSetup = "check that all hosts have the same program and see the same files"
    static let badMemory =
        "a rank miscalculated or lost a bit: `--resume` goes on from the last checkpoint, on which all agreed; "
        + "if it is the same host again, do without it"

    /// - Parameters:
    ///   - subject: What is compared, for the message.
    ///   - remedy: What to do where it differs.
    /// - Throws: `DisagreementError` naming the ranks that differ from most, and their hosts; `MPIError`.
    static func check(
        _ digest: Digest, of subject: String, _ communicator: any Communicator, remedy: String = badSetup
    ) throws {
        let all = try communicator.gather(text: digest.text)
        // Where two groups are as large, the one with the lower rank counts as most.
        let groups = Dictionary(grouping: all.indices) { all[$0] }.values
        guard groups.count > 1, let most = groups.max(by: { ($0.count, $1[0]) < ($1.count, $0[0]) }) else { return }
        let hosts = try communicator.gather(text: communicator.hostName)
        let different = all.indices.filter { all[$0] != all[most[0]] }
        let ranks = different.map(String.init).joined(separator: ", ")
        let places = Set(different.map { hosts[$0] }).sorted().joined(separator: ", ")
        throw DisagreementError(
            description: "\(subject) differs between rank \(most[0]) and rank \(ranks): \(remedy) "
                + "(rank \(ranks) on \(places))")
    }
}
