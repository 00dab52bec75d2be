// Steps without a finite gradient: whose crops caused them, and when to give up.

import Basics
import Detection
import Exchange
import MPI
import Networks
import PatchData
import Runs

extension Trainer {
    /// The number of such steps in a row after which training is given up.
    private static let skipLimit = 10
    /// The most replicas that a warning names.
    private static let namedReplicas = 8

    /// A replica whose gradient, statistics or loss are not finite.
    private struct Culprit {
        var replica: Int
        var rank: Int
        var series: [String]
    }

    /// Counts the steps left out in a row, and names the crops that caused them.
    ///
    /// All ranks of the site call it, since all have the same gradient.
    ///
    /// - Returns: The series of the replicas that had no finite gradient of their own.
    /// - Throws: `DivergenceError` where there have been too many; `MPIError`.
    func countSkipped(
        _ site: Site, _ norm: Double, batches: [MicroBatch], normalizers: LossCounts
    ) throws -> [String] {
        if norm.isFinite {
            site.skippedInARow = 0
            return []
        }
        site.skippedInARow += 1
        let culprits = try culprits(site, batches, normalizers)
        var names = culprits.prefix(Self.namedReplicas).map { culprit in
            "replica \(culprit.replica) (rank \(culprit.rank)) with crops of \(culprit.series.joined(separator: ", "))"
        }
        if culprits.count > names.count { names.append("\(culprits.count - names.count) more") }
        var source =
            names.isEmpty
            ? "every replica's own is: their sum is too large, or a rank miscalculated" : names.joined(separator: "; ")
        if team != nil, culprits.count > 1 {
            source += "; they share batch statistics, and any of them may have spoilt the others"
        }
        let name = configuration.sites > 1 ? " of site \(site.index)" : ""
        tell(
            "step \(completedSteps + 1)\(name) left out (\(site.skippedInARow) in a row, at most \(Self.skipLimit - 1)"
                + "): its gradient is not finite: \(source)", of: site)
        guard site.skippedInARow < Self.skipLimit else {
            throw DivergenceError(
                description: "\(Self.skipLimit) steps\(name) in a row had no finite gradient: "
                    + "lower learning_rate, or start from an earlier checkpoint (the last: \(source))",
                isOfAllRanks: configuration.sites == 1)
        }
        return culprits.flatMap(\.series)
    }

    /// Warns of something that all ranks of a site know: for the first site at once, for others when all meet.
    private func tell(_ text: String, of site: Site) {
        if site.index == 0 { report(.warning(text)) } else if layout.isLeader { notices.append(text) }
    }

    /// Has rank 0 report the notices of other sites. Collective.
    func passOnNotices() throws {
        if configuration.sites == 1 { return }
        let all = try communicator.gather(text: notices.joined(separator: "\n"))
        notices = []
        for notice in all.flatMap({ $0.split(separator: "\n").map(String.init) }) {
            report(.warning(notice))
            try log?.append(NoticeRecord(step: completedSteps, text: notice))
        }
    }

    /// Computes this rank's replicas once more, one by one, and gathers which of all are not finite by themselves.
    /// Steps that go well pay nothing for it. Replicas that share batch statistics still have their vectors, and are
    /// nothing by themselves.
    private func culprits(_ site: Site, _ batches: [MicroBatch], _ normalizers: LossCounts) throws -> [Culprit] {
        let spare = team == nil ? VectorStorage(configuration.reductionCount) : nil
        var own: [String] = []
        for (place, (replica, batch)) in zip(replicas(of: site), batches).enumerated() {
            if let spare { writeReplica(replica, batch, normalizers, state: site.state, into: spare.buffer) }
            let vector = spare ?? team?.vectors[place]
            if vector?.buffer.allSatisfy(\.isFinite) ?? true { continue }
            own.append(([String(replica)] + batch.seriesUIDs).joined(separator: "\t"))
        }
        let span = begin(.agreement)
        defer { span.end() }
        let all = try siteRanks.gather(text: own.joined(separator: "\n"))
        return all.enumerated().flatMap { rank, lines in
            lines.split(separator: "\n").map { line in
                let fields = line.split(separator: "\t").map(String.init)
                return Culprit(
                    replica: Int(fields[0]) ?? 0, rank: layout.leader(of: site.index) + rank,
                    series: Array(fields.dropFirst()))
            }
        }
    }
}

/// An error where training produces no finite gradients any more.
public struct DivergenceError: Error, CustomStringConvertible {
    public let description: String
    /// Whether all ranks notice the error, or only those of one site.
    let isOfAllRanks: Bool
}
