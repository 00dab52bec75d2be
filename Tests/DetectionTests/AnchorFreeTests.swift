import Basics
import Testing

@testable import Detection

@Suite struct AnchorFreeTests {
    private let recipe = RecipeName.anchorFree.recipe(anchors: [5, 10, 20])
    private let grid = ZYX(24, 24, 24)

    private func index(_ z: Int, _ y: Int, _ x: Int) -> Int { (z * grid.y + y) * grid.x + x }

    private func labels(_ nodules: [Box], grid: ZYX<Int>) -> [Float] {
        var generator = CounterGenerator(seed: 1, purpose: "unused")
        return recipe.labels(grid: grid, nodules: nodules, target: nil, mode: .training, generator: &generator)
    }

    /// A nodule of 6.2 mm at (48.1, 30.9, 70.4): the squares of the cells' distances, counted by hand.
    @Test func theNearestCellsArePositive() throws {
        let nodule = Box(center: ZYX(48.1, 30.9, 70.4), diameter: 6.2)
        let nearest = AnchorFreeAssignment.nearest(nodule, grid)
        let first = [(12, 8, 18), (12, 8, 17), (12, 7, 18), (12, 7, 17), (13, 8, 18), (11, 8, 18)]
        #expect(nearest.prefix(6).map(\.cell) == first.map { index($0.0, $0.1, $0.2) })
        let squares = [0.23625, 0.43625, 0.68625, 0.88625, 1.18625, 1.28625]
        #expect(zip(nearest, squares).allSatisfy { abs($0.distance - $1) < 1e-9 })
        #expect(abs(nearest[29].distance - 3.58625) < 1e-9 && abs(nearest[30].distance - 3.68625) < 1e-9)

        let labels = labels([nodule], grid: grid)
        let classes = (0..<grid.product).map { labels[7 * $0] }
        #expect(classes.indices.filter { classes[$0] == 1 } == nearest.prefix(7).map(\.cell).sorted())
        #expect(classes.indices.filter { classes[$0] == 0 } == nearest[7..<42].map(\.cell).sorted())
        let cell = index(12, 8, 18)
        let truth: [Float] = [1, 0.025, -0.275, -0.4, 3.1, 3.1, 3.1]
        #expect(zip(labels[7 * cell..<7 * cell + 7], truth).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(recipe.ignoredAnchors(near: [nodule], grid: grid) == nearest.prefix(42).map(\.cell).sorted())
    }

    /// Also in a corner the nearest 42 cells are among those that are looked at: all others are farther away.
    @Test(arguments: [0.0, -0.5, 47.4, 95, 95.4]) func cornersHaveAllTheirCells(_ place: Double) {
        let nodule = Box(center: ZYX(place, 95.4, place), diameter: 4)
        var all: [(cell: Int, distance: Double)] = []
        for cell in 0..<grid.product {
            let away = ZYX(cell / 576, cell / 24 % 24, cell % 24).map { Double($0) } - nodule.center.map { $0 / 4 }
            all.append((cell, away.z * away.z + away.y * away.y + away.x * away.x))
        }
        all.sort { ($0.distance, $0.cell) < ($1.distance, $1.cell) }
        #expect(AnchorFreeAssignment.nearest(nodule, grid).prefix(42).map(\.cell) == all.prefix(42).map(\.cell))
    }

    /// Two nodules share cells by distance; one outside takes cells from the background alone.
    @Test func severalNodules() {
        let (a, b) = (Box(center: ZYX(40, 40, 40), diameter: 5), Box(center: ZYX(40, 40, 48), diameter: 9))
        let labels = labels([a, b], grid: grid)
        #expect(labels[7 * index(10, 10, 10) + 4] == 2.5 && labels[7 * index(10, 10, 12) + 4] == 4.5)
        // A cell that is as near to both belongs to the first.
        #expect(labels[7 * index(10, 10, 11) + 4] == 2.5)
        let outside = self.labels([Box(center: ZYX(40, 40, -3), diameter: 10)], grid: grid)
        #expect(stride(from: 0, to: outside.count, by: 7).allSatisfy { outside[$0] < 0.5 })
        #expect(outside[7 * index(10, 10, 0)] == 0 && outside[7 * index(10, 10, 1)] == -1)
    }

