import FileIO
import MPI
import Network

/// The ranks do not hold the same.
public struct DisagreementError: Error, CustomStringConvertible {
    public let description: String
}

/// Checks that all ranks hold the same, by their digests.
enum Agreement {
    /// - Parameter subject: What is compared, for the message.
    /// - Throws: `DisagreementError` naming the ranks that differ from rank 0; `MPIError`.
    static func check(_ digest: Digest, of subject: String, _ communicator: any Communicator) throws {
        let all = try communicator.gather(Array(digest.text.utf8))
        let different = all.indices.filter { all[$0] != all[0] }
        guard !different.isEmpty else { return }
        let ranks = different.map(String.init).joined(separator: ", ")
        throw DisagreementError(
            description: "\(subject) differs between rank 0 and rank \(ranks): "
                + "check that all hosts have the same program and see the same files")
    }
}

extension NetworkState {
    /// A digest of every bit.
    func add(to digest: inout Digest) {
        digest.add(parameters)
        digest.add(statistics)
    }
}
