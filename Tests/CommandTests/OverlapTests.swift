import FileIO
import Foundation
import TestSupport
import Testing

/// Gradients that travel during the backward pass.
@Suite(.runsPrograms) struct OverlapTests {
    private struct Row: Decodable {
        let overlap, exchange, digest: String
        let ranks: Int
        let step_s, exposed_s, waiting_s, cpu_s: Double
    }

    /// Under mpirun, the sum has the same bits at every rank count, in every mode, and for buckets of any size.
    @Test func overlapChangesNoBit() throws {
        var rows: [Row] = []
        for (ranks, kib) in [(1, 1024), (2, 1024), (2, 77), (4, 1024), (4, 333)] {
            let job = try mpirun(
                ranks: ranks, "bench", "overlap", "--size", "16", "--replicas", "4", "--threads", "1", "--steps", "1",
                "--exchange", "float32", "--exchange", "bfloat16", "--bucket-kib", "\(kib)", "--no-bound", "--json")
            #expect(job.status == 0, "\(job.diagnosis)")
            let line = try #require(job.output.split(separator: "\n").last)
            rows += try JSONDecoder().decode([Row].self, from: Data(line.utf8))
        }
        #expect(rows.count == 5 * 6 && rows.allSatisfy { $0.step_s > $0.exposed_s && $0.cpu_s > 0 })
        #expect(Set(rows.map(\.overlap)) == ["off", "thread", "poll"])
        let float32 = Set(rows.filter { $0.exchange == "float32" }.map(\.digest))
        let bfloat16 = Set(rows.filter { $0.exchange == "bfloat16" }.map(\.digest))
        #expect(float32.count == 1 && bfloat16.count == 1 && float32 != bfloat16)
    }

    /// Training ends with the same bits whatever the mode.
    @Test(
        arguments: ["float32", "bfloat16"], [(2, "off"), (2, "thread"), (4, "poll"), (4, "thread")])
    func trainsToTheSameBitsInEveryMode(_ exchange: String, _ job: (ranks: Int, overlap: String)) throws {
        let truth = try UndisturbedRun.oneEpoch(exchange).content(step: 3)
        try withTinyRuns(["epochs": "1", "threads": "1", "gradient_exchange": exchange]) { runs in
            let run = runs.run()
            let trained = try mpirun(ranks: job.ranks, run.train("overlap=\(job.overlap)"))
            #expect(trained.status == 0, "\(trained.diagnosis)")
            #expect(try run.content(step: 3) == truth)
        }
    }

    /// A run may go on in another mode, but not with other sums.
    @Test(arguments: [("float32", "bfloat16"), ("bfloat16", "float32")])
    func aRunGoesOnInAnotherMode(_ exchange: String, _ other: String) throws {
        let truth = try UndisturbedRun.oneEpoch(exchange).content(step: 3)
        try withTinyRuns(["epochs": "1", "threads": "1", "gradient_exchange": exchange]) { runs in
            let run = runs.run()
            let fault = "term:rank=1:step=1:phase=forward"
            let stopped = try mpirun(ranks: 2, fault: fault, run.train("overlap=thread"))
            #expect(stopped.status == 75, "\(stopped.diagnosis)")
            let refused = try luna(run.resume("gradient_exchange=\(other)"))
            #expect(refused.status == 65 && refused.diagnosis.contains("gradient_exchange"), "\(refused.diagnosis)")
            let another = try luna(run.resume("epochs=1", "overlap=poll"))
            #expect(another.status == 0, "\(another.diagnosis)")
            #expect(try run.content(step: 3) == truth)
        }
    }
}
