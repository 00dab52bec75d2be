import FileIO
import Foundation
import TestSupport
import Testing

/// From phantoms to weights: what a small run comes to, recorded for each instruction set.
///
/// Phantoms, patches, samples, augmentation, the network, the loss and the update all have a part in the digest, which
/// is that of every processor. A commit that changes it says so.
@Suite(.runsPrograms) struct RecordedBitsTests {
    /// Digests of `luna weights show` after sixty steps, and after six where nothing is fast.
    @Test(arguments: [
        ("baseline", 6, "6914c8842fc20e14"), ("avx2", 60, "b60b1e2d871da046"), ("avx512", 60, "b60b1e2d871da046"),
    ])
    func weightsAfterSomeSteps(_ instructionSet: String, _ steps: Int, _ digest: String) throws {
        let settings = [
            "replicas": "2", "epochs": "1", "steps_per_epoch": "\(steps)", "validation_fold": "null",
            "learning_rate": "0.02", "warmup_steps": "10", "schedule": "cosine", "zero_init_residual": "true",
            "checkpoint_every_steps": "null", "augment": "{flip: true, swap: true, rotate: true, scale: true}",
        ]
        try withTinyRuns(settings) { runs in
            let run = runs.run()
            let job = try ProgramRun(
                lunaPath, run.train(), environment: ["LUNA_ISA": instructionSet, "OPENBLAS_CORETYPE": "Haswell"])
            #expect(job.status == 0, "\(job.diagnosis)")
            // A processor without the instruction set trains with the best that it has, which the log names.
            let name = try #require(job.diagnosis.firstMatch(of: /kernels (baseline|avx2|avx512),/)?.1)
            guard name == instructionSet else { return }
            let found = try run.digest()
            #expect(found == digest, "the bits of \(instructionSet) have changed")
        }
    }
}
