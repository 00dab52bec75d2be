import FileIO
import TestSupport

/// Runs of one process that nothing happens to, each trained once for all tests that compare with it.
enum UndisturbedRun {
    /// The tiny run as it stands: 6 steps of 4 replicas in two epochs, on two threads.
    static let whole = train(["threads": "2"])

    /// An epoch of 3 steps, whose gradients are exchanged as `float32` or `bfloat16`.
    static func oneEpoch(_ exchange: String) throws -> TinyRun {
        try (exchange == "bfloat16" ? oneEpochRounded : oneEpochExact).get()
    }
    private static let oneEpochExact = train(["epochs": "1", "threads": "1"])
    private static let oneEpochRounded = train(["epochs": "1", "threads": "1", "gradient_exchange": "bfloat16"])

    /// 6 steps of 2 replicas.
    static let short = train(shortSettings)
    static let shortSettings = ["replicas": "2", "epochs": "1", "steps_per_epoch": "6", "threads": "1"]

    /// Two sites that train by themselves for two steps of each epoch's three.
    static let local = train(localSettings)
    static let localSettings = ["sites": "2", "local_steps": "2", "threads": "1"]

    /// An epoch of 3 steps, of replicas that share batch statistics.
    static let shared = train(sharedSettings)
    static let sharedSettings = ["synchronized_batch_norm": "true", "epochs": "1", "threads": "1"]

    private static func train(_ overrides: [String: String]) -> Result<TinyRun, any Error> {
        Result {
            let run = try TinyRuns(in: try makeSharedDirectory(), overrides).run()
            let process = try luna(run.train())
            guard process.status == 0 else { throw InputError(run.path, process.diagnosis) }
            return run
        }
    }
}
