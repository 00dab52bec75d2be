// The choice of several cells for every nodule. A nodule of 4 mm and a cell of 4 mm meet where they may: of the cells
// around the nodule several see it equally well, and to call only one of them positive and its neighbours background
// teaches the network to be unsure. So the nearest cells are positive, those around them are neither, and only what
// lies clearly outside is background. (W. Song et al., "CPM-Net", MICCAI 2020, choose cells by distance, too.)

import Basics

/// The dense assignment of labels to a crop's cells, [d, h, w, anchor, 5].
///
/// The five components are (label, dz, dy, dx, dd); the label is 1 for a positive, −1 for a negative, 0 for an ignored
/// cell.
public struct DenseAssignment: Sendable {
    /// The anchors' edge lengths in mm.
    public let anchors: [Double]

    /// The number of cells that answer for a nodule.
    static let cellsPerNodule = 7
    /// The largest ratio of an anchor and a nodule that it answers for, whichever is larger.
    static let anchorReach = 2.0
    /// The width in mm of the ignored band around a nodule.
    static let bandWidth = 4.0

    /// Creates an assigner.
    ///
    /// - Parameter anchors: Edge lengths in mm.
    public init(anchors: [Double]) { self.anchors = anchors }

    /// The labels of a crop.
    ///
    /// Every nodule whose centre lies in the crop has its seven nearest cells, the first of equally near ones; a cell
    /// that two nodules want belongs to the nearer one. In such a cell those anchors are positive that are at most
    /// twice or at least half as large as the nodule, or else the one that fits best; the others are ignored. So are
    /// all other cells within 4 mm of any nodule's surface.
    ///
    /// - Parameters:
    ///   - grid: Cells along z, y, x.
    ///   - nodules: All nodules that reach into the crop, in crop coordinates.
    /// - Returns: d·h·w·anchors·5 floats.
    public func labels(grid: ZYX<Int>, nodules: [Box]) -> [Float] {
        let width = anchors.count * Grid.components
        var labels = [Float](repeating: 0, count: grid.product * width)
        for anchor in 0..<grid.product * anchors.count { labels[anchor * Grid.components] = -1 }
        for cell in band(of: nodules, grid: grid) { ignore(cell, &labels) }
        for (cell, owner) in owners(nodules, grid: grid).sorted(by: { $0.key < $1.key }) {
            ignore(cell, &labels)
            let nodule = nodules[owner.nodule]
            for anchor in fittingAnchors(nodule.diameter) {
                let first = (cell * anchors.count + anchor) * Grid.components
                let offset = (nodule.center - center(of: cell, grid)).map { Float($0 / anchors[anchor]) }
                let size = Float(Elementary.log(nodule.diameter / anchors[anchor]))
                labels.replaceSubrange(first..<first + Grid.components, with: [1] + offset.array + [size])
            }
        }
        return labels
    }

    /// The cells whose centres lie within the band's width of a nodule's surface, or in it, in ascending order.
    func band(of nodules: [Box], grid: ZYX<Int>) -> [Int] {
        var found: Set<Int> = []
        for nodule in nodules {
            let reach = nodule.diameter / 2 + Self.bandWidth
            for (cell, distance) in cells(within: reach, of: nodule.center, grid) where distance <= reach * reach {
                found.insert(cell)
            }
        }
        return found.sorted()
    }

    /// The nodule that each positive cell answers for, and its squared distance in mm².
    private func owners(_ nodules: [Box], grid: ZYX<Int>) -> [Int: (nodule: Int, distance: Double)] {
        var owners: [Int: (nodule: Int, distance: Double)] = [:]
        for (index, nodule) in nodules.enumerated() where isInside(nodule.center, grid) {
            // The seventh nearest cell is at most three cells away along each axis, also in the crop's corner.
            let near = cells(within: Double(3 * Grid.stride), of: nodule.center, grid)
                .sorted { ($0.distance, $0.cell) < ($1.distance, $1.cell) }
            for (cell, distance) in near.prefix(Self.cellsPerNodule) {
                if let owner = owners[cell], owner.distance <= distance { continue }
                owners[cell] = (index, distance)
            }
        }
        return owners
    }

    /// The anchors that answer for a nodule of this diameter in mm.
    func fittingAnchors(_ diameter: Double) -> [Int] {
        let misfits = anchors.map { max(diameter / $0, $0 / diameter) }
        let fitting = anchors.indices.filter { misfits[$0] <= Self.anchorReach }
        if !fitting.isEmpty { return fitting }
        return anchors.indices.min { misfits[$0] < misfits[$1] }.map { [$0] } ?? []
    }

    /// Whether a place lies in one of the crop's voxels.
    private func isInside(_ place: ZYX<Double>, _ grid: ZYX<Int>) -> Bool {
        (0..<3).allSatisfy { -0.5..<Double(Grid.stride * grid[$0]) - 0.5 ~= place[$0] }
    }

    /// The cells in a cube of half edge `reach` mm around a place, in ascending order, with their squared distances
    /// from it in mm².
    private func cells(
        within reach: Double, of place: ZYX<Double>, _ grid: ZYX<Int>
    ) -> [(cell: Int, distance: Double)] {
        let ranges = ZYX(0, 1, 2).map { axis in
            let last = Double(grid[axis])
            let low = min(max(0, Grid.position(place[axis] - reach).rounded(.up)), last)
            let high = min(max(low, Grid.position(place[axis] + reach).rounded(.down) + 1), last)
            return Int(low)..<Int(max(low, high))
        }
        var found: [(cell: Int, distance: Double)] = []
        for z in ranges.z {
            for y in ranges.y {
                for x in ranges.x {
                    let away = ZYX(Grid.center(z), Grid.center(y), Grid.center(x)) - place
                    let distance = away.z * away.z + away.y * away.y + away.x * away.x
                    found.append(((z * grid.y + y) * grid.x + x, distance))
                }
            }
        }
        return found
    }

    private func center(of cell: Int, _ grid: ZYX<Int>) -> ZYX<Double> {
        ZYX(cell / (grid.y * grid.x), cell / grid.x % grid.y, cell % grid.x).map(Grid.center)
    }

    /// Takes a cell out of the background, with all of its anchors.
    private func ignore(_ cell: Int, _ labels: inout [Float]) {
        for anchor in anchors.indices { labels[(cell * anchors.count + anchor) * Grid.components] = 0 }
    }
}
