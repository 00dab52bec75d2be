import FileIO
import TestSupport
import Testing

/// A network without running statistics through the commands.
@Suite(.runsPrograms) struct GroupNormalizationCommandTests {
    private static let settings = [
        "network": "nodule-net-gn", "replicas": "2", "epochs": "1", "steps_per_epoch": "2", "threads": "1",
        "checkpoint_every_steps": "null", "sites": "2", "local_steps": "1",
    ]

    /// Sites exchange no statistics, and a scan is searched.
    @Test func trainedAloneAndSharedAndSearched() throws {
        try withTinyRuns(Self.settings) { runs in
            let (run, shared) = (runs.run(), runs.run("shared"))
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            let job = try mpirun(ranks: 2, shared.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(try run.digest() == shared.digest())
            let found = "\(runs.directory)/found.csv"
            let detect = try luna("detect", "--weights", run.path, "--input", run.data, "--output", found)
            #expect(detect.status == 0, "\(detect.diagnosis)")
            #expect(FileContent.size(found) ?? 0 > 0)
        }
    }
}
