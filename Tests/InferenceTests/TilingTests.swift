import Basics
import CT
import Detection
import Evaluation
import FileIO
import Testing

@testable import Inference

@Suite struct TilingTests {
    static let extents = [ZYX(1, 1, 1), ZYX(150, 208, 90), ZYX(209, 300, 361), ZYX(512, 40, 145), ZYX(300, 330, 360)]

    /// How often a plan computes each cell of the grid for keeps.
    private func coverage(_ plan: TilePlan) -> [Int] {
        var seen = [Int](repeating: 0, count: plan.grid.product)
        for tile in plan.tiles {
            for z in tile.core.z {
                for y in tile.core.y {
                    for x in tile.core.x { seen[(z * plan.grid.y + y) * plan.grid.x + x] += 1 }
                }
            }
        }
        return seen
    }

    /// Every cell of the grid is in exactly one core, and every core lies in its window with margin where there is
    /// more.
    @Test(arguments: extents, [2_000_000, 9_000_000, 40_000_000])
    func plannedCoresCoverTheGridOnce(_ extent: ZYX<Int>, _ voxels: Int) throws {
        let plan = try #require(TilePlan.planned(extent) { $0.product <= voxels })
        #expect(coverage(plan).allSatisfy { $0 == 1 })
        #expect(plan.largestTile.product <= voxels)
        for tile in plan.tiles {
            for axis in 0..<3 {
                let (window, core) = (tile.window[axis], tile.core[axis])
                let padded = (extent[axis] + 15) / 16 * 16
                #expect(window.count % 16 == 0 && window.lowerBound >= 0 && window.upperBound <= padded)
                #expect(4 * core.lowerBound - window.lowerBound >= min(4 * core.lowerBound, TilePlan.margin))
                #expect(
                    window.upperBound - 4 * core.upperBound
                        >= min(padded - 4 * core.upperBound, TilePlan.margin) - 15)
            }
        }
    }

    @Test(arguments: extents) func recipeCoresCoverTheGridOnce(_ extent: ZYX<Int>) {
        let plan = TilePlan.recipe(extent)
        #expect(coverage(plan).allSatisfy { $0 == 1 })
        #expect(plan.tiles.allSatisfy { $0.window.map(\.count) == ZYX(208, 208, 208) })
        #expect(plan.tiles.count == extent.map { ($0 + 143) / 144 }.product)
    }

    /// No other way to cut the axes into equal pieces computes less: every one is tried, with windows of its own
    /// making.
    @Test func leastWork() throws {
        let extent = ZYX(200, 120, 330)
        let limit = 3_000_000
        let plan = try #require(TilePlan.planned(extent) { $0.product <= limit })
        func axis(_ count: Int, _ pieces: Int) -> (total: Int, largest: Int) {
            let blocks = (count + 15) / 16
            let windows = (0..<pieces).map { piece in
                let (low, high) = (blocks * piece / pieces, blocks * (piece + 1) / pieces)
                return 16 * (min(blocks, high + 2) - max(0, low - 2))
            }
            return (windows.reduce(0, +), windows.max() ?? 0)
        }
        var least = Int.max
        for z in 1...6 {
            for y in 1...3 {
                for x in 1...10 {
                    let axes = [axis(extent.z, z), axis(extent.y, y), axis(extent.x, x)]
                    if axes.reduce(1, { $0 * $1.largest }) > limit { continue }
                    least = min(least, axes.reduce(1) { $0 * $1.total })
                }
            }
        }
        #expect(plan.tiles.reduce(0) { $0 + $1.window.map(\.count).product } == least)
    }

    /// The default budget computes a whole chest at most one and a half times; the recipe seven times.
    @Test func work() throws {
        let detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, _ in input }
        for extent in [ZYX(300, 330, 360), ZYX(360, 330, 300), ZYX(220, 230, 300), ZYX(600, 400, 450)] {
            let plan = try detector.plan(extent)
            #expect(plan.work <= 1.5)
            #expect(detector.memory(plan) <= ScanDetector.Tiling.defaultBytes)
        }
        #expect(TilePlan.recipe(ZYX(300, 330, 360)).tiles.count == 27)
        #expect(TilePlan.recipe(ZYX(300, 330, 360)).work > 6.8)
    }

    @Test func refusesTooLittleMemory() {
        var detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, _ in input }
        detector.tiling = .planned(bytes: 10 << 20)
        #expect(throws: UsageError.self) { try detector.plan(ZYX(300, 330, 360)) }
    }

    /// The memory that the message asks for is enough, and less is not: also for sides of which no tiles of 96 can be
    /// made.
    @Test(arguments: [ZYX(180, 192, 190), ZYX(40, 50, 60), ZYX(300, 330, 360)])
    func saysWhatIsNeeded(_ extent: ZYX<Int>) throws {
        var detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, _ in input }
        detector.tiling = .planned(bytes: 10 << 20)
        let error = try #require(throws: UsageError.self) { try detector.plan(extent) }
        let words = error.description.split(separator: " ")
        let place = try #require(words.firstIndex(of: "least"))
        let need = try #require(Int(words[place + 1]))
        detector.tiling = .planned(bytes: need << 20)
        #expect(try detector.memory(detector.plan(extent)) <= need << 20)
        detector.tiling = .planned(bytes: (need - 1) << 20)
        #expect(throws: UsageError.self) { try detector.plan(extent) }
    }

    private func volume(_ extent: ZYX<Int>) -> CleanVolume {
        var generator = CounterGenerator(seed: 1, purpose: "tiling test")
        return CleanVolume(
            seriesUID: "made", extent: extent,
            voxels: (0..<extent.product).map { _ in UInt8(generator.integer(in: 0..<256)) },
            frame: WorldFrame(
                origin: ZYX(-10, 20, 30), spacing: ZYX(2, 0.5, 0.5), flipped: false, scanExtent: ZYX(100, 200, 200),
                cropStart: ZYX(3, 4, 5)))
    }

    /// A network that looks no further than a cell's neighbours: tiles must not be seen in its output.
    private func localNetwork(_ input: Tensor, _ coord: Tensor) -> Tensor {
        let (d, h, w) = (coord.shape[2], coord.shape[3], coord.shape[4])
        let (height, width) = (input.shape[3], input.shape[4])
        var output = Tensor(shape: [1, d, h, w, 1, 5])
        for z in 0..<d {
            for y in 0..<h {
                for x in 0..<w {
                    var sum: Float = 0
                    for (dz, dy, dx) in [(0, 0, 0), (-3, 1, 2), (5, -4, 6), (2, 7, -5)] {
                        let place = ((4 * z + dz, 4 * y + dy, 4 * x + dx))
                        guard place.0 >= 0, place.1 >= 0, place.2 >= 0, place.0 < 4 * d, place.1 < height,
                            place.2 < width
                        else { continue }
                        sum += input.values[(place.0 * height + place.1) * width + place.2]
                    }
                    let cell = (z * h + y) * w + x
                    output.values[5 * cell] = sum
                    for axis in 0..<3 { output.values[5 * cell + 1 + axis] = coord.values[axis * d * h * w + cell] }
                }
            }
        }
        return output
    }

    @Test func plannedEqualsWhole() throws {
        let volume = volume(ZYX(110, 140, 190))
        var detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10]), network: localNetwork)
        let whole = try detector.output(volume)
        // Room for tiles of 96 voxels each way.
        detector.tiling = .planned(bytes: 176 << 20)
        var tiles = 0
        let tiled = try detector.output(volume) { _, count in tiles = count }
        #expect(tiles > 3)
        #expect(whole.grid == tiled.grid)
        let same = whole.values == tiled.values
        #expect(same)
        // The coordinates run from −0.5 to 0.5 over the volume padded to fours.
        #expect(tiled.values[1] == -0.5 && tiled.values[tiled.values.count - 4] == 0.5)
    }

    /// The recipe's tiles against its own words: the volume padded to fours with 170, then its edges repeated.
    @Test func recipeShowsEdges() throws {
        let volume = volume(ZYX(10, 150, 31))
        var shown: [Tensor] = []
        var detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, coord in
            shown += [input, coord]
            return localNetwork(input, coord)
        }
        detector.tiling = .recipe
        let output = try detector.output(volume)
        #expect(output.grid == ZYX(3, 38, 8))
        #expect(shown.count == 4)
        let extents = [12, 152, 32]
        func level(_ z: Int, _ y: Int, _ x: Int) -> Float {
            let places = [z, y, x].enumerated().map { axis, place in min(max(place, 0), extents[axis] - 1) }
            let isInside = places[0] < 10 && places[1] < 150 && places[2] < 31
            let value = isInside ? volume.voxels[(places[0] * 150 + places[1]) * 31 + places[2]] : 170
            return (Float(value) - 128) / 128
        }
        for (tile, corner) in [(0, -32), (1, 112)] {
            var wrong = 0
            for z in stride(from: 0, to: 208, by: 9) {
                for y in 0..<208 {
                    for x in stride(from: 0, to: 208, by: 5) {
                        let value = shown[2 * tile].values[(z * 208 + y) * 208 + x]
                        if value != level(z - 32, y + corner, x - 32) { wrong += 1 }
                    }
                }
            }
            #expect(wrong == 0)
            for cell in [0, 7, 8, 20, 44, 45, 51] {
                let place = min(max(corner / 4 + cell, 0), 37)
                let ramp = shown[2 * tile + 1].values[((52 + 30) * 52 + cell) * 52 + 9]
                #expect(ramp == Float(Double(place) / 37 - 0.5))
            }
        }
    }

    /// A bright voxel is found where it is, in the world as well.
    @Test(arguments: [ScanDetector.Tiling.recipe, .planned(bytes: 3 << 30)])
    func findsABrightSpot(_ tiling: ScanDetector.Tiling) throws {
        var volume = volume(ZYX(40, 40, 40))
        volume.voxels = volume.voxels.map { _ in 100 }
        let place = ZYX(17, 21, 25)  // the voxel before the centre of cell (4, 5, 6)
        volume.voxels[(place.z * 40 + place.y) * 40 + place.x] = 255
        var detector = ScanDetector(recipe: RecipeName.published.recipe(anchors: [10])) { input, coord in
            let (d, h, w) = (coord.shape[2], coord.shape[3], coord.shape[4])
            var output = Tensor(shape: [1, d, h, w, 1, 5])
            for cell in 0..<d * h * w {
                let (z, y, x) = (cell / (h * w), cell / w % h, cell % w)
                let voxel = ((4 * z + 1) * 4 * h + 4 * y + 1) * 4 * w + 4 * x + 1
                output.values[5 * cell] = input.values[voxel] > 0.9 ? 3 : -9
            }
            return output
        }
        detector.tiling = tiling
        let found = try detector.detect(volume)
        #expect(found.count == 1)
        #expect(found.first?.box.center == ZYX(17.5, 21.5, 25.5))
        let candidate = try #require(ScanDetector.candidates(found, in: volume).first)
        let world = volume.frame.world(ZYX(17.5, 21.5, 25.5))
        #expect([candidate.x, candidate.y, candidate.z] == [world.x, world.y, world.z])
        #expect(candidate.diameter == 10)
    }
}
