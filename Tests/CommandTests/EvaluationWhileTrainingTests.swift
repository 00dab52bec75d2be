import FileIO
import Foundation
import TestSupport
import Testing

/// Runs that evaluate themselves while they train.
@Suite(.runsPrograms) struct EvaluationWhileTrainingTests {
    private struct Line: Decodable {
        var epoch: Int?
        var cpm: Double?
        var sensitivity: [Double]?
        var best: Bool?
        var nodules: Int?
    }

    // Without a prior of the output, so that there are findings.
    private static let settings = ["steps_per_epoch": "1", "output_prior": "null"]

    /// A run that evaluates itself every second epoch says what `luna detect` and `luna evaluate` say of its
    /// checkpoints, at any number of ranks; the best one is kept.
    @Test func evaluatesWhileTraining() throws {
        // More checkpoints than are kept.
        let more = ["epochs": "4", "evaluate_every_epochs": "2", "keep_checkpoints": "1"]
        try withTinyRuns(Self.settings.merging(more) { $1 }) { runs in
            let (run, directory) = (runs.run(), runs.directory)
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            #expect(trained.diagnosis.contains("CPM"))
            let lines = try run.lines("froc", as: Line.self)
            #expect(lines.map(\.epoch) == [2, 4])
            #expect(lines.first?.best == true && lines.allSatisfy { $0.nodules ?? 0 > 0 && $0.sensitivity?.count == 7 })

            let shared = runs.run("shared")
            let job = try mpirun(ranks: 4, shared.train("threads=1"))
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(try shared.lines("froc", as: Line.self).map(\.cpm) == lines.map(\.cpm))

            // The last epoch's, told by the commands.
            let found = try luna(
                "detect", "--weights", run.path, "--input", run.data, "--output", "\(directory)/candidates.csv",
                "--memory", "1G")
            #expect(found.status == 0, "\(found.diagnosis)")
            let lists = try heldOutLists(runs)
            let evaluated = try luna(
                "evaluate", "--candidates", "\(directory)/candidates.csv", "--annotations", lists.annotations,
                "--series", lists.series, "--output", "\(directory)/evaluation", "--bootstrap", "0")
            #expect(evaluated.status == 0, "\(evaluated.diagnosis)")
            let froc = try JSONDecoder().decode(
                Written.self, from: Data(try FileContent.bytes("\(directory)/evaluation/froc.json")))
            #expect(froc.sensitivity == lines.last?.sensitivity)
            #expect(froc.counts.nodules == lines.last?.nodules)

            // The best is there, though only one checkpoint is kept.
            let best = try luna(
                "detect", "--weights", "\(run.checkpoints)/best", "--input", run.data, "--output",
                "\(directory)/best.csv")
            #expect(best.status == 0, "\(best.diagnosis)")
            let events = try FileContent.names(inDirectory: "\(run.path)/tensorboard")
            #expect(events.count == 1 && events[0].hasPrefix("events.out.tfevents."))
        }
    }

    /// Asked to stop while it evaluates, a run leaves a checkpoint that owes the evaluation; resumed, its log says what
    /// an uninterrupted one's does, every evaluation once.
    @Test func stopsWhileEvaluating() throws {
        let more = ["epochs": "3", "evaluate_every_epochs": "1", "threads": "1"]
        try withTinyRuns(Self.settings.merging(more) { $1 }) { runs in
            let (run, whole) = (runs.run(), runs.run("whole"))
            let undisturbed = try luna(whole.train())
            #expect(undisturbed.status == 0, "\(undisturbed.diagnosis)")
            let job = try mpirun(ranks: 2, run.train()) { job in
                job.wait { (try? run.lines("validation").isEmpty) == false }
                job.send(SIGUSR1)
            }
            #expect(job.status == 75, "\(job.diagnosis)")
            let resumed = try mpirun(ranks: 4, run.resume())
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            let lines = try run.lines("froc", as: Line.self), expected = try whole.lines("froc", as: Line.self)
            #expect(lines.map(\.epoch) == [1, 2, 3])
            #expect(lines.map(\.cpm) == expected.map(\.cpm) && lines.map(\.best) == expected.map(\.best))
            let best = try mappedBytes("\(run.checkpoints)/best")
            #expect(try best == mappedBytes("\(whole.checkpoints)/best"))
        }
    }

    private struct Written: Decodable {
        struct Counts: Decodable { var nodules: Int }
        var sensitivity: [Double]
        var counts: Counts
    }

    /// The lists of the held-out fold's scans.
    private func heldOutLists(_ runs: TinyRuns) throws -> (annotations: String, series: String) {
        let scans = try runs.tiny.scans(fold: 1)
        let all = String(
            decoding: try FileContent.bytes("\(runs.tiny.phantoms)/CSVFILES/annotations.csv"), as: UTF8.self
        ).split(separator: "\n")
        let own = all.dropFirst().filter { line in scans.contains { line.hasPrefix($0) } }
        try AtomicFile.write(
            ([all[0]] + own).joined(separator: "\n") + "\n", to: "\(runs.directory)/annotations.csv")
        try AtomicFile.write(scans.joined(separator: "\n") + "\n", to: "\(runs.directory)/series.csv")
        return ("\(runs.directory)/annotations.csv", "\(runs.directory)/series.csv")
    }
}
