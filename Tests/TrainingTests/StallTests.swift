import MPI
import Runs
import Testing

@testable import Training

@Suite struct StallTests {
    private func sighting(
        _ rank: Int, collectives: Int, waiting: Bool, idle: Double = 0, still: Double = 0,
        _ change: (inout Heartbeat) -> Void = { _ in }
    ) -> Sighting {
        var heartbeat = Heartbeat(
            rank: rank, ranks: 4, host: "node\(rank)", pid: 1, phase: waiting ? .reduce : .forward, phaseBegan: 1000,
            step: 12, firstStep: 0, steps: 100, started: 900, time: 1060, interval: 1, beat: 5,
            collectives: collectives, isWaiting: waiting, idle: idle)
        change(&heartbeat)
        return Sighting(heartbeat: heartbeat, stillness: stillness(still))
    }

    /// A value seen unchanged for so many seconds, at one look a second.
    private func stillness(_ seconds: Double) -> Stillness {
        var stillness = Stillness()
        let begin = ContinuousClock.now
        for second in 0...Int(seconds) { stillness.look(at: 7, now: begin + .seconds(second), interval: 1) }
        return stillness
    }

    @Test func timeWithoutLooksDoesNotCount() {
        var stillness = stillness(10)
        #expect(stillness.seconds == 10)
        // The process was stopped for an hour.
        stillness.look(at: 7, now: .now + .seconds(3610), interval: 1)
        #expect(stillness.seconds == 12)
        stillness.look(at: 8, now: .now + .seconds(3611), interval: 1)
        #expect(stillness.seconds == 0)
    }

