import Basics
import Networks
import Testing

/// The kinds of work in a training step.
@Suite struct StepWorkTests {
    @Test func convolutionsByShape() {
        let work = StepWork(.noduleNet, size: 96, batch: 1)
        let table = work.kinds.filter { $0.direction == .forward && $0.algorithm.hasPrefix("F(") }
            .map { "\($0.layer) x \(work.amounts[$0]?.layers ?? 0)" }
        #expect(
            table == [
                "24-24 full x 1", "24-32 1/2 x 1", "32-32 1/2 x 3", "32-64 1/4 x 1", "64-64 1/4 x 3", "64-64 1/8 x 11",
                "64-64 1/16 x 6", "128-64 1/8 x 1", "131-128 1/4 x 1", "128-128 1/4 x 5",
            ])
    }

    /// All work together is the network's, though neither the crop nor the coordinates need a gradient; of the products
    /// of whole tiles F(4,4,4) does an eighth.
    @Test(arguments: Architecture.allCases) func operationsAddUp(_ architecture: Architecture) throws {
        let work = StepWork(architecture, size: 64, batch: 2)
        let all = work.amounts.values.reduce(0) { $0 + $1.flop }
        #expect(abs(all / architecture.flop(ZYX(repeating: 64), samples: 2, training: true) - 1) < 1e-12)
        let tiles = try #require(work.kinds.first { $0.algorithm == "F(4,4,4)" })
        let amount = try #require(work.amounts[tiles])
        #expect(abs(amount.arithmetic / amount.flop - 0.125) < 1e-12 && amount.bytes > 0)
    }

    /// Every span of a step belongs to a kind: those of layers to their own, those of blocks to the rest.
    @Test func spansHaveKinds() {
        let work = StepWork(.noduleNet, size: 32, batch: 1)
        #expect(work.kind(ofSpan: "forw1.0.conv2 data gradient").layer == "32-32 1/2")
        #expect(work.kind(ofSpan: "forw1.0.conv2 data gradient").direction == .data)
        #expect(work.kind(ofSpan: "preBlock.0 gradient").direction == .backward)
        #expect(work.kind(ofSpan: "forw1.0.bn1").layer == "statistics")
        #expect(work.kind(ofSpan: "forw1.0 gradient") == work.kind(ofSpan: "path1 gradient"))
    }
}
