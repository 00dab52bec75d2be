import TestSupport
import Testing

/// A network without running statistics in training, on one rank and on two.
@Suite(.runsPrograms) struct GroupNormalizationCommandTests {
    private static let settings = [
        "network": "nodule-net-gn", "replicas": "2", "epochs": "1", "steps_per_epoch": "2", "threads": "1",
        "checkpoint_every_steps": "null", "validation_fold": "null", "sites": "2", "local_steps": "1",
    ]

    /// Sites have no statistics to exchange, nor checkpoints to hold.
    @Test func trainedAloneAndShared() throws {
        try withTinyRuns(Self.settings) { runs in
            let (run, shared) = (runs.run(), runs.run("shared"))
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            let job = try mpirun(ranks: 2, shared.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(try run.digest() == shared.digest())
        }
    }
}
