import FileIO
import Foundation
import TestSupport
import Testing

/// Training ends with the same bits whatever the ranks, threads and interruptions.
@Suite(.runsPrograms) struct SameBitsTests {
    /// One process of two threads, and ranks of one thread each.
    @Test(arguments: [1, 2, 4]) func sameBitsAtEveryRankAndThreadCount(_ ranks: Int) throws {
        let truth = try UndisturbedRun.whole.get().content(step: 6)
        #expect(truth.count > 300)
        try withTinyRuns { runs in
            let run = runs.run()
            let job = try mpirun(ranks: ranks, run.train("threads=1"))
            #expect(job.status == 0, "\(job.diagnosis)")
            #expect(try run.content(step: 6) == truth)
        }
    }

    /// A run that is done has logged every step, and is neither begun again nor continued with another seed.
    @Test func aFinishedRunIsLeftAlone() throws {
        let run = try UndisturbedRun.whole.get()
        #expect(try run.lines("step").count == 6)
        #expect(try run.lines("validation").count == 2)
        let again = try luna(run.train())
        #expect(again.status == 64 && again.diagnosis.contains("--resume"))
        let changed = try luna(run.resume("seed=9"))
        #expect(changed.status == 65 && changed.diagnosis.contains("seed"))
    }

    /// Killed without warning, and resumed on another number of ranks; asked to stop, and resumed.
    @Test(arguments: [(SIGKILL, 2, 4), (SIGUSR1, 4, 2)])
    func interruptedRunsEndWithTheSameBits(_ signal: Int32, _ ranks: Int, _ resumedRanks: Int) throws {
        let truth = try UndisturbedRun.whole.get().content(step: 6)
        try withTinyRuns { runs in
            let run = runs.run()
            // A slow rank leaves time to interrupt it.
            let slow = "slow:rank=1:phase=forward:seconds=0.5"
            let job = try mpirun(ranks: ranks, fault: slow, run.train("threads=1")) { job in
                job.wait { run.hasCheckpoint(2) }
                job.send(signal, toDescendants: signal == SIGKILL)
            }
            if signal == SIGUSR1 { #expect(job.status == 75) } else { #expect(job.status != 0) }
            // Not at its end yet, or the test shows nothing.
            #expect(!run.hasCheckpoint(6))
            let resumed = try mpirun(ranks: resumedRanks, run.resume("threads=1"))
            #expect(resumed.status == 0, "\(resumed.diagnosis)")
            #expect(try run.content(step: 6) == truth)
            #expect(try run.lines("step").count == 6)
        }
    }

    /// The reduction under mpirun: the tree's sum has the same bits at every rank count.
    @Test func reductionOverRanks() throws {
        struct Row: Decodable {
            let mode, digest: String
        }
        let digests = try [1, 2, 4].map { ranks -> String in
            let job = try mpirun(ranks: ranks, "bench", "allreduce", "--replicas", "4", "--steps", "2", "--json")
            #expect(job.status == 0, "\(job.diagnosis)")
            let line = try #require(job.output.split(separator: "\n").last)
            let rows = try JSONDecoder().decode([Row].self, from: Data(line.utf8))
            return try #require(rows.first { $0.mode == "tree" }).digest
        }
        #expect(Set(digests).count == 1)
    }
}
