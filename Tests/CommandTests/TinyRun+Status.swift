import Foundation
import TestSupport
import Testing

/// What `luna status` says of a run.
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
    /// What `luna status --json` says of it.
    func status() throws -> RunStatus {
        let job = try luna("status", path, "--json")
        #expect(job.status == 0, "\(job.diagnosis)")
        return try JSONDecoder().decode(RunStatus.self, from: Data(job.output.utf8))
    }
}
