import FileIO
import Foundation
import TestSupport
import Testing

/// Sites that train by themselves for some steps. Of five steps an epoch, rounds are of three and two.
@Suite(.serialized) struct LocalStepsTests {
    private static let local = """
        crop_size: 32
        replicas: 4
        sites: 2
        local_steps: 3
        epochs: 2
        steps_per_epoch: 5
        validation_fold: 1
        checkpoint_every_steps: 2
        keep_checkpoints: 20
        output_prior: 0.01
        learning_rate: 0.005
        threads: 1
        """

    private func withLocalRuns(_ body: (_ directory: String, _ arguments: [String]) throws -> Void) throws {
        let data = try TrainingCommandTests.dataset.get()
        try withTemporaryDirectory { directory in
            try AtomicFile.write(Self.local, to: "\(directory)/local.yaml")
            try body(directory, ["train", "--data", data, "--config", "\(directory)/local.yaml"])
        }
    }

    private func path(_ run: String, _ step: Int) -> String {
        "\(run)/checkpoints/step-000000\(step < 10 ? "0" : "")\(step).h5"
    }

    private func checkpoint(_ run: String, _ step: Int) throws -> [UInt8] { try FileContent.bytes(path(run, step)) }

    /// A rank that holds both sites, one for each, two for each: every checkpoint has the same bytes, within rounds and at
    /// their ends; a run that is killed in an outer update, and one that is stopped within a round, end with them too.
    @Test(.timeLimit(.minutes(5))) func sitesGiveTheSameBitsOnAnyRanks() throws {
        try withLocalRuns { directory, arguments in
            let alone = "\(directory)/alone"
            let whole = try LunaProcess(arguments + ["--run", alone])
            #expect(whole.status == 0, "\(whole.diagnosis)")
            for ranks in [2, 4] {
                let run = "\(directory)/ranks\(ranks)"
                let job = try MPIRun(ranks: ranks, arguments + ["--run", run])
                #expect(job.status == 0, "\(job.diagnosis)")
                for step in stride(from: 2, through: 10, by: 2) {
                    #expect(try checkpoint(run, step) == checkpoint(alone, step), "\(ranks) ranks, step \(step)")
                }
            }
            for (fault, ranks, resumedRanks) in [
                ("kill:rank=1:step=8:phase=outer", 2, 4), ("kill:rank=3:step=7:phase=backward", 4, 1),
                ("term:rank=1:step=7:phase=forward", 2, 1),
            ] {
                let run = "\(directory)/\(fault.prefix { $0 != ":" })\(ranks)"
                let job = try MPIRun(
                    ranks: ranks, environment: ["LUNA_FAULT": fault], arguments + ["--run", run])
                #expect(fault.hasPrefix("term") ? job.status == 75 : job.status != 0, "\(fault): \(job.diagnosis)")
                #expect(FileContent.size(path(run, 10)) == nil)
                let resumed = try MPIRun(ranks: resumedRanks, arguments + ["--run", run, "--resume"])
                #expect(resumed.status == 0, "\(fault): \(resumed.diagnosis)")
                #expect(try checkpoint(run, 10) == checkpoint(alone, 10), "\(fault)")
            }
            let log = String(decoding: try FileContent.bytes("\(alone)/metrics.jsonl"), as: UTF8.self)
            let rounds = log.split(separator: "\n").filter { $0.contains("\"kind\":\"round\"") }
            #expect(
                zip(rounds, [3, 5, 8, 10]).allSatisfy {
                    $0.contains("\"step\":\($1)") && $0.contains("\"mean_norm\":0.")
                })
            #expect(rounds.count == 4)
        }
    }

    /// More sites than ranks share, outer updates rounded to bfloat16 at every addition.
    @Test(.timeLimit(.minutes(2))) func roundedUpdatesHaveTheSameBitsOnAnyRanks() throws {
        try withLocalRuns { directory, arguments in
            let settings = ["--set", "sites=4", "--set", "gradient_exchange=bfloat16", "--set", "epochs=1"]
            for ranks in [1, 2, 4] {
                let run = "\(directory)/ranks\(ranks)"
                let job = try MPIRun(ranks: ranks, arguments + settings + ["--run", run])
                #expect(job.status == 0, "\(job.diagnosis)")
                for step in [4, 5] {
                    #expect(try checkpoint(run, step) == checkpoint("\(directory)/ranks1", step), "\(ranks) ranks")
                }
            }
        }
    }

    /// One site whose outer update follows it all the way trains as without local steps, but for rounding.
    @Test(.timeLimit(.minutes(2))) func oneSiteThatIsFollowedIsSynchronous() throws {
        try withLocalRuns { directory, arguments in
            var weights: [[String: [Float]]] = []
            let followed = ["local_steps=1", "outer_learning_rate=1", "outer_momentum=0"]
            for (name, settings) in [("local", followed), ("synchronous", ["local_steps=null"])] {
                let run = "\(directory)/\(name)"
                let all = ["sites=1", "epochs=1"] + settings
                let job = try LunaProcess(arguments + ["--run", run] + all.flatMap { ["--set", $0] })
                #expect(job.status == 0, "\(job.diagnosis)")
                weights.append(try TrainingCommandTests.content(run, step: 5))
            }
            var (difference, size) = (0.0, 0.0)
            for (name, values) in weights[1] where name.hasPrefix("/model/") {
                for (a, b) in zip(values, weights[0][name] ?? []) {
                    difference += Double(a - b) * Double(a - b)
                    size += Double(a) * Double(a)
                }
            }
            #expect(weights[0].count > weights[1].count && size > 1)
            #expect(difference.squareRoot() < 1e-4 * size.squareRoot())
        }
    }

    /// A crop that is not a number costs its own site a step, and rank 0 says so when the round ends.
    @Test(.timeLimit(.minutes(2))) func aSiteLeavesOutItsOwnStep() throws {
        try withLocalRuns { directory, arguments in
            let job = try MPIRun(
                ranks: 2, environment: ["LUNA_FAULT": "nan:rank=1:step=2"], arguments + ["--run", "\(directory)/run"])
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("step 2 of site 1 left out"), "\(job.diagnosis)")
            #expect(job.diagnosis.contains("replica 2 (rank 1)"), "\(job.diagnosis)")
            let log = String(decoding: try FileContent.bytes("\(directory)/run/metrics.jsonl"), as: UTF8.self)
            let notices = log.split(separator: "\n").filter { $0.contains("\"kind\":\"notice\"") }
            #expect(notices.count == 1 && notices[0].contains("step 2 of site 1 left out"))
        }
    }

    /// A bit that flips on one of a site's ranks is noticed before it could reach the other sites.
    @Test(.timeLimit(.minutes(2))) func aFlippedBitEndsTheRound() throws {
        try withLocalRuns { directory, arguments in
            let job = try MPIRun(
                ranks: 4, environment: ["LUNA_FAULT": "flip:rank=3:step=3"],
                arguments + ["--run", "\(directory)/run", "--set", "checkpoint_every_steps=null"])
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(
                job.diagnosis.contains("the network's state at step 3 differs between rank 2 and rank 3"),
                "\(job.diagnosis)")
        }
    }
}
