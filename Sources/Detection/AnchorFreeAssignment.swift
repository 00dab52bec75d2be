import Basics

/// The assignment of labels to the cells of networks without anchors, [d, h, w, 1, 7], as in CPMNet v2.
///
/// The seven components are (label, offset z, y, x in cells, half extent z, y, x in voxels); the label is 1 for a
/// positive, −1 for a negative, 0 for an ignored cell. Cell i stands at voxel 4 i, and its offset is c/4 − i.
enum AnchorFreeAssignment {
    /// The number of numbers of a cell.
    static let components = 7
    /// The number of cells that answer for a nodule.
    static let cellsPerNodule = 7
    /// The number of the next nearest cells, which are ignored.
    static let band = 35
    /// The number of cells along each axis, on both sides, among which the nearest are looked for: of a corner's cells,
    /// too, so many are nearer than this.
    private static let reach = 6.0

    /// The labels of a crop.
    ///
    /// Every nodule whose centre lies in the crop has its nearest cells, the first of equally near ones; a cell that
    /// two nodules want belongs to the nearer one, and a positive of one nodule stays so in the band of another. Of a
    /// nodule whose centre lies outside, the cells that its cube holds are ignored.
    ///
    /// - Parameters:
    ///   - grid: Cells along z, y, x.
    ///   - nodules: All nodules that reach into the crop, in crop coordinates.
    /// - Returns: d·h·w·7 floats.
    static func labels(grid: ZYX<Int>, nodules: [Box]) -> [Float] {
        var labels = [Float](repeating: 0, count: grid.product * components)
        for cell in 0..<grid.product { labels[cell * components] = -1 }
        for cell in ignored(near: nodules, grid: grid) { labels[cell * components] = 0 }
        var distances: [Int: Double] = [:]
        for nodule in nodules where isInside(nodule.center, grid) {
            let position = nodule.center.map { $0 / Double(Grid.stride) }
            for (cell, distance) in nearest(nodule, grid).prefix(cellsPerNodule) {
                if let other = distances[cell], other <= distance { continue }
                distances[cell] = distance
                let offset = position - place(cell, grid)
                let half = Float(nodule.diameter / 2)
                labels.replaceSubrange(
                    cell * components..<(cell + 1) * components,
                    with: [1] + offset.array.map { Float($0) } + [half, half, half])
            }
        }
        return labels
    }

    /// The cells that are no negatives because a nodule is near, in ascending order.
    static func ignored(near nodules: [Box], grid: ZYX<Int>) -> [Int] {
        var found: Set<Int> = []
        for nodule in nodules {
            if isInside(nodule.center, grid) {
                found.formUnion(nearest(nodule, grid).prefix(cellsPerNodule + band).map(\.cell))
            } else {
                let reach = nodule.diameter / 2 / Double(Grid.stride)
                found.formUnion(cells(within: reach, of: nodule, grid).map(\.cell))
            }
        }
        return found.sorted()
    }

    /// The cells around a nodule's centre with the squares of their distances in cells, the nearest first, among equals
    /// the first.
    static func nearest(_ nodule: Box, _ grid: ZYX<Int>) -> [(cell: Int, distance: Double)] {
        cells(within: reach, of: nodule, grid).sorted { ($0.distance, $0.cell) < ($1.distance, $1.cell) }
    }

    private static func cells(
        within reach: Double, of nodule: Box, _ grid: ZYX<Int>
    ) -> [(cell: Int, distance: Double)] {
        let position = nodule.center.map { $0 / Double(Grid.stride) }
        let ranges = ZYX(0, 1, 2).map { axis in
            let last = Double(grid[axis])
            let low = min(max(0, (position[axis] - reach).rounded(.up)), last)
            let high = min(max(low, (position[axis] + reach).rounded(.down) + 1), last)
            return Int(low)..<Int(high)
        }
        var found: [(cell: Int, distance: Double)] = []
        for z in ranges.z {
            for y in ranges.y {
                for x in ranges.x {
                    let away = position - ZYX(Double(z), Double(y), Double(x))
                    let distance = away.z * away.z + away.y * away.y + away.x * away.x
                    found.append(((z * grid.y + y) * grid.x + x, distance))
                }
            }
        }
        return found
    }

    /// The cell's indices.
    private static func place(_ cell: Int, _ grid: ZYX<Int>) -> ZYX<Double> {
        ZYX(cell / (grid.y * grid.x), cell / grid.x % grid.y, cell % grid.x).map(Double.init)
    }

    /// Whether a place lies in the crop's voxels.
    private static func isInside(_ place: ZYX<Double>, _ grid: ZYX<Int>) -> Bool {
        (0..<3).allSatisfy { place[$0] >= -0.5 && place[$0] < Double(Grid.stride * grid[$0]) - 0.5 }
    }
}
