// Steps without a finite gradient: whose crops it were, and when it is enough.

import Detection
import MPI
import Network
import PatchData

extension Trainer {
    /// Steps without a finite gradient after which training is given up.
    private static let skipLimit = 10
    /// How many replicas a warning names.
    private static let namedReplicas = 8

    /// A replica whose gradient, statistics or loss are not finite.
    private struct Culprit {
        var replica: Int
        var rank: Int
        var series: [String]
    }

    /// Keeps count of the steps left out in a row, and says whose crops they had.
    ///
    /// All ranks call it, since all have the same gradient.
    ///
    /// - Returns: The series of the replicas that had no finite gradient of their own.
    /// - Throws: `DivergenceError` where there have been too many; `MPIError`.
    func countSkipped(
        _ norm: Double, batches: [MicroBatch], normalizers: LossCounts
    ) throws -> [String] {
        if norm.isFinite {
            skippedInARow = 0
            return []
        }
        skippedInARow += 1
        let culprits = try culprits(batches, normalizers)
        var names = culprits.prefix(Self.namedReplicas).map { culprit in
            "replica \(culprit.replica) (rank \(culprit.rank)) with crops of \(culprit.series.joined(separator: ", "))"
        }
        if culprits.count > names.count { names.append("\(culprits.count - names.count) more") }
        let source =
            names.isEmpty
            ? "every replica's own is: their sum is too large, or a rank miscalculated" : names.joined(separator: "; ")
        report(
            .warning(
                "step \(completedSteps + 1) left out (\(skippedInARow) in a row, at most \(Self.skipLimit - 1)): "
                    + "its gradient is not finite: \(source)"))
        guard skippedInARow < Self.skipLimit else {
            throw DivergenceError(
                description: "\(Self.skipLimit) steps in a row had no finite gradient: "
                    + "lower learning_rate, or start from an earlier checkpoint")
        }
        return culprits.flatMap(\.series)
    }

    /// Computes this rank's replicas once more, one by one, and gathers which of all are not finite by themselves: steps
    /// that go well pay nothing for the question.
    private func culprits(_ batches: [MicroBatch], _ normalizers: LossCounts) throws -> [Culprit] {
        let vector = VectorStorage(TrainingConfiguration.reductionCount)
        var own: [String] = []
        for (replica, batch) in zip(replicas, batches) {
            addReplica(replica, batch, normalizers, into: vector.buffer)
            if vector.buffer.allSatisfy(\.isFinite) { continue }
            own.append(([String(replica)] + batch.seriesUIDs).joined(separator: "\t"))
        }
        let span = begin(.agreement)
        defer { span.end() }
        let all = try communicator.gather(text: own.joined(separator: "\n"))
        return all.enumerated().flatMap { rank, lines in
            lines.split(separator: "\n").map { line in
                let fields = line.split(separator: "\t").map(String.init)
                return Culprit(replica: Int(fields[0]) ?? 0, rank: rank, series: Array(fields.dropFirst()))
            }
        }
    }
}

/// Training produced no finite gradients any more.
public struct DivergenceError: Error, CustomStringConvertible {
    public let description: String
}
