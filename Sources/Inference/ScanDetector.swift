import CT
import Compute
import Detection
import Evaluation

/// Finds nodules in whole clean volumes.
public struct ScanDetector {
    /// Edge lengths in mm.
    public let anchors: [Double]
    /// Voxels of a tile without margins, and the margin.
    public var side = TilePlan.side
    public var margin = TilePlan.margin
    /// Whether findings move to the mean of the boxes that mean the same.
    public var voting = false
    /// [1, 1, D, H, W] and [1, 3, D/4, H/4, W/4] to [1, D/4, H/4, W/4, anchors, 5].
    private let network: (Tensor, Tensor) throws -> Tensor

    public init(anchors: [Double], network: @escaping (_ input: Tensor, _ coord: Tensor) throws -> Tensor) {
        self.anchors = anchors
        self.network = network
    }

    /// The network's output for every cell of a volume: d·h·w·anchors·5 values.
    ///
    /// - Parameter progress: Called after each tile with how many of how many are done.
    public func output(
        _ volume: CleanVolume, progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> (values: [Float], grid: ZYX<Int>) {
        let plan = TilePlan(extent: volume.extent, side: side, margin: margin)
        let depth = anchors.count * 5
        var values = [Float](repeating: 0, count: plan.grid.product * depth)
        for (index, tile) in plan.tiles.enumerated() {
            let cells = tile.window.map { $0.count / 4 }
            let result = try network(input(volume, tile), coord(tile, grid: plan.grid))
            let first = tile.window.map { $0.lowerBound / 4 }
            for z in tile.core.z {
                for y in tile.core.y {
                    let source = ((z - first.z) * cells.y + y - first.y) * cells.x + tile.core.x.lowerBound - first.x
                    let target = (z * plan.grid.y + y) * plan.grid.x + tile.core.x.lowerBound
                    let count = tile.core.x.count * depth
                    values.replaceSubrange(
                        target * depth..<target * depth + count,
                        with: result.values[source * depth..<source * depth + count])
                }
            }
            progress(index + 1, plan.tiles.count)
        }
        return (values, plan.grid)
    }

    /// The findings in a volume, most confident first, in its voxels.
    public func detect(
        _ volume: CleanVolume, progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> [ScoredBox] {
        let (values, grid) = try output(volume, progress: progress)
        let boxes = Decoding.boxes(values, grid: grid, anchors: anchors)
        let findings = Decoding.suppress(boxes)
        return voting ? Decoding.vote(findings, among: boxes) : findings
    }

    /// Findings as candidates in world millimetres.
    public static func candidates(_ boxes: [ScoredBox], in volume: CleanVolume) -> [Candidate] {
        boxes.map { scored in
            let point = volume.frame.world(scored.box.center)
            return Candidate(
                seriesUID: volume.seriesUID, x: point.x, y: point.y, z: point.z, probability: scored.probability,
                diameter: scored.box.diameter)
        }
    }

    /// A tile's grey levels, (u − 128)/128; outside the volume it is padding.
    private func input(_ volume: CleanVolume, _ tile: Tile) -> Tensor {
        let shape = tile.window.map(\.count)
        let padding = (Float(CleanVolume.padding) - 128) / 128
        var tensor = Tensor(shape: [1, 1, shape.z, shape.y, shape.x], repeating: padding)
        let inside = tile.window.zip(volume.extent) { $0.clamped(to: 0..<$1) }
        for z in inside.z {
            for y in inside.y {
                let source = (z * volume.extent.y + y) * volume.extent.x
                let row = ((z - tile.window.z.lowerBound) * shape.y + y - tile.window.y.lowerBound) * shape.x
                for x in inside.x {
                    tensor.values[row + x - tile.window.x.lowerBound] = (Float(volume.voxels[source + x]) - 128) / 128
                }
            }
        }
        return tensor
    }

    /// Ramps from −0.5 to 0.5 over the whole grid, as far as the tile shows them.
    private func coord(_ tile: Tile, grid: ZYX<Int>) -> Tensor {
        let cells = tile.window.map { $0.count / 4 }
        var tensor = Tensor(shape: [1, 3, cells.z, cells.y, cells.x])
        let ramps = ZYX(0, 1, 2).map { axis -> [Float] in
            let first = tile.window[axis].lowerBound / 4
            let last = Double(max(1, grid[axis] - 1))
            return (0..<cells[axis]).map { Float(Double(first + $0) / last - 0.5) }
        }
        var place = 0
        for axis in 0..<3 {
            for z in 0..<cells.z {
                for y in 0..<cells.y {
                    for x in 0..<cells.x {
                        tensor.values[place] = axis == 0 ? ramps.z[z] : axis == 1 ? ramps.y[y] : ramps.x[x]
                        place += 1
                    }
                }
            }
        }
        return tensor
    }
}
