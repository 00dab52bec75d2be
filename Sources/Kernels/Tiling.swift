// How a volume is cut into tiles.
//
// A tile makes l x m x m outputs (z, y, x) from (l + 2) x (m + 2) x (m + 2) inputs; l and m are 4 or 2. Each plane of
// inputs is a two-dimensional Winograd problem, whose (m + 2)² results are transformed along z in turn.

import CKernels

/// The tiling of one map.
struct Tiling {
    let depth: Int
    let height: Int
    let width: Int
    /// Outputs of a tile along z: l; along y and x: m.
    let tileDepth: Int
    let tile: Int
    let tilesZ: Int
    let tilesY: Int
    let tilesX: Int
    /// Tiles of all samples.
    let count: Int

    @inline(__always) init(_ t: ck_tiling) {
        var t = t
        depth = t.depth
        height = t.height
        width = t.width
        tileDepth = t.tile_depth
        tile = t.tile
        tilesZ = ck_tiles_along(t.depth, t.tile_depth)
        tilesY = ck_tiles_along(t.height, t.tile)
        tilesX = ck_tiles_along(t.width, t.tile)
        count = ck_tile_count(&t)
    }

    /// The components of a plane, and of a column of them along z.
    @inline(__always) var components: Int { (tile + 2) * (tile + 2) }
    @inline(__always) var depthComponents: Int { tileDepth + 2 }

    /// Row by row, plane by plane.
    @inline(__always) func origin(_ index: Int) -> Origin {
        let x = index % tilesX
        let y = index / tilesX % tilesY
        let z = index / (tilesX * tilesY) % tilesZ
        return Origin(
            sample: index / (tilesX * tilesY * tilesZ), z: tileDepth * z, y: tile * y, x: tile * x, rank: 0)
    }

    /// Tiles in a column of `columnOrigin`: 12 planes of outputs. Neighbours along z share two planes of inputs.
    @inline(__always) var run: Int { 12 / tileDepth }

    /// In slabs of `run` tiles along z, through rows and columns, along z first.
    @inline(__always) func columnOrigin(_ index: Int) -> Origin {
        let columns = tilesY * tilesX
        let sample = index / (tilesZ * columns)
        let inSample = index - sample * tilesZ * columns
        let slab = inSample / (run * columns)
        let inSlab = inSample - slab * run * columns
        let length = min(run, tilesZ - slab * run)
        let column = inSlab / length
        let rank = inSlab - column * length
        return Origin(
            sample: sample, z: tileDepth * (slab * run + rank), y: tile * (column / tilesX),
            x: tile * (column % tilesX), rank: rank)
    }
}

/// A tile's first output voxel.
struct Origin {
    let sample: Int
    let z: Int
    let y: Int
    let x: Int
    /// Where the tile stands in its column.
    let rank: Int
}
