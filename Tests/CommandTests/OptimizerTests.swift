import FileIO
import Foundation
import Networks
import TestSupport
import Testing

/// Every optimiser that a configuration can name trains with the same bits at any rank count, and goes on exactly.
@Suite(.runsPrograms) struct OptimizerTests {
    private static let settings = ["epochs": "1", "steps_per_epoch": "4", "threads": "1", "validation_fold": "null"]

    @Test(arguments: [("nesterov", ["momentum"]), ("adamw", ["exp_avg", "exp_avg_sq"])])
    func sameBitsAtEveryRankCountAndAfterAKill(_ name: String, _ slots: [String]) throws {
        // With all that an update may have beside it: gradients that are shortened, a mean of the weights.
        let update = [
            "optimizer": name, "learning_rate": "0.001", "recipe": "dense", "gradient_clip": "0.5", "ema": "0.9",
        ]
        let settings = Self.settings.merging(update) { $1 }
        try withTinyRuns(settings) { runs in
            let alone = runs.run("alone")
            #expect(try luna(alone.train()).status == 0)
            let truth = try alone.content(step: 4)
            for slot in slots { #expect(truth.keys.contains("/optimizer/\(slot)/preBlock.0.weight"), "\(slot)") }
            #expect(slots.allSatisfy { truth["/optimizer/\($0)/preBlock.0.weight"]?.contains { $0 != 0 } == true })

            // The mean moves slower than the weights, and is what is read as the run's weights.
            let first = try #require(Architecture.standard.parameters.entries.first)
            let mean = try #require(truth["/average/\(first.name)"])
            #expect(mean != truth["/model/\(first.name)"])
            let read = try WeightsFile.read(alone.checkpoint(4)).parameters[first.range]
            #expect(read.withUnsafeBytes { Data($0) } == mean)

            let shared = runs.run("shared")
            // A slow rank leaves time to interrupt the run.
            let job = try mpirun(ranks: 2, fault: "slow:rank=1:phase=forward:seconds=0.5", shared.train()) { job in
                job.wait { shared.hasCheckpoint(2) }
                job.send(SIGKILL, toDescendants: true)
            }
            #expect(job.status != 0 && shared.hasCheckpoint(2) && !shared.hasCheckpoint(4))
            let resumed = try mpirun(ranks: 4, shared.resume())
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(try shared.content(step: 4) == truth)
        }
    }

    /// What one optimiser has left is nothing to another.
    @Test func aRunKeepsItsOptimizer() throws {
        try withTinyRuns(Self.settings.merging(["steps_per_epoch": "1"]) { $1 }) { runs in
            let run = runs.run()
            #expect(try luna(run.train()).status == 0)
            let changed = try luna(run.resume("optimizer=adamw"))
            #expect(changed.status == 65 && changed.diagnosis.contains("optimizer"))
        }
    }
}