    @Test func distanceIoU() {
        func value(_ a: ([Double], [Double]), _ b: ([Double], [Double])) -> Double {
            DistanceIoU(center: a.0, size: a.1, otherCenter: b.0, otherSize: b.1).value
        }
        let (ten, eight, four) = ([10.0, 10, 10], [8.0, 8, 8], [4.0, 4, 4])
        #expect(abs(value(([0, 0, 0], ten), ([2, 1, 0], eight)) - 0.405476) < 1e-6)
        #expect(abs(value(([0, 0, 0], four), ([10, 0, 0], four)) + 0.438596) < 1e-6)
        #expect(abs(value(([1, 2, 3], [6, 7, 8]), ([2, 2, 2], [5, 9, 7])) - 0.448593) < 1e-6)
    }

    @Test(arguments: [UInt64](1...12)) func boxGradientIsTheDerivative(_ seed: UInt64) {
        var generator = CounterGenerator(seed: seed, purpose: "anchor-free box")
        // Every third pair is disjoint, every fourth has an extent that is too small.
        let far = seed % 3 == 0 ? 4.0 : 0.0
        let output =
            (0..<3).map { _ in generator.uniform(-1, 1) + far }
            + (0..<3).map { _ in generator.uniform(seed % 4 == 0 ? -1 : 1, 5) }
        let label = (0..<3).map { _ in Float(generator.uniform(-1, 1)) } + [2.5, 2.5, 2.5]
        func loss(_ values: [Double]) -> Double {
            AnchorFreeBoxLoss(output: values.map { Float($0) }[...], label: label[...]).terms.reduce(0, +)
        }
        let box = AnchorFreeBoxLoss(output: output.map { Float($0) }[...], label: label[...])
        for component in 0..<6 {
            var (above, below) = (output, output)
            let step = 1.0 / 1024
            above[component] += step
            below[component] -= step
            let truth = (loss(above) - loss(below)) / (2 * step)
            #expect(abs(box.gradient[component] - truth) < 2e-3, "\(component)")
        }
    }

    /// The gradient of the whole loss, and its independence of how crops are dealt out.
    @Test func lossOfABatch() {
        var generator = CounterGenerator(seed: 3, purpose: "anchor-free loss")
        let shape = [2, 6, 6, 6, 1, 7]
        let small = ZYX(6, 6, 6)
        let nodules = [[Box(center: ZYX(9, 12, 10), diameter: 6)], []]
        let labels = Tensor(shape: shape, values: nodules.flatMap { self.labels($0, grid: small) })
        let output = Tensor(
            shape: shape, values: (0..<labels.count).map { Float($0 % 7 < 4 ? generator.uniform(-1, 1) : 2) })
        let counts = recipe.counts(labels: labels, mode: .training)
        #expect((counts.positives, counts.negatives) == (7, 216 - 42 + 20))
        let (terms, gradient) = recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts)
        #expect((terms.positives, terms.negatives) == (7, 194))
        func total(_ output: Tensor) -> Double {
            recipe.loss(output: output, labels: labels, mode: .training, normalizers: counts).terms.total
        }
        let positive = stride(from: 0, to: labels.count, by: 7).first { labels.values[$0] > 0.5 } ?? 0
        for place in positive..<positive + 7 {
            var (above, below) = (output, output)
            above.values[place] += 1 / 512
            below.values[place] -= 1 / 512
            let truth = (total(above) - total(below)) * 256
            #expect(abs(Double(gradient.values[place]) - truth) < 1e-3, "\(place - positive)")
        }
        let half = labels.count / 2
        let parts = [0..<half, half..<2 * half].map { range in
            func part(_ tensor: Tensor) -> Tensor {
                Tensor(shape: [1] + shape.dropFirst(), values: Array(tensor.values[range]))
            }
            return recipe.loss(
                output: part(output), labels: part(labels), mode: .training, normalizers: counts)
        }
        #expect(parts[0].gradient.values + parts[1].gradient.values == gradient.values)
        #expect(abs(parts[0].terms.total + parts[1].terms.total - terms.total) < 1e-12)
    }

    /// What labels say is what is decoded, and wild numbers are no findings.
    @Test func decodingUndoesLabels() {
        let nodule = Box(center: ZYX(48.1, 30.9, 70.4), diameter: 6.2)
        var output = labels([nodule], grid: grid)
        let boxes = recipe.boxes(output, grid: grid, threshold: 0.5)
        #expect(boxes.count == 7)
        for found in boxes {
            #expect(abs(found.box.diameter - 6.2) < 1e-5)
            #expect((0..<3).allSatisfy { abs(found.box.center[$0] - nodule.center[$0]) < 1e-5 })
        }
        for (place, value) in [(0, Float(9)), (1, .infinity), (7, 9), (11, .nan), (14, 9), (18, -50)] {
            output[place] = value
        }
        let wild = recipe.boxes(output, grid: grid, threshold: 0.5)
        #expect(wild.count == 8 && wild[0].box.diameter == 0.5)
    }
}
