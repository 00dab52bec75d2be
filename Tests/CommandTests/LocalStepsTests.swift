import HDF5
import Networks
import TestSupport
import Testing

/// Sites that train by themselves for some steps. Of three steps an epoch, rounds are of two and one.
@Suite(.runsPrograms) struct LocalStepsTests {
    private func withLocalRuns(_ body: (TinyRuns) throws -> Void) throws {
        try withTinyRuns(UndisturbedRun.localSettings, body)
    }

    /// A rank that holds both sites, one for each, two for each: every checkpoint has the same bytes, within rounds and
    /// at their ends.
    @Test(arguments: [2, 4]) func sitesGiveTheSameBitsOnAnyRanks(_ ranks: Int) throws {
        let alone = try UndisturbedRun.local.get()
        try withLocalRuns { runs in
            let run = runs.run()
            let job = try mpirun(ranks: ranks, run.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            for step in [2, 3, 4, 6] {
                #expect(try run.bytes(step: step) == alone.bytes(step: step), "step \(step)")
            }
        }
    }

    /// A run that is killed in an outer update or a step, and one that is stopped within a round, end with the same
    /// bytes.
    @Test(arguments: [
        ("kill:rank=1:step=5:phase=outer", 2, 4), ("kill:rank=3:step=5:phase=backward", 4, 1),
        ("term:rank=1:step=3:phase=forward", 2, 1),
    ]) func disturbedRoundsEndWithTheSameBits(_ fault: String, _ ranks: Int, _ resumedRanks: Int) throws {
        let alone = try UndisturbedRun.local.get()
        try withLocalRuns { runs in
            let run = runs.run()
            let job = try mpirun(ranks: ranks, fault: fault, run.train())
            #expect(fault.hasPrefix("term") ? job.status == 75 : job.status != 0, "\(job.diagnosis)")
            #expect(!run.hasCheckpoint(6))
            let resumed = try mpirun(ranks: resumedRanks, run.train() + ["--resume"])
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(try run.bytes(step: 6) == alone.bytes(step: 6))
        }
    }

    /// Every round is logged at its end, with the length of the sites' way.
    @Test func roundsAreLogged() throws {
        let rounds = try UndisturbedRun.local.get().lines("round")
        #expect(
            zip(rounds, [2, 3, 5, 6]).allSatisfy {
                $0.contains("\"step\":\($1)") && $0.contains("\"mean_norm\":0.")
            })
        #expect(rounds.count == 4)
    }

    /// More sites than ranks share, outer updates rounded to bfloat16 at every addition.
    @Test func roundedUpdatesHaveTheSameBitsOnAnyRanks() throws {
        try withLocalRuns { runs in
            for ranks in [1, 2, 4] {
                let run = runs.run("ranks\(ranks)")
                let job = try mpirun(
                    ranks: ranks, run.train("sites=4", "gradient_exchange=bfloat16", "epochs=1"))
                #expect(job.status == 0, "\(job.diagnosis)")
                for step in [2, 3] {
                    #expect(try run.bytes(step: step) == runs.run("ranks1").bytes(step: step), "\(ranks) ranks")
                }
            }
        }
    }

    /// One site whose outer update follows it all the way trains as without local steps, but for rounding.
    @Test func oneSiteThatIsFollowedIsSynchronous() throws {
        try withLocalRuns { runs in
            let (local, synchronous) = (runs.run("local"), runs.run("synchronous"))
            let followed = local.train(
                "sites=1", "local_steps=1", "outer_learning_rate=1", "outer_momentum=0", "epochs=1")
            for arguments in [followed, synchronous.train("sites=1", "local_steps=null", "epochs=1")] {
                let job = try luna(arguments)
                #expect(job.status == 0, "\(job.diagnosis)")
            }
            let states = try [local, synchronous].map { try WeightsFile.read($0.checkpoint(3)).parameters }
            var (difference, size) = (0.0, 0.0)
            for (a, b) in zip(states[1], states[0]) {
                difference += Double(a - b) * Double(a - b)
                size += Double(a) * Double(a)
            }
            let datasets = try [local, synchronous].map { try HDF5File(reading: $0.checkpoint(3)).datasetPaths().count }
            #expect(datasets[0] > datasets[1] && size > 1)
            #expect(difference.squareRoot() < 1e-4 * size.squareRoot())
        }
    }

    /// A crop that is not a number costs its own site a step, and rank 0 says so when the round ends.
    @Test func aSiteLeavesOutItsOwnStep() throws {
        try withLocalRuns { runs in
            let run = runs.run()
            let job = try mpirun(ranks: 2, fault: "nan:rank=1:step=2", run.train())
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(job.diagnosis.contains("step 2 of site 1 left out"), "\(job.diagnosis)")
            #expect(job.diagnosis.contains("replica 2 (rank 1)"), "\(job.diagnosis)")
            let notices = try run.lines("notice")
            #expect(notices.count == 1 && notices[0].contains("step 2 of site 1 left out"))
            let checkpoint = try HDF5File(reading: run.checkpoint(6))
            let updates = try [0, 1].map { try checkpoint.attribute("updates", of: "/sites/\($0)", as: Int64.self) }
            #expect(updates == [6, 5])
        }
    }

    /// A bit that flips on one of a site's ranks is noticed before it could reach the other sites.
    @Test func aFlippedBitEndsTheRound() throws {
        try withLocalRuns { runs in
            let job = try mpirun(
                ranks: 4, fault: "flip:rank=3:step=3", runs.run().train("checkpoint_every_steps=null"))
            #expect(job.status == 70, "\(job.diagnosis)")
            #expect(
                job.diagnosis.contains("the network's state at step 3 differs between rank 2 and rank 3"),
                "\(job.diagnosis)")
        }
    }
}
