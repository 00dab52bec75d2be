import Runs
import Testing

@testable import Training

@Suite struct StragglerTests {
    @Test func judgement() {
        let shares = WorkShares(seconds: [1, 1.1, 1.33, 1.05], dataSeconds: [0, 0, 0.2, 0])
        #expect(shares.slowest == 2 && shares.median == 1.05 && shares.minimum == 1 && shares.maximum == 1.33)
        #expect(shares.straggler == 2)
        #expect(WorkShares(seconds: [1, 1.1, 1.2, 1.05], dataSeconds: [0, 0, 0, 0]).straggler == nil)
        // Of two the slower one is held against the faster one.
        #expect(WorkShares(seconds: [1, 1.21], dataSeconds: [0, 0]).straggler == 1)
        #expect(WorkShares(seconds: [1, 1.19], dataSeconds: [0, 0]).straggler == nil)
        #expect(WorkShares(seconds: [2, 2], dataSeconds: [0, 0]).slowest == 0)
    }

    @Test func exchange() {
        var exchanges = (0..<2).map { WorkExchange(rank: $0, ranks: 2, step: 12) }
        #expect((0..<60).filter { exchanges[0].isDue(step: $0) } == [20, 40])
        // Waiting for other ranks is no work.
        let seconds: [TrainingPhase: Double] = [
            .load: 0.5, .forward: 8, .backward: 15, .update: 0.5, .reduce: 99, .counts: 99, .checkpoint: 99,
        ]
        let slots = zip(exchanges[0].slots(seconds), exchanges[1].slots([.forward: 8])).map(+)
        let (shares, steps) = exchanges[0].shares(slots, step: 20)
        #expect(steps == 8 && shares.seconds == [3, 1] && shares.dataSeconds == [0.0625, 0])
        #expect(!exchanges[0].isDue(step: 20))
        #expect(!WorkExchange(rank: 0, ranks: 1, step: 0).isDue(step: 20))
    }

    @Test func secondsOfPhases() throws {
        let whereabouts = Whereabouts()
        whereabouts.enter(.load)
        whereabouts.enter(.forward)
        let seconds = whereabouts.takeSeconds()
        #expect(Set(seconds.keys) == [.start, .load])
        #expect(whereabouts.takeSeconds().isEmpty)
        #expect(whereabouts.place.phase == .forward && whereabouts.place.progress == 2)
    }
}
