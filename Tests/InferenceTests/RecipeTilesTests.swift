import Basics
import CT
import Compute
import Detection
import Networks
import Testing

@testable import Inference

/// The recipe's tiles against one pass of the network over the whole volume with its edges repeated.
///
/// The real network sees further than a tile's margin, so that tiles show. Here everything below half resolution looks
/// at one cell only: what reaches a cell then are the 16 voxels that a cell of the deepest map covers and 14 around
/// them, less than the margin of 32.
@Suite struct RecipeTilesTests {
    private func shortSighted() -> NetworkState {
        var state = Architecture.standard.initialState(seed: 3)
        for entry in Architecture.standard.parameters.entries
        where entry.shape.count == 5 && entry.shape[2...] == [3, 3, 3] {
            let seesFar = ["preBlock.", "forw1.", "forw2.0.conv1."].contains { entry.name.hasPrefix($0) }
            if seesFar { continue }
            for (place, index) in entry.range.enumerated() where place % 27 != 13 { state.parameters[index] = 0 }
        }
        return state
    }

    @Test func tilesEqualTheWhole() throws {
        var generator = CounterGenerator(seed: 5, purpose: "recipe tiles")
        let extent = ZYX(30, 61, 90)
        let volume = CleanVolume(
            seriesUID: "made", extent: extent,
            voxels: (0..<extent.product).map { _ in UInt8(generator.integer(in: 0..<256)) },
            frame: WorldFrame(
                origin: ZYX(0, 0, 0), spacing: ZYX(1, 1, 1), flipped: false, scanExtent: extent, cropStart: ZYX(0, 0, 0)
            ))
        let state = shortSighted()
        let network = Network(.standard, engine: Engine(pool: ThreadPool(threads: 2)))
        let detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [5, 10, 20])) {
            network.forward(state, input: $0, coord: $1, mode: .evaluation)
        }
        let plan = TilePlan.recipe(extent, side: 32)
        #expect(plan.tiles.count == 6)
        let tiled = try detector.output(volume, plan)

        let window = ZYX(-32..<64, -32..<96, -32..<128)
        let view = TileView(Tile(window: window, core: plan.tiles[0].core), of: volume, .edge)
        let whole = network.forward(state, input: view.input, coord: view.coord, mode: .evaluation)
        let cells = window.map { $0.count / 4 }
        var (worst, largest): (Float, Float) = (0, 0)
        for z in 0..<plan.grid.z {
            for y in 0..<plan.grid.y {
                for x in 0..<plan.grid.x {
                    let here = 15 * ((z * plan.grid.y + y) * plan.grid.x + x)
                    let there = 15 * (((z + 8) * cells.y + y + 8) * cells.x + x + 8)
                    for value in 0..<15 {
                        worst = max(worst, abs(tiled[here + value] - whole.values[there + value]))
                        largest = max(largest, abs(tiled[here + value]))
                    }
                }
            }
        }
        #expect(largest > 0.01)
        #expect(worst < 1e-5 * max(1, largest))
    }

    /// The engine takes at most what is planned, and not much less.
    @Test(arguments: [ZYX(96, 96, 96), ZYX(64, 160, 208), ZYX(176, 96, 128)])
    func memoryIsAsPlanned(_ extent: ZYX<Int>) {
        let network = Network(.standard, engine: Engine(pool: ThreadPool(threads: 2)))
        let cells = extent.map { $0 / 4 }
        _ = network.forward(
            Architecture.standard.initialState(seed: 0), input: Tensor(shape: [1, 1, extent.z, extent.y, extent.x]),
            coord: Tensor(shape: [1, 3, cells.z, cells.y, cells.x]), mode: .evaluation)
        let planned = MemoryPlan(.standard).evaluation(extent)
        #expect(network.engine.plannedBytes <= planned)
        // The plan counts more threads.
        #expect(network.engine.plannedBytes > planned - (24 << 20))
    }
}
