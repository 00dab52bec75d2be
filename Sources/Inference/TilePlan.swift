// How a whole scan is cut for the network: into tiles that overlap, so that every output comes from a place that the
// network saw with its surroundings.

import Basics
import Detection

/// One piece of a volume.
public struct Tile: Hashable, Sendable {
    /// The voxels that the network sees: multiples of 16 wide. May reach beyond the volume.
    public var window: ZYX<Range<Int>>
    /// The part of its output that is kept, in cells of the whole volume's grid.
    public var core: ZYX<Range<Int>>
}

/// The tiles of a volume.
///
/// The recipe's tiles are cubes of 208 voxels whatever the volume's shape, and overlap so much that they compute a
/// usual volume seven times. A plan for a memory budget has as few tiles as fit into it; they end at the volume's
/// faces, where nothing is to be seen.
public struct TilePlan: Hashable, Sendable {
    /// The content of a window where it reaches beyond the volume.
    public enum Surroundings: Hashable, Sendable {
        /// The grey level of everything that is not lung.
        case padding
        /// The nearest voxel, and the coordinates of the nearest cell; beyond the last voxel, up to a multiple of 4, it
        /// is padding.
        case edge
    }

    /// The volume's extent in voxels.
    public let extent: ZYX<Int>
    /// The content of windows beyond the volume.
    public let surroundings: Surroundings
    /// The tiles, whose cores cover the volume once.
    public let tiles: [Tile]

    /// The number of voxels around a core that are computed and dropped.
    public static let margin = 32
    /// The number of voxels along each axis of the recipe's cores.
    static let recipeSide = 144
    /// The least width of a core in voxels: of a narrower one nearly all that is computed would be margins.
    static let leastSide = 32

    /// The number of cells along each axis of the whole grid, which covers the volume padded to multiples of 4 voxels.
    public var grid: ZYX<Int> { extent.map(Grid.cells(covering:)) }

    /// The number of voxels that the network computes, as a multiple of the volume's.
    public var work: Double { Double(tiles.reduce(0) { $0 + $1.window.map(\.count).product }) / Double(extent.product) }

    /// The largest tile's extent.
    public var largestTile: ZYX<Int> {
        tiles.map { $0.window.map(\.count) }.max { $0.product < $1.product } ?? ZYX(0, 0, 0)
    }

    /// The recipe's tiles: cores of 144 voxels from the volume's corner on, 32 voxels around each.
    public static func recipe(_ extent: ZYX<Int>) -> TilePlan { recipe(extent, side: recipeSide) }

    static func recipe(_ extent: ZYX<Int>, side: Int) -> TilePlan {
        let spans = extent.map { count in
            stride(from: 0, to: count, by: side).map {
                Span(window: $0 - margin..<$0 + side + margin, core: $0..<$0 + side)
            }
        }
        return TilePlan(extent, spans, .edge)
    }

    /// The plan that computes least among those whose tiles all fit.
    ///
    /// - Parameters:
    ///   - extent: The volume's extent in voxels.
    ///   - fits: Whether there is memory for a tile; where there is for one, there is for every smaller one.
    /// - Returns: Nil where not even the smallest tiles fit.
    public static func planned(_ extent: ZYX<Int>, fits: (_ tile: ZYX<Int>) -> Bool) -> TilePlan? {
        let choices = extent.map { count in
            (1...max(1, count / leastSide)).map { spans(count: (count + 15) / 16 * 16, pieces: $0) }
        }
        func largest(_ spans: [Span]) -> Int { spans.map(\.window.count).max() ?? 0 }
        func total(_ spans: [Span]) -> Int { spans.reduce(0) { $0 + $1.window.count } }
        let smallest = choices.map { $0.map(largest).min() ?? 0 }
        guard fits(smallest) else { return nil }
        // Among plans of equal work the one with fewer tiles is taken; then the one cut along z, whose planes lie
        // together. Whether tiles fit is asked last: the answer takes a while.
        var best: (spans: ZYX<[Span]>, work: Int, tiles: Int)?
        for x in choices.x {
            for y in choices.y {
                for z in choices.z {
                    let (work, tiles) = (total(z) * total(y) * total(x), z.count * y.count * x.count)
                    if let best, (best.work, best.tiles) <= (work, tiles) { continue }
                    guard fits(ZYX(largest(z), largest(y), largest(x))) else { continue }
                    best = (ZYX(z, y, x), work, tiles)
                }
            }
        }
        return best.map { TilePlan(extent, $0.spans, .padding) }
    }

    private struct Span: Hashable { let window, core: Range<Int> }

    private init(_ extent: ZYX<Int>, _ spans: ZYX<[Span]>, _ surroundings: Surroundings) {
        self.extent = extent
        self.surroundings = surroundings
        let grid = extent.map(Grid.cells(covering:))
        tiles = spans.z.flatMap { z in
            spans.y.flatMap { y in
                spans.x.map { x in
                    let axes = ZYX(z, y, x)
                    return Tile(
                        window: axes.map(\.window),
                        core: axes.zip(grid) {
                            $0.core.lowerBound / Grid.stride..<min($1, $0.core.upperBound / Grid.stride)
                        })
                }
            }
        }
    }

    /// Cuts an axis into cores as equal as multiples of 16 allow, with windows that reach further where there is more
    /// volume.
    private static func spans(count: Int, pieces: Int) -> [Span] {
        (0..<pieces).map { piece in
            let low = count / 16 * piece / pieces * 16
            let high = count / 16 * (piece + 1) / pieces * 16
            return Span(window: max(0, low - margin)..<min(count, high + margin), core: low..<high)
        }
    }
}
