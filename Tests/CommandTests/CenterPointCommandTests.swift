import FileIO
import TestSupport
import Testing

/// The network without anchors with its recipe, through all commands.
@Suite(.runsPrograms) struct CenterPointCommandTests {
    private static let settings = [
        "network": "cpm-net", "recipe": "anchor-free", "replicas": "2", "epochs": "1", "steps_per_epoch": "2",
        "threads": "1", "output_prior": "null", "checkpoint_every_steps": "null",
    ]

    @Test func trainedAloneAndSharedFoundAndExported() throws {
        try withTinyRuns(Self.settings) { runs in
            let (run, shared) = (runs.run(), runs.run("shared"))
            let trained = try luna(run.train())
            #expect(trained.status == 0, "\(trained.diagnosis)")
            #expect(try run.lines("validation").count == 1)
            let job = try mpirun(ranks: 2, shared.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(try run.digest() == shared.digest())

            let (found, model) = ("\(runs.directory)/found.csv", "\(runs.directory)/a.onnx")
            let detect = try luna(
                "detect", "--weights", run.path, "--input", run.data, "--output", found, "--mirrors")
            #expect(detect.status == 0, "\(detect.diagnosis)")
            #expect(FileContent.size(found) ?? 0 > 0)
            let export = try luna("weights", "export", "--weights", run.path, "--output", model)
            #expect(export.status == 0, "\(export.diagnosis)")
            #expect(FileContent.size(model) ?? 0 > 4 * 16_524_999)
            let view = try luna(
                "view", run.data, "--crops", "2", "--set", "network=cpm-net", "--set", "recipe=anchor-free", "--set",
                "validation_fold=null", "--output", "\(runs.directory)/view")
            #expect(view.status == 0, "\(view.diagnosis)")
        }
    }

    /// Network and recipe that do not fit each other are refused by name.
    @Test func recipesFitNetworks() throws {
        try withTinyRuns { runs in
            for setting in ["network=cpm-net", "recipe=anchor-free"] {
                let run = try luna(runs.run().train(setting))
                #expect(run.status == 65 || run.status == 64, "\(run.diagnosis)")
                #expect(run.diagnosis.contains("cpm-net") && run.diagnosis.contains("anchor-free"), "\(run.diagnosis)")
            }
        }
    }
}
