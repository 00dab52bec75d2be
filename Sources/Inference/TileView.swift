import Basics
import CT
import Detection

/// The network's input for one tile of a volume.
struct TileView {
    /// The grey levels [1, 1, D, H, W] as (u − 128)/128.
    let input: Tensor
    /// The coordinates [1, 3, D/4, H/4, W/4]: ramps from −0.5 to 0.5 over the volume's grid.
    let coord: Tensor

    init(_ tile: Tile, of volume: CleanVolume, _ surroundings: TilePlan.Surroundings) {
        let grid = volume.extent.map(Grid.cells(covering:))
        input = Self.input(tile, volume, padded: grid.map { Grid.stride * $0 }, surroundings)
        coord = Self.coord(tile, grid, surroundings)
    }

    private static func input(
        _ tile: Tile, _ volume: CleanVolume, padded: ZYX<Int>, _ surroundings: TilePlan.Surroundings
    ) -> Tensor {
        let shape = tile.window.map(\.count)
        let padding = (Float(CleanVolume.padding) - 128) / 128
        // The voxel to be seen at each place along an axis; nil where it is padding.
        let places = ZYX(0, 1, 2).map { axis -> [Int?] in
            tile.window[axis].map { place in
                let seen = surroundings == .edge ? min(max(place, 0), padded[axis] - 1) : place
                return 0..<volume.extent[axis] ~= seen ? seen : nil
            }
        }
        var values = [Float](repeating: padding, count: shape.product)
        volume.voxels.withUnsafeBufferPointer { voxels in
            values.withUnsafeMutableBufferPointer { values in
                for (z, fromZ) in places.z.enumerated() {
                    guard let fromZ else { continue }
                    for (y, fromY) in places.y.enumerated() {
                        guard let fromY else { continue }
                        let row = (z * shape.y + y) * shape.x
                        let source = (fromZ * volume.extent.y + fromY) * volume.extent.x
                        for (x, fromX) in places.x.enumerated() {
                            if let fromX { values[row + x] = (Float(voxels[source + fromX]) - 128) / 128 }
                        }
                    }
                }
            }
        }
        return Tensor(shape: [1, 1, shape.z, shape.y, shape.x], values: values)
    }

    private static func coord(_ tile: Tile, _ grid: ZYX<Int>, _ surroundings: TilePlan.Surroundings) -> Tensor {
        let cells = tile.window.map { $0.count / Grid.stride }
        var values: [Float] = []
        values.reserveCapacity(3 * cells.product)
        let ramps = ZYX(0, 1, 2).map { axis -> [Float] in
            let first = tile.window[axis].lowerBound / Grid.stride
            let last = max(1, grid[axis] - 1)
            return (first..<first + cells[axis]).map { cell in
                let seen = surroundings == .edge ? min(max(cell, 0), grid[axis] - 1) : cell
                return Float(Double(seen) / Double(last) - 0.5)
            }
        }
        for axis in 0..<3 {
            for z in 0..<cells.z {
                for y in 0..<cells.y {
                    for x in 0..<cells.x {
                        values.append(axis == 0 ? ramps.z[z] : axis == 1 ? ramps.y[y] : ramps.x[x])
                    }
                }
            }
        }
        return Tensor(shape: [1, 3, cells.z, cells.y, cells.x], values: values)
    }
}
