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
    /// - Throws: `DisagreementError` naming the ranks that differ from rank 0, and their hosts; `MPIError`.
    static func check(
        _ digest: Digest, of subject: String, _ communicator: any Communicator, remedy: String = badSetup
    ) throws {
        let all = try communicator.gather(Array(digest.text.utf8))
        let different = all.indices.filter { all[$0] != all[0] }
        guard !different.isEmpty else { return }
        let hosts = try communicator.gather(Array(communicator.hostName.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let ranks = different.map(String.init).joined(separator: ", ")
        let places = Set(different.map { hosts[$0] }).sorted().joined(separator: ", ")
        throw DisagreementError(
            description: "\(subject) differs between rank 0 and rank \(ranks): \(remedy) "
                + "(rank 0 is on \(hosts[0]), the others on \(places))")
    }
}
