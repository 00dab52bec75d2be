import Foundation
import TestSupport
import Testing

/// The members of `luna status --json` that tests look at.
struct RunStatus: Decodable {
    struct Rank: Decodable {
        var rank: Int
        var pid: Int32
        var state: String
    }
    var state: String
    var step: Int
    var steps: Int?
    var ranks: [Rank]
}

extension TinyRun {
    /// The run's status, as `luna status --json` gives it.
    func status() throws -> RunStatus {
        let job = try luna("status", path, "--json")
        #expect(job.status == 0, "\(job.diagnosis)")
        return try JSONDecoder().decode(RunStatus.self, from: Data(job.output.utf8))
    }
}
