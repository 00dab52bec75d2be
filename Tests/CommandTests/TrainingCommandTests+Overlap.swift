import FileIO
import Foundation
import Testing

/// Gradients that travel during the backward pass.
extension TrainingCommandTests {
    private struct Row: Decodable {
        let overlap, exchange, digest: String
        let ranks: Int
        let step_s, exposed_s, waiting_s, cpu_s: Double
    }

    /// Under mpirun, the sum has the same bits at every rank count, in every mode, and for buckets of any size.
    @Test(.timeLimit(.minutes(4))) func overlapChangesNoBit() throws {
        var rows: [Row] = []
        for (ranks, kib) in [(1, 1024), (2, 1024), (2, 77), (4, 1024), (4, 333)] {
            let job = try MPIRun(
                ranks: ranks, "bench", "overlap", "--size", "32", "--replicas", "4", "--threads", "1", "--steps", "1",
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

    /// Training ends with the same bits whatever the mode; a run may go on in another one.
    @Test(.timeLimit(.minutes(4)), arguments: ["float32", "bfloat16"])
    func trainsToTheSameBitsInEveryMode(_ exchange: String) throws {
        try withRuns { data, directory, config in
            let settings = [
                "--config", config, "--set", "epochs=1", "--set", "threads=1", "--set", "gradient_exchange=\(exchange)",
            ]
            let alone = try LunaProcess(["train", "--data", data, "--run", "\(directory)/alone"] + settings)
            #expect(alone.status == 0, "\(alone.diagnosis)")
            let truth = try content("\(directory)/alone", step: 6)
            for (ranks, mode) in [(2, "off"), (2, "thread"), (4, "poll"), (4, "thread")] {
                let run = "\(directory)/\(mode)\(ranks)"
                let job = try MPIRun(
                    ranks: ranks, ["train", "--data", data, "--run", run, "--set", "overlap=\(mode)"] + settings)
                #expect(job.status == 0, "\(job.diagnosis)")
                #expect(try content(run, step: 6) == truth, "\(ranks) ranks, overlap \(mode)")
            }
            let steps = ["--resume", "--set", "epochs=1", "--set", "overlap=poll"]
            let another = try LunaProcess(["train", "--data", data, "--run", "\(directory)/thread2"] + steps)
            #expect(another.status == 0, "\(another.diagnosis)")
            let other = exchange == "float32" ? "bfloat16" : "float32"
            let refused = try LunaProcess(
                "train", "--data", data, "--run", "\(directory)/thread2", "--resume", "--set",
                "gradient_exchange=\(other)")
            #expect(refused.status == 65 && refused.diagnosis.contains("gradient_exchange"), "\(refused.diagnosis)")
        }
    }
}
