// How a whole scan is cut for the network: into tiles that overlap, so that every output comes from a place that the
// network saw with its surroundings.

import Compute
import Detection

/// One piece of a padded volume.
public struct Tile: Hashable, Sendable {
    /// What the network sees, in voxels: multiples of 16 wide. May reach beyond the volume, where it is padding.
    public var window: ZYX<Range<Int>>
    /// What of its output is kept, in cells of the whole volume's grid.
    public var core: ZYX<Range<Int>>
}

/// The tiles of a volume.
///
/// Where the recipe pads the volume's faces with a margin of repeated voxels and computes tiles of 208 voxels whatever
/// the volume's size, these tiles end at the volume's faces: a volume of up to 208 voxels along an axis is one tile
/// there, as large as it needs to be.
public struct TilePlan: Hashable, Sendable {
    public let tiles: [Tile]
    /// Cells of the whole grid: the volume padded to multiples of 4 voxels.
    public let grid: ZYX<Int>

    /// The recipe's: voxels of a tile without margins, and its margin.
    public static let side = 144
    public static let margin = 32

    /// - Parameters:
    ///   - extent: The volume's voxels.
    ///   - side: Voxels of a core, a multiple of 16; `margin` around it where the volume goes on, another.
    public init(extent: ZYX<Int>, side: Int = side, margin: Int = margin) {
        precondition(side > 0 && side % 16 == 0 && margin >= 0 && margin % 16 == 0, "tiles are multiples of 16 voxels")
        grid = extent.map { ($0 + 3) / 4 }
        let grid = grid
        let spans = extent.map { Self.spans(count: ($0 + 15) / 16 * 16, side: side, margin: margin) }
        var tiles: [Tile] = []
        for z in spans.z {
            for y in spans.y {
                for x in spans.x {
                    let axes = ZYX(z, y, x)
                    tiles.append(
                        Tile(
                            window: axes.map(\.window),
                            core: axes.zip(grid) { $0.core.lowerBound / 4..<min($1, $0.core.upperBound / 4) }))
                }
            }
        }
        self.tiles = tiles
    }

    private struct Span: Hashable { let window, core: Range<Int> }

    /// Cuts an axis: cores as equal as multiples of 16 allow, windows `margin` wider where there is more volume.
    private static func spans(count: Int, side: Int, margin: Int) -> [Span] {
        if count <= side + 2 * margin { return [Span(window: 0..<count, core: 0..<count)] }
        let pieces = (count + side - 1) / side
        return (0..<pieces).map { piece in
            let low = count / 16 * piece / pieces * 16
            let high = count / 16 * (piece + 1) / pieces * 16
            return Span(window: max(0, low - margin)..<min(count, high + margin), core: low..<high)
        }
    }

    /// The voxels of the largest tile.
    public var largestTile: Int { tiles.map { $0.window.map(\.count).product }.max() ?? 0 }

    /// About how much memory the network needs for the largest tile, in bytes: per voxel 49 channels of four bytes at full
    /// resolution, and the maps at halves, quarters and below.
    public var plannedBytes: Int { largestTile * 340 }
}
