import Basics
import CT
import Detection
import Evaluation
import FileIO
import Networks

/// A search for nodules in whole clean volumes.
public struct ScanDetector {
    /// The way a volume is cut into tiles.
    public enum Tiling: Hashable, Sendable {
        /// The tiles of `TilePlan.recipe`.
        case recipe
        /// The tiles of `TilePlan.planned` that fit into so many bytes.
        case planned(bytes: Int)

        /// The memory in bytes that tiles are planned for where nothing else is said: 3 GiB.
        public static let defaultBytes = 3 << 30
    }

    /// The recipe, which says what the network's output means.
    public let recipe: any Recipe
    /// The way volumes are cut.
    public var tiling = Tiling.planned(bytes: Tiling.defaultBytes)
    /// Whether findings are moved to the mean of the boxes that mean the same.
    public var voting = false
    /// The bytes that other networks' weights take meanwhile.
    public var otherBytes = 0
    /// The network that is searched with.
    public let architecture: Architecture
    /// The network, or views of it that each have their findings: [1, 1, D, H, W] and [1, 3, D/4, H/4, W/4] to
    /// [1, D/4, H/4, W/4, anchors, components].
    private let views: [Mirrors.Network]
    /// The bytes that the network takes for a tile, approximately.
    private let evaluationBytes: (ZYX<Int>) -> Int

    /// Creates a detector.
    ///
    /// - Parameters:
    ///   - recipe: Says what the network's output means.
    ///   - architecture: Tells how much memory the network takes.
    ///   - network: Computes the network's output.
    public init(
        recipe: any Recipe, _ architecture: Architecture = .standard,
        network: @escaping (_ input: Tensor, _ coord: Tensor) throws -> Tensor
    ) { self.init(recipe: recipe, architecture, views: [network]) }

    /// Creates a detector whose network looks at each volume in several ways, with findings of their own.
    ///
    /// - Parameters:
    ///   - recipe: Says what the network's output means.
    ///   - architecture: Tells how much memory the network takes.
    ///   - views: Compute the network's output, as `Mirrors.views` do; at least one.
    public init(recipe: any Recipe, _ architecture: Architecture = .standard, views: [Mirrors.Network]) {
        precondition(!views.isEmpty, "a detector without a network")
        self.recipe = recipe
        self.architecture = architecture
        self.views = views
        evaluationBytes = MemoryPlan(architecture).evaluation
    }

    /// The number of the network's views.
    public var viewCount: Int { views.count }

    /// The tiles of a volume.
    ///
    /// - Throws: `UsageError` where even the smallest tiles need more memory than is allowed.
    public func plan(_ extent: ZYX<Int>) throws -> TilePlan {
        guard case .planned(let bytes) = tiling else { return .recipe(extent) }
        var need = Int.max
        let plan = TilePlan.planned(extent) { tile in
            let bytesOfTile = memory(extent, tile: tile)
            need = min(need, bytesOfTile)
            return bytesOfTile <= bytes
        }
        if let plan { return plan }
        throw UsageError(
            "a volume of \(extent.z) x \(extent.y) x \(extent.x) voxels needs at least \(need >> 20 + 1) MiB, "
                + "\(bytes >> 20) MiB are allowed: raise --memory, or evaluate_memory_mib in training")
    }

    /// The bytes that a plan takes, approximately.
    public func memory(_ plan: TilePlan) -> Int { memory(plan.extent, tile: plan.largestTile) }

    /// The bytes of the program with its weights, of other networks' weights, of what the network makes of a tile, of
    /// the tile itself and its output, of the volume, and of the output for all of it.
    private func memory(_ extent: ZYX<Int>, tile: ZYX<Int>) -> Int {
        64 << 20 + otherBytes + evaluationBytes(tile) + 6 * tile.product + 2 * extent.product
    }

    /// The network's output for every cell of a volume, in its first view: d·h·w·anchors·components values.
    ///
    /// - Parameter progress: Called after each tile with how many of how many are done.
    /// - Throws: As `plan`, `ScoresNotFinite`, and what the network throws.
    public func output(
        _ volume: CleanVolume, progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> (values: [Float], grid: ZYX<Int>) {
        let plan = try plan(volume.extent)
        return (try output(volume, plan, progress: progress), plan.grid)
    }

    func output(
        _ volume: CleanVolume, _ plan: TilePlan, view: Int = 0,
        progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> [Float] {
        let grid = plan.grid
        let depth = recipe.anchorsPerCell * recipe.components
        var values = [Float](repeating: 0, count: grid.product * depth)
        for (index, tile) in plan.tiles.enumerated() {
            let seen = TileView(tile, of: volume, plan.surroundings)
            let result = try views[view](seen.input, seen.coord)
            let cells = tile.window.map { $0.count / Grid.stride }
            let first = tile.window.map { $0.lowerBound / Grid.stride }
            for z in tile.core.z {
                for y in tile.core.y {
                    let source = ((z - first.z) * cells.y + y - first.y) * cells.x + tile.core.x.lowerBound - first.x
                    let target = (z * grid.y + y) * grid.x + tile.core.x.lowerBound
                    let count = tile.core.x.count * depth
                    values.replaceSubrange(
                        target * depth..<target * depth + count,
                        with: result.values[source * depth..<source * depth + count])
                }
            }
            progress(index + 1, plan.tiles.count)
        }
        // Not-a-number is neither above nor below any threshold: it would pass for "nothing found".
        let strange = values.count { !$0.isFinite }
        guard strange == 0 else {
            throw ScoresNotFinite(seriesUID: volume.seriesUID, strange: strange, count: values.count)
        }
        return values
    }

    /// The findings in a volume, most confident first, in its voxels; those of several views are joined.
    ///
    /// - Throws: As `output`.
    public func detect(
        _ volume: CleanVolume, progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> [ScoredBox] { Decoding.join(try findings(volume, progress: progress)) }

    /// The findings in a volume of each view, most confident first, in its voxels.
    ///
    /// - Parameter progress: Called after each tile with how many of how many are done, in all views.
    /// - Throws: As `output`.
    public func findings(
        _ volume: CleanVolume, progress: (_ done: Int, _ tiles: Int) -> Void = { _, _ in }
    ) throws -> [[ScoredBox]] {
        let plan = try plan(volume.extent)
        return try views.indices.map { view in
            let values = try output(volume, plan, view: view) { done, tiles in
                progress(view * tiles + done, views.count * tiles)
            }
            let boxes = recipe.boxes(values, grid: plan.grid)
            let findings = Decoding.suppress(boxes)
            return voting ? Decoding.vote(findings, among: boxes) : findings
        }
    }

    /// The findings of a volume as candidates in world millimetres.
    public static func candidates(_ boxes: [ScoredBox], in volume: CleanVolume) -> [Candidate] {
        boxes.map { scored in
            let point = volume.frame.world(scored.box.center)
            return Candidate(
                seriesUID: volume.seriesUID, x: point.x, y: point.y, z: point.z, probability: scored.probability,
                diameter: scored.box.diameter)
        }
    }
}

/// An error where the network's answer to a scan cannot be read, though its weights are finite: they have diverged.
public struct ScoresNotFinite: Error, Hashable, CustomStringConvertible {
    /// The scan's series.
    public var seriesUID: String
    /// The number of elements of the answer that are not finite.
    public var strange: Int
    /// The number of all its elements.
    public var count: Int

    public var description: String {
        "\(seriesUID): tensor output: \(strange) of \(count) numbers are not finite: the weights have diverged; take "
            + "those of an earlier checkpoint"
    }
}
