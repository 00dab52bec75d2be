import Basics
import Testing

@testable import Detection

@Suite struct LabelTests {
    struct Known: Sendable {
        let crop: Int
        let preset: Preset
        let box: Box
        let ignored: [Int]
        let matching: [Int]
    }

    /// Cells with IoU ≥ 0.02 and ≥ 0.5 by anchor, as the recipe's original counts them.
    static let known = [
        Known(
            crop: 128, preset: .dsb2017, box: Box(center: ZYX(50.3, 60.7, 41.2), diameter: 9), ignored: [71, 240, 0],
            matching: [1, 0, 0]),
        Known(
            crop: 128, preset: .dsb2017, box: Box(center: ZYX(50.3, 60.7, 41.2), diameter: 24),
            ignored: [288, 1548, 4081], matching: [0, 3, 0]),
        Known(
            crop: 96, preset: .luna16, box: Box(center: ZYX(48.1, 30.9, 70.4), diameter: 6.2), ignored: [11, 44, 64],
            matching: [0, 0, 0]),
    ]

    @Test(arguments: known.indices) func overlappingCells(_ index: Int) {
        let k = Self.known[index]
        let assigner = LabelAssigner(anchors: k.preset.anchors)
        let grid = ZYX(repeating: k.crop / 4)
        for (threshold, counts) in [(0.02, k.ignored), (0.5, k.matching)] {
            let cells = assigner.cells(overlapping: k.box, by: threshold, grid: grid)
            let found = (0..<3).map { anchor in cells.count { $0 % 3 == anchor } }
            #expect(found == counts)
        }
    }

    @Test func fallsBackToTheNearestCell() {
        let k = Self.known[2]
        let assigner = LabelAssigner(anchors: k.preset.anchors)
        var generator = CounterGenerator(seed: 0, purpose: "label test")
        let labels = assigner.labels(
            grid: ZYX(repeating: 24), nodules: [k.box], target: k.box, mode: .training, generator: &generator)
        let cell = ((12 * 24 + 7) * 24 + 17) * 3
        let expected: [Float] = [1, -0.28, 0.28, 0.18, 0.2151]
        for (a, b) in zip(labels[5 * cell..<5 * cell + 5], expected) { #expect(abs(a - b) < 1e-4) }
        let classes = stride(from: 0, to: labels.count, by: 5).map { labels[$0] }
        #expect(classes.count { $0 == 1 } == 1)
        #expect(classes.count { $0 == -1 } == 800)
    }

    @Test func exactFitHasOverlapOne() {
        let cell = Box(center: ZYX(Grid.center(3), Grid.center(4), Grid.center(5)), diameter: 10)
        #expect(cell.overlap(cell) == 1)
        let assigner = LabelAssigner(anchors: [5, 10, 20])
        var generator = CounterGenerator(seed: 0, purpose: "label test")
        let labels = assigner.labels(
            grid: ZYX(repeating: 8), nodules: [cell], target: cell, mode: .validation, generator: &generator)
        let place = 5 * (((3 * 8 + 4) * 8 + 5) * 3 + 1)
        #expect(Array(labels[place..<place + 5]) == [1, 0, 0, 0, 0])
        // Validation keeps all other negatives.
        let negatives = stride(from: 0, to: labels.count, by: 5).count { labels[$0] == -1 }
        let ignored = assigner.cells(overlapping: cell, by: 0.02, grid: ZYX(repeating: 8)).count
        #expect(negatives == 8 * 8 * 8 * 3 - ignored)
    }

    /// A nodule whose centre lies outside the crop still gets a cell, at the border.
    @Test func targetBeyondTheBorder() {
        let assigner = LabelAssigner(anchors: [5, 10, 20])
        var generator = CounterGenerator(seed: 0, purpose: "label test")
        let box = Box(center: ZYX(-40, 200, 3), diameter: 4)
        let labels = assigner.labels(
            grid: ZYX(repeating: 8), nodules: [box], target: box, mode: .training, generator: &generator)
        #expect(labels[5 * ((0 * 8 + 7) * 8 + 0) * 3] == 1)
    }

    @Test func targetCellIsDrawnAmongTheGood() {
        let assigner = LabelAssigner(anchors: [10, 30, 60])
        let box = Box(center: ZYX(50.3, 60.7, 41.2), diameter: 24)
        let good = Set(assigner.cells(overlapping: box, by: 0.5, grid: ZYX(repeating: 32)))
        var drawn: Set<Int> = []
        for seed in 0..<40 {
            var generator = CounterGenerator(seed: UInt64(seed), purpose: "label test")
            let labels = assigner.labels(
                grid: ZYX(repeating: 32), nodules: [box], target: box, mode: .training, generator: &generator)
            drawn.formUnion(stride(from: 0, to: labels.count, by: 5).filter { labels[$0] == 1 }.map { $0 / 5 })
        }
        #expect(drawn == good)
    }
}
