import Basics
import Inference
import Networks

/// The tiles and the memory of a search, as far as the scans' extents tell before they are read.
struct SearchEstimate {
    /// The number of tiles of all scans, in all views of all networks.
    private(set) var tiles = 0
    /// The number of voxels that the networks compute, as a multiple of the scans'.
    private(set) var work = 0.0
    /// The largest tile of the search that takes most memory, and the bytes that a rank takes for it; nil where no scan
    /// can be cut.
    private(set) var largest: (side: ZYX<Int>, bytes: Int)?

    /// Plans all scans. One that is too large is refused when its turn comes: a scan's lungs take less than the scan.
    init(_ scans: [PendingScan], _ detectors: [ScanDetector]) {
        let open = scans.filter { $0.failure == nil }
        // Planning takes a while, and networks of one architecture have the same plans.
        var plans: [Architecture: [TilePlan]] = [:]
        var (computed, voxels) = (0.0, 0)
        for detector in detectors {
            let own =
                plans[detector.architecture] ?? open.compactMap { try? detector.plan($0.extent) }
            plans[detector.architecture] = own
            for plan in own {
                tiles += plan.tiles.count * detector.viewCount
                computed += plan.work * Double(plan.extent.product * detector.viewCount)
                let bytes = detector.memory(plan)
                if bytes > largest?.bytes ?? 0 { largest = (plan.largestTile, bytes) }
            }
            voxels = max(voxels, own.reduce(0) { $0 + $1.extent.product })
        }
        work = computed / Double(max(1, voxels))
    }
}
