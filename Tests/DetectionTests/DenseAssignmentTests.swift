import Basics
import Testing

@testable import Detection

@Suite struct DenseAssignmentTests {
    private let assignment = DenseAssignment(anchors: [5, 10, 20])
    private let grid = ZYX(repeating: 24)

    private func label(_ labels: [Float], _ cell: ZYX<Int>, _ anchor: Int) -> [Float] {
        let first = (((cell.z * grid.y + cell.y) * grid.x + cell.x) * 3 + anchor) * 5
        return Array(labels[first..<first + 5])
    }

    /// A nodule of 6.2 mm at (48.1, 30.9, 70.4) of a crop of 96: the nearest cells have the squared distances .295625,
    /// twice .595625, .845625, twice .895625, in cells and computed by hand from the grid 1.5 + 4i.
    @Test func sevenNearestCells() {
        let nodule = Box(center: ZYX(48.1, 30.9, 70.4), diameter: 6.2)
        let labels = assignment.labels(grid: grid, nodules: [nodule])
        let positives = (0..<grid.product).filter { labels[$0 * 15] == 1 }.map {
            ZYX($0 / 576, $0 / 24 % 24, $0 % 24)
        }
        // 5 and 10 are within a factor of 2 of 6.2, 20 is not.
        #expect((0..<grid.product).filter { labels[$0 * 15 + 5] == 1 }.count == 7)
        #expect((0..<grid.product).filter { labels[$0 * 15 + 10] == 1 }.isEmpty)
        let expected = [(12, 7, 17), (11, 7, 17), (12, 8, 17), (12, 7, 18), (11, 8, 17)].map { ZYX($0.0, $0.1, $0.2) }
        for cell in expected { #expect(positives.contains(cell), "\(cell)") }
        #expect(positives.count == 7)
        let nearest = label(labels, ZYX(12, 7, 17), 0)
        // (48.1 − 49.5)/5, (30.9 − 29.5)/5, (70.4 − 69.5)/5, log(6.2/5)
        for (value, truth) in zip(nearest, [1, -0.28, 0.28, 0.18, 0.215111]) {
            #expect(abs(Double(value) - truth) < 1e-5)
        }
        #expect(label(labels, ZYX(12, 7, 17), 2)[0] == 0, "an anchor that does not fit a positive cell is ignored")
    }

    /// All cells, one by one: near a nodule and not positive means ignored, far from all means background.
    @Test(arguments: [3.0, 4.7, 8.2, 25.0]) func everyCellIsOneOfThree(_ diameter: Double) {
        let nodules = [
            Box(center: ZYX(20.3, 71.9, 33.3), diameter: diameter), Box(center: ZYX(-3.0, 40.0, 40.0), diameter: 12),
        ]
        let labels = assignment.labels(grid: grid, nodules: nodules)
        var positives = 0
        for z in 0..<24 {
            for y in 0..<24 {
                for x in 0..<24 {
                    let place = ZYX(z, y, x).map { 1.5 + 4 * Double($0) }
                    let isNear = nodules.contains { nodule in
                        let away = nodule.center - place
                        let reach = nodule.diameter / 2 + 4
                        return away.z * away.z + away.y * away.y + away.x * away.x <= reach * reach
                    }
                    let found = (0..<3).map { label(labels, ZYX(z, y, x), $0)[0] }
                    if found.contains(1) {
                        positives += 1
                        #expect(!found.contains(-1))
                    } else {
                        #expect(found == Array(repeating: isNear ? 0 : -1, count: 3), "\(z) \(y) \(x)")
                    }
                }
            }
        }
        // The second nodule's centre lies outside: it has a band, and no cells.
        #expect(positives == 7)
    }

    /// A nodule on a cell's centre has six neighbours that are equally near: all of them, whatever their order.
    @Test func tiesGoByIndex() {
        let onCell = Box(center: ZYX(repeating: 41.5), diameter: 5)
        let labels = assignment.labels(grid: grid, nodules: [onCell])
        let around = [(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
        for (z, y, x) in around { #expect(label(labels, ZYX(10 + z, 10 + y, 10 + x), 0)[0] == 1) }
        // Eight corners are equally near to what lies between them: the last by index is left out.
        let between = Box(center: ZYX(repeating: 43.5), diameter: 5)
        let corners = assignment.labels(grid: grid, nodules: [between])
        #expect(label(corners, ZYX(10, 10, 10), 0)[0] == 1)
        #expect(label(corners, ZYX(11, 11, 10), 0)[0] == 1)
        #expect(label(corners, ZYX(11, 11, 11), 0)[0] == 0)
    }

    /// A cell between two nodules belongs to the nearer one, in whatever order they are listed.
    @Test func sharedCellsBelongToTheNearer() {
        let pair = [
            Box(center: ZYX(41.5, 41.5, 40.5), diameter: 5), Box(center: ZYX(41.5, 41.5, 46.5), diameter: 5),
        ]
        let labels = assignment.labels(grid: grid, nodules: pair)
        #expect(labels == assignment.labels(grid: grid, nodules: pair.reversed()))
        // Cell 10 at 41.5 is 1 mm from the first, cell 11 at 45.5 is 1 mm from the second.
        #expect(abs(label(labels, ZYX(10, 10, 10), 0)[3] + 0.2) < 1e-6)
        #expect(abs(label(labels, ZYX(10, 10, 11), 0)[3] - 0.2) < 1e-6)
    }

    /// In a crop's corner a nodule has its seven cells, too, and one that no anchor fits has the best anchor's.
    @Test func cornersAndGiants() {
        let labels = assignment.labels(grid: grid, nodules: [Box(center: ZYX(repeating: 0), diameter: 60)])
        #expect((0..<grid.product).filter { labels[$0 * 15 + 10] == 1 }.count == 7)
        #expect((0..<grid.product).filter { labels[$0 * 15] == 1 }.isEmpty)
        #expect(assignment.fittingAnchors(60) == [2])
        #expect(assignment.fittingAnchors(2) == [0])
        #expect(assignment.fittingAnchors(10) == [0, 1, 2])
    }
}
