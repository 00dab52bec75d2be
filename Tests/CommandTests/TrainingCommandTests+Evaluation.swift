import FileIO
import Foundation
import TestSupport
import Testing

extension TrainingCommandTests {
    private struct Line: Decodable {
        var kind: String
        var epoch: Int?
        var cpm: Double?
        var sensitivity: [Double]?
        var best: Bool?
        var nodules: Int?
    }

    private func frocLines(_ run: String) throws -> [Line] {
        String(decoding: try FileContent.bytes("\(run)/metrics.jsonl"), as: UTF8.self).split(separator: "\n").compactMap
        {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }.filter { $0.kind == "froc" }
    }

    /// A run that evaluates itself every second epoch says what `luna detect` and `luna evaluate` say of its checkpoints,
    /// at any number of ranks; the best one is kept.
    @Test(.timeLimit(.minutes(4))) func evaluatesWhileTraining() throws {
        try withRuns { data, directory, config in
            // Without a prior of the output, so that there are findings; more checkpoints than are kept.
            let settings = [
                "--config", config, "--set", "epochs=4", "--set", "steps_per_epoch=2", "--set", "output_prior=null",
                "--set", "evaluate_every_epochs=2", "--set", "keep_checkpoints=1",
            ]
            let run = "\(directory)/run"
            let trained = try LunaProcess(["train", "--data", data, "--run", run] + settings)
            #expect(trained.status == 0, "\(trained.diagnosis)")
            #expect(trained.diagnosis.contains("CPM"))
            let lines = try frocLines(run)
            #expect(lines.map(\.epoch) == [2, 4])
            #expect(lines.first?.best == true && lines.allSatisfy { $0.nodules ?? 0 > 0 && $0.sensitivity?.count == 7 })

            let shared = try MPIRun(
                ranks: 4,
                ["train", "--data", data, "--run", "\(directory)/shared"] + settings + ["--set", "threads=1"])
            #expect(shared.status == 0, "\(shared.diagnosis)")
            #expect(try frocLines("\(directory)/shared").map(\.cpm) == lines.map(\.cpm))

            // The last epoch's, told by the commands.
            let found = try LunaProcess(
                "detect", "--weights", run, "--input", data, "--output", "\(directory)/candidates.csv", "--memory",
                "1G")
            #expect(found.status == 0, "\(found.diagnosis)")
            let lists = try heldOutLists(data, directory)
            let evaluated = try LunaProcess(
                "evaluate", "--candidates", "\(directory)/candidates.csv", "--annotations", lists.annotations,
                "--series", lists.series, "--output", "\(directory)/evaluation", "--bootstrap", "0")
            #expect(evaluated.status == 0, "\(evaluated.diagnosis)")
            let froc = try JSONDecoder().decode(
                Written.self, from: Data(try FileContent.bytes("\(directory)/evaluation/froc.json")))
            #expect(froc.sensitivity == lines.last?.sensitivity)
            #expect(froc.counts.nodules == lines.last?.nodules)

            // The best is there, though only one checkpoint is kept.
            let best = try LunaProcess(
                "detect", "--weights", "\(run)/checkpoints/best", "--input", data, "--output", "\(directory)/best.csv")
            #expect(best.status == 0, "\(best.diagnosis)")
            let events = try FileContent.names(inDirectory: "\(run)/tensorboard")
            #expect(events.count == 1 && events[0].hasPrefix("events.out.tfevents."))
        }
    }

    /// Asked to stop while it evaluates, a run leaves a checkpoint that owes the evaluation; resumed, its log says what an
    /// uninterrupted one's does, every evaluation once.
    @Test(.timeLimit(.minutes(4))) func stopsWhileEvaluating() throws {
        try withRuns { data, directory, config in
            let settings = [
                "--config", config, "--set", "epochs=3", "--set", "steps_per_epoch=2", "--set", "output_prior=null",
                "--set", "evaluate_every_epochs=1", "--set", "threads=1",
            ]
            let whole = try LunaProcess(["train", "--data", data, "--run", "\(directory)/whole"] + settings)
            #expect(whole.status == 0, "\(whole.diagnosis)")
            let run = "\(directory)/run"
            let metrics = "\(run)/metrics.jsonl"
            let hasValidated = {
                (try? FileContent.bytes(metrics)).map {
                    String(decoding: $0, as: UTF8.self).contains("\"kind\":\"validation\"")
                } ?? false
            }
            let status = try MPIRun.interrupted(
                ranks: 2, by: SIGUSR1, when: hasValidated, ["train", "--data", data, "--run", run] + settings)
            #expect(status == 75)
            let resumed = try MPIRun(ranks: 4, ["train", "--data", data, "--run", run, "--resume"])
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            let (lines, expected) = (try frocLines(run), try frocLines("\(directory)/whole"))
            #expect(lines.map(\.epoch) == [1, 2, 3])
            #expect(lines.map(\.cpm) == expected.map(\.cpm) && lines.map(\.best) == expected.map(\.best))
            let best = try FileContent.bytes("\(run)/checkpoints/best")
            #expect(try best == FileContent.bytes("\(directory)/whole/checkpoints/best"))
        }
    }

    private struct Written: Decodable {
        struct Counts: Decodable { var nodules: Int }
        var sensitivity: [Double]
        var counts: Counts
    }

    /// The lists of the held-out fold's scans.
    private func heldOutLists(_ data: String, _ directory: String) throws -> (annotations: String, series: String) {
        let phantoms = data.replacing("/dataset", with: "/phantoms")
        let scans = try FileContent.names(inDirectory: "\(phantoms)/subset1").filter { $0.hasSuffix(".mhd") }
            .map { String($0.dropLast(4)) }
        let all = String(
            decoding: try FileContent.bytes("\(phantoms)/CSVFILES/annotations.csv"), as: UTF8.self
        ).split(separator: "\n")
        let own = all.dropFirst().filter { line in scans.contains { line.hasPrefix($0) } }
        try AtomicFile.write(
            ([all[0]] + own).joined(separator: "\n") + "\n", to: "\(directory)/annotations.csv")
        try AtomicFile.write(scans.joined(separator: "\n") + "\n", to: "\(directory)/series.csv")
        return ("\(directory)/annotations.csv", "\(directory)/series.csv")
    }
}
