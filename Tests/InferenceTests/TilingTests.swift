import CT
import Compute
import Detection
import Testing

@testable import Inference

@Suite struct TilingTests {
    /// Every cell of the grid is in exactly one core, and every core lies in its window with margin where there is more.
    @Test(arguments: [ZYX(1, 1, 1), ZYX(150, 208, 90), ZYX(209, 300, 361), ZYX(512, 40, 145)])
    func coresCoverTheGridOnce(_ extent: ZYX<Int>) {
        let plan = TilePlan(extent: extent)
        var seen = [Int](repeating: 0, count: plan.grid.product)
        for tile in plan.tiles {
            for axis in 0..<3 {
                let (window, core) = (tile.window[axis], tile.core[axis])
                #expect(window.count % 16 == 0 && window.count <= TilePlan.side + 2 * TilePlan.margin)
                let padded = (extent[axis] + 15) / 16 * 16
                #expect(window.lowerBound == max(0, window.lowerBound) && window.upperBound <= padded)
                #expect(4 * core.lowerBound - window.lowerBound >= min(4 * core.lowerBound, TilePlan.margin))
                #expect(
                    window.upperBound - 4 * core.upperBound
                        >= min(padded - 4 * core.upperBound, TilePlan.margin) - 15)
            }
            for z in tile.core.z {
                for y in tile.core.y {
                    for x in tile.core.x { seen[(z * plan.grid.y + y) * plan.grid.x + x] += 1 }
                }
            }
        }
        #expect(seen.allSatisfy { $0 == 1 })
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

    @Test func tiledEqualsWhole() throws {
        let volume = volume(ZYX(75, 40, 90))
        var detector = ScanDetector(anchors: [10], network: localNetwork)
        let whole = try detector.output(volume)
        detector.side = 32
        detector.margin = 16
        var tiles = 0
        let tiled = try detector.output(volume) { _, count in tiles = count }
        #expect(tiles > 4)
        #expect(whole.grid == tiled.grid)
        #expect(whole.values == tiled.values)
        // The coordinates run from −0.5 to 0.5 over the volume padded to fours.
        #expect(tiled.values[1] == -0.5 && tiled.values[tiled.values.count - 4] == 0.5)
    }

    /// A bright voxel is found where it is, in the world as well.
    @Test func findsABrightSpot() throws {
        var volume = volume(ZYX(40, 40, 40))
        volume.voxels = volume.voxels.map { _ in 100 }
        let place = ZYX(17, 21, 25)  // the voxel before the centre of cell (4, 5, 6)
        volume.voxels[(place.z * 40 + place.y) * 40 + place.x] = 255
        let detector = ScanDetector(anchors: [10]) { input, coord in
            let (d, h, w) = (coord.shape[2], coord.shape[3], coord.shape[4])
            var output = Tensor(shape: [1, d, h, w, 1, 5])
            for cell in 0..<d * h * w {
                let (z, y, x) = (cell / (h * w), cell / w % h, cell % w)
                let voxel = ((4 * z + 1) * 4 * h + 4 * y + 1) * 4 * w + 4 * x + 1
                output.values[5 * cell] = input.values[voxel] > 0.9 ? 3 : -9
            }
            return output
        }
        let found = try detector.detect(volume)
        #expect(found.count == 1)
        #expect(found.first?.box.center == ZYX(17.5, 21.5, 25.5))
        let candidate = try #require(ScanDetector.candidates(found, in: volume).first)
        let world = volume.frame.world(ZYX(17.5, 21.5, 25.5))
        #expect([candidate.x, candidate.y, candidate.z] == [world.x, world.y, world.z])
        #expect(candidate.diameter == 10)
    }
}
