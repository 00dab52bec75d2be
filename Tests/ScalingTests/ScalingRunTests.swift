import FileIO
import TestSupport
import Testing

@testable import Scaling

@Suite struct ScalingRunTests {
    private static let start =
        #"{"kind":"start","step":0,"hosts":["a","b"],"threads":4,"replicas":4,"micro_batch":2,"reduced_bytes":100}"#

    private func run(_ lines: [String]) throws -> ScalingRun {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(lines.joined(separator: "\n"), to: "\(directory)/metrics.jsonl")
            return try ScalingRun(directory: directory)
        }
    }

    private func step(_ number: Int, _ seconds: Double, work: Double, skipped: Bool = false) -> String {
        #"{"kind":"step","step":\#(number),"skipped":\#(skipped),"seconds":\#(seconds),"work_seconds":\#(work),"#
            + #""data_seconds":0.1,"loss":"nan"}"#
    }

    private func ranks(_ step: Int, of steps: Int, mean: Double, maximum: Double) -> String {
        #"{"kind":"ranks","step":\#(step),"steps":\#(steps),"mean_seconds":\#(mean),"maximum_seconds":\#(maximum),"#
            + #""mean_data_seconds":0.2}"#
    }

    /// The parts are those of the steps that the ranks' records cover, and add up to the step.
    @Test func partsOfManyRanks() throws {
        var lines = [Self.start]
        // Before the first whole record steps are slow, and one is left out of training.
        for number in 1...44 {
            if number == 21 { lines.append(ranks(20, of: 20, mean: 8, maximum: 9)) }
            if number == 41 { lines.append(ranks(40, of: 20, mean: 1, maximum: 1.25)) }
            lines.append(
                step(number, number <= 20 ? 9 : number == 30 ? 7 : 1.5, work: 1.25, skipped: number == 30))
        }
        let run = try run(lines)
        #expect(run.ranks == 2 && run.threads == 4 && run.cropsPerStep == 8 && run.reducedBytes == 100)
        #expect(run.steps.count == 19)
        let parts = run.parts
        #expect(abs(parts.step - 1.5) < 1e-12 && abs(parts.data - 0.2) < 1e-12 && abs(parts.compute - 0.8) < 1e-12)
        #expect(abs(parts.imbalance - 0.25) < 1e-12 && abs(parts.rest - 0.25) < 1e-12)
        #expect(abs(run.throughput - 8 / 1.5) < 1e-12)
    }

    @Test func partsOfOneRank() throws {
        let alone = Self.start.replacing(#"["a","b"]"#, with: #"["a"]"#)
        let run = try run([alone] + (1...6).map { step($0, $0 <= 2 ? 9 : 2, work: 1.5) } + ["{\"kind\":\"step\""])
        #expect(run.steps.count == 4 && run.parts.step == 2 && run.parts.imbalance == 0)
        #expect(abs(run.parts.compute - 1.4) < 1e-12 && abs(run.parts.rest - 0.5) < 1e-12)
        #expect(abs(run.computeTimes.mean - 1.4) < 1e-12)
    }

    @Test func whatIsMissingIsNamed() throws {
        #expect(throws: InputError.self) { try ScalingRun(directory: "/nonexistent") }
        let short = #expect(throws: InputError.self) { try run([Self.start] + (1...9).map { step($0, 1, work: 1) }) }
        #expect(short?.description.contains("0 steps that can be used") == true)
        let old = #expect(throws: InputError.self) { try run((1...9).map { step($0, 1, work: 1) }) }
        #expect(old?.description.contains("how the run was started") == true)
    }
}
