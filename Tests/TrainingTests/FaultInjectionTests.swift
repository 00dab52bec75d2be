import FileIO
import Runs
import Testing

@testable import Training

@Suite struct FaultInjectionTests {
    @Test func isUnderstood() throws {
        let plan = try FaultInjection("kill:rank=1:step=5:phase=backward,nan:rank=0:step=3")
        #expect(
            plan.faults == [
                .init(kind: .kill, rank: 1, step: 5, phase: .training(.backward)), .init(kind: .nan, rank: 0, step: 3),
            ])
        #expect(plan.spoils(.nan, rank: 0, step: 3))
        #expect(!plan.spoils(.nan, rank: 1, step: 3) && !plan.spoils(.nan, rank: 0, step: 4))
        #expect(!plan.spoils(.flip, rank: 0, step: 3))
        let slow = try FaultInjection("slow:rank=3:phase=load:seconds=0.5")
        let write = try FaultInjection("kill:rank=0:step=2:phase=write,stop:rank=1:step=2:phase=validation")
        #expect(write.faults.map(\.phase) == [.write, .training(.validation)])
        #expect(slow.faults == [.init(kind: .slow, rank: 3, step: nil, phase: .training(.load), seconds: 0.5)])
    }

    @Test(arguments: [
        "", "kill", "kill:rank=1", "kill:step=1", "burn:rank=0:step=1", "kill:rank=0:step=0", "kill:rank=-1:step=1",
        "kill:rank=0:step=1:phase=lunch", "kill:rank=0:step=1:phase=start", "kill:rank=0:step=1:when=noon",
        "kill:rank=0:step=x",
        "slow:rank=0", "slow:rank=0:seconds=-1", "slow:rank=0:seconds=nan", "kill:rank=0:step=1:seconds=1",
    ]) func isNotUnderstood(_ text: String) {
        let error = #expect(throws: UsageError.self) { try FaultInjection(text) }
        #expect(error?.description.hasPrefix("LUNA_FAULT=\(text): expected KIND") == true)
    }
}
