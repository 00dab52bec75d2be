import Detection
import Testing

@Suite struct GridTests {
    /// A cell's centre is the mean of its voxels' places, and its position is the cell.
    @Test(arguments: [0, 1, 23]) func centersOfCells(_ cell: Int) {
        let voxels = (0..<Grid.stride).map { Double(cell * Grid.stride + $0) }
        #expect(Grid.center(cell) == voxels.reduce(0, +) / Double(voxels.count))
        #expect(Grid.position(Grid.center(cell)) == Double(cell))
    }

    @Test(arguments: [(1, 1), (4, 1), (5, 2), (208, 52), (0, 0)]) func coversAnExtent(_ voxels: Int, _ cells: Int) {
        #expect(Grid.cells(covering: voxels) == cells)
    }
}