    @Test func theRankThatHasNotArrivedIsNamed() {
        let judgement = StallJudgement(sightings: [
            0: sighting(0, collectives: 40, waiting: true, idle: 61),
            1: sighting(1, collectives: 39, waiting: false, idle: 60),
            2: sighting(2, collectives: 40, waiting: true, idle: 61),
        ])
        #expect(judgement.missing == [1] && judgement.teller == 0 && judgement.seconds == 60)
        #expect(
            judgement.description
                == "rank 1 on node1 has not arrived, in forward of step 13 for 60 s; 2 of 3 ranks wait")
    }

    /// Rank 3 waits for rank 2 of its own site, and both are behind the others; an operation counts for its step only.
    @Test func whoWaitsWithinASiteIsNotToBlame() {
        var sightings = [
            0: sighting(0, collectives: 3, waiting: true, idle: 61),
            1: sighting(1, collectives: 3, waiting: true, idle: 61),
            2: sighting(2, collectives: 0, waiting: false, idle: 60),
            3: sighting(3, collectives: 1, waiting: true, idle: 61),
        ]
        #expect(StallJudgement(sightings: sightings).missing == [2])
        sightings[2] = sighting(2, collectives: 9, waiting: false, idle: 60) { $0.step = 11 }
        #expect(StallJudgement(sightings: sightings).missing == [2])
        // With nobody but them, those that wait are told.
        sightings[2] = sighting(2, collectives: 3, waiting: true, idle: 60)
        #expect(StallJudgement(sightings: sightings).missing == [3])
    }

    /// A stopped rank had entered as many operations as the others, and says nothing any more: not even that it is
    /// idle.
    @Test func aSilentRankIsNamedByTheLowestThatIsAlive() {
        let judgement = StallJudgement(sightings: [
            0: sighting(0, collectives: 40, waiting: true, still: 30),
            1: sighting(1, collectives: 40, waiting: true, idle: 61),
            2: Sighting(),
            3: sighting(3, collectives: 40, waiting: false) {
                $0.state = .failed; $0.failure = "disk"
            },
        ])
        #expect(judgement.teller == 1 && judgement.missing == [0, 2, 3] && judgement.seconds == 61)
        #expect(
            judgement.description
                == "rank 0 on node0 gives no sign of life, last seen in reduce of step 13 for 90 s; "
                + "rank 2 has left no sign of life; rank 3 on node3 has ended (disk); 1 of 4 ranks wait")
    }

    @Test func allArrivedOrNoneWaits() {
        let arrived = StallJudgement(sightings: [
            0: sighting(0, collectives: 40, waiting: true, idle: 70),
            1: sighting(1, collectives: 40, waiting: true, idle: 70),
        ])
        #expect(
            arrived.description.contains("all 2 ranks have arrived and wait") && arrived.description.contains("network")
        )
        let alone = StallJudgement(sightings: [0: sighting(0, collectives: 40, waiting: false, idle: 70)])
        #expect(alone.description == "rank 0 on node0 is in forward of step 13 for 60 s" && alone.teller == 0)
    }

    /// While any rank that is alive gets something done, such as a tile of a long search, nothing is told.
    @Test func progressOfOneIsNoStall() {
        var alarm = StallAlarm(warning: 60, limit: 600)
        func judge(_ idle: Double, of other: Double) -> StallAlarm.Action {
            alarm.judge(
                StallJudgement(sightings: [
                    0: sighting(0, collectives: 40, waiting: true, idle: idle),
                    1: sighting(1, collectives: 39, waiting: false, idle: other),
                ]), rank: 0)
        }
        #expect(judge(1000, of: 3) == .none)
        guard case .warn(let text) = judge(1000, of: 61) else { #expect(Bool(false), "no warning"); return }
        #expect(text.hasPrefix("nothing got done for 61 s: rank 1 on node1"))
        #expect(judge(1001, of: 62) == .none)
        #expect(judge(0, of: 0) == .relieve)
        #expect(judge(0, of: 0) == .none)
        guard case .end = judge(700, of: 600) else { #expect(Bool(false), "no end"); return }
    }

    /// A rank whose heartbeats are late is told of, but may be at work: the job does not end before it was silent as
    /// long.
    @Test func aLateHeartbeatEndsNoJob() {
        func judge(still: Double) -> StallAlarm.Action {
            var alarm = StallAlarm(warning: 60, limit: 600)
            return alarm.judge(
                StallJudgement(sightings: [
                    0: sighting(0, collectives: 40, waiting: true, idle: 900),
                    1: sighting(1, collectives: 39, waiting: false, idle: 2, still: still),
                ]), rank: 0)
        }
        #expect(judge(still: 3) == .none)
        guard case .warn(let text) = judge(still: 10) else { #expect(Bool(false), "no warning"); return }
        #expect(text.contains("rank 1 on node1 gives no sign of life"))
        guard case .warn = judge(still: 590) else { #expect(Bool(false), "no warning"); return }
        guard case .end = judge(still: 598) else { #expect(Bool(false), "no end"); return }
    }

    @Test func onlyTheTellerTells() {
        let sightings = [
            0: sighting(0, collectives: 40, waiting: true, idle: 70),
            1: sighting(1, collectives: 40, waiting: true, idle: 70),
            2: sighting(2, collectives: 39, waiting: false, idle: 70),
        ]
        for rank in 1...2 {
            var alarm = StallAlarm(warning: 60, limit: 65)
            #expect(alarm.judge(StallJudgement(sightings: sightings), rank: rank) == .none)
        }
        var never = StallAlarm(warning: nil, limit: nil)
        #expect(never.judge(StallJudgement(sightings: sightings), rank: 0) == .none)
    }

    @Test func operationsOfAllRanksAreCounted() throws {
        let whereabouts = Whereabouts()
        let communicator = ObservedCommunicator(SingleCommunicator(), whereabouts) { "\($0)" }
        try communicator.barrier()
        var values = [3]
        try communicator.sum(&values)
        whereabouts.meeting { #expect(whereabouts.place.isWaiting) }
        let place = whereabouts.place
        #expect(place.entered == 3 && place.left == 3 && !place.isWaiting && place.progress == 3 && values == [3])
        whereabouts.finish(step: 5)
        #expect(whereabouts.place.entered == 0 && !whereabouts.place.isWaiting && whereabouts.place.step == 5)
    }

    @Test func manyRanksAreCounted() {
        var sightings = Dictionary(uniqueKeysWithValues: (1..<20).map { ($0, Sighting()) })
        sightings[0] = sighting(0, collectives: 40, waiting: true, idle: 70)
        #expect(StallJudgement(sightings: sightings).description.hasSuffix("; and 11 more; 1 of 20 ranks wait"))
    }
}
