import Basics
import CKernels

/// The way in which a map is cut into tiles.
struct Tiles {
    /// Outputs along z.
    let depth: Int
    /// Outputs along y and along x.
    let side: Int

    /// Tiles of 4 x 4 x 4; of 2 in the plane where a map is so small that tiles of 4 would hang over its edges, and of
    /// 2 along z where it is so shallow that there would be too few to share out, or where that is said to be better.
    init(_ extent: ZYX<Int>, shallow: Bool = false) {
        side = min(extent.y, extent.x) <= 6 ? 2 : 4
        depth = side == 4 && extent.z >= 16 && !shallow ? 4 : 2
    }

    /// Whether the gradient of the weights is that of few channels, where every item has a sum of its own; with tiles
    /// of 2 along z it fits the second-level cache.
    static func isNarrow(_ outputs: Int) -> Bool { outputs < 64 }

    /// Components of a plane.
    var planeComponents: Int { (side + 2) * (side + 2) }
    /// Components of a whole tile.
    var components: Int { (depth + 2) * planeComponents }

    /// The tiling of a map.
    func tiling(_ map: FeatureMap) -> ck_tiling {
        ck_tiling(
            samples: map.samples, depth: map.extent.z, height: map.extent.y, width: map.extent.x, tile_depth: depth,
            tile: side)
    }

    /// The numbers of tiles that a block may have: multiples of every block's rows of a product.
    private static let blocks = [12, 24, 36, 48]

    /// The number of tiles in a block, which changes no sum.
    ///
    /// Transformed weights are read once for every block. Where they are too many for the second-level cache, blocks
    /// should be large, as long as they stay in it themselves and all threads have as much to do; otherwise blocks stay
    /// small beside the weights. A component of a block holds the planes that its tiles see, of which neighbours share
    /// two, or the planes of results in their place.
    ///
    /// - Parameters:
    ///   - inputs: The number of input channels.
    ///   - outputs: The number of output channels.
    ///   - count: The number of all tiles.
    ///   - threads: The number of threads that share them.
    ///   - cache: The size of a core's second-level cache in bytes.
    func block(inputs: Int, outputs: Int, of count: Int, threads: Int, cache: Int) -> Int {
        let tile = planeComponents * max(7 * depth * inputs / 6, depth * outputs) * MemoryLayout<Float>.stride
        let room = streamsWeights(inputs: inputs, outputs: outputs, cache: cache) ? cache * 6 / 5 : cache * 3 / 10
        let fitting = Self.blocks.filter { $0 == Self.blocks[0] || $0 * tile <= room }
        // What a block costs beside its tiles is about what six more tiles would.
        func cost(_ block: Int) -> Int { ((count + block - 1) / block + threads - 1) / threads * (block + 6) }
        return fitting.min { cost($0) < cost($1) }.unsafelyUnwrapped
    }

    /// Whether the transformed weights are too many for the second-level cache.
    func streamsWeights(inputs: Int, outputs: Int, cache: Int) -> Bool {
        components * inputs * outputs * MemoryLayout<Float>.stride > cache
    }
}
