import FileIO
import TestSupport
import Testing

@testable import Runs

@Suite struct RunStatusTests {
    private func heartbeat(_ rank: Int, time: Double, _ state: Heartbeat.State = .running) -> Heartbeat {
        Heartbeat(
            rank: rank, ranks: 2, host: "node\(rank)", pid: 4, state: state,
            failure: state == .failed ? "it broke" : nil,
            phase: .forward, phaseBegan: time - 2, step: 40, firstStep: 0, steps: 100, started: 10, time: time,
            interval: 1,
            beat: 3, collectives: 9, isWaiting: false, idle: 1.5)
    }

    private func status(_ heartbeats: [Heartbeat], now: Double) throws -> RunStatus {
        try withTemporaryDirectory { directory in
            let run = RunDirectory("\(directory)/run")
            try run.create()
            try AtomicFile.write("seed: 1\n", to: run.configurationPath)
            try AtomicFile.write(
                """
                {"kind":"step","step":38,"epoch":2,"loss":"nan","seconds":9.0,"patches_per_second":1}
                {"kind":"step","step":39,"epoch":2,"loss":0.4,"seconds":2.0,"patches_per_second":4}
                {"kind":"step","step":40,"epoch":2,"loss":0.5,"seconds":2.0,"patches_per_second":4}
                {"kind":"ranks","step":40,"slowest_rank":1,"slowest_host":"node1","maximum_seconds":2,\
                "median_seconds":1}
                {"kind":"step","step":4
                """, to: run.metricsPath)
            try run.prepareHeartbeats()
            for heartbeat in heartbeats { try run.write(heartbeat) }
            return try RunStatus(run, now: now)
        }
    }

    @Test func running() throws {
        let status = try status([heartbeat(0, time: 1000), heartbeat(1, time: 980)], now: 1001)
        #expect(status.state == .running && status.ranks.map(\.state) == [.running, .silent] && status.missing.isEmpty)
        #expect(status.step == 40 && status.steps == 100 && status.epoch == 2 && status.loss == 0.5)
        #expect(status.secondsPerStep == 2 && status.secondsLeft == 120 && status.patchesPerSecond == 4)
        #expect(status.ranks[0].phaseSeconds == 3 && status.ranks[0].idleSeconds == 2.5 && status.ranks[1].age == 21)
        #expect(status.slowest?.rank == 1 && status.lastSign == 1000 && status.stall == nil)
    }

    @Test func stalled() throws {
        var (waiting, late) = (heartbeat(0, time: 1000), heartbeat(1, time: 1000))
        (waiting.idle, waiting.isWaiting, waiting.collectives) = (45, true, 10)
        late.idle = 40
        #expect(
            try status([waiting, late], now: 1001).stall
                == "nothing got done for 40 s: rank 1 on node1 has not arrived, in forward of step 41 for 2 s; "
                + "1 of 2 ranks wait")
        (waiting.step, late.step) = (39, 38)
        #expect(try status([waiting, late], now: 1001).step == 40)
        late.idle = 4
        #expect(try status([waiting, late], now: 1001).stall == nil)
        late.time = 900
        #expect(
            try status([waiting, late], now: 1001).stall?.contains("rank 1 on node1 gives no sign of life") == true)
    }

    @Test func otherStates() throws {
        let silent = try status([heartbeat(0, time: 1000), heartbeat(1, time: 980)], now: 2000)
        #expect(silent.state == .silent && silent.secondsLeft == nil)
        let failed = try status([heartbeat(0, time: 1000), heartbeat(1, time: 1000, .failed)], now: 1001)
        #expect(failed.state == .failed && failed.failure == "rank 1 on node1: it broke")
        #expect(try status([0, 1].map { heartbeat($0, time: 1000, .finished) }, now: 5000).state == .finished)
        #expect(try status([0, 1].map { heartbeat($0, time: 1000, .stopped) }, now: 5000).state == .stopped)
        let unknown = try status([], now: 5000)
        #expect(unknown.state == .unknown && unknown.step == 40 && unknown.steps == nil)
        #expect(try status([heartbeat(0, time: 1000)], now: 1001).missing == [1])
    }

    /// Numbers that no rank writes are passed over, in whatever file they are.
    @Test func nonsense() throws {
        for change in [
            { $0.steps = .max }, { $0.time = 1e300 }, { $0.ranks = -3 }, { $0.idle = -1 }, { $0.step = .min },
        ] as [(inout Heartbeat) -> Void] {
            var wrong = heartbeat(1, time: 1000)
            change(&wrong)
            #expect(try status([heartbeat(0, time: 1000), wrong], now: 1001).missing == [1])
        }
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try AtomicFile.write(
                "{\"kind\":\"step\",\"step\":1,\"seconds\":\"inf\",\"patches_per_second\":1e300}\n", to: run.metricsPath
            )
            try AtomicFile.write("", to: run.configurationPath)
            let status = try RunStatus(run, now: 5)
            #expect(status.secondsPerStep == nil && status.patchesPerSecond == nil && status.step == 1)
        }
    }

    @Test func noRun() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: InputError.self) { try RunStatus(RunDirectory("\(directory)/none")) }
            #expect(throws: InputError.self) { try RunStatus(RunDirectory(directory)) }
        }
    }

    /// A new job leaves nothing of a former one's ranks; damaged files are passed over.
    @Test func leftovers() throws {
        try withTemporaryDirectory { directory in
            let run = RunDirectory(directory)
            try run.prepareHeartbeats()
            for rank in [0, 1, 2, 11] { try run.write(heartbeat(rank, time: 5)) }
            try AtomicFile.write("{", to: run.heartbeatPath(rank: 1))
            try AtomicFile.write("x", to: "\(directory)/ranks/0000.json.tmp-77")
            #expect(run.heartbeats().map(\.rank) == [0, 2, 11])
            try run.prepareHeartbeats()
            #expect(try FileContent.names(inDirectory: "\(directory)/ranks").isEmpty)
        }
    }
}
