import Basics
import Detection
import PatchData
import Pictures

extension View {
    /// Three slices through a crop's target with what the network finds there: circled green where it is the target,
    /// red where not; the target is yellow, other nodules dashed.
    ///
    /// - Parameter findings: In the crop's voxels.
    public static func predictions(_ findings: [ScoredBox], in crop: SampledCrop) -> Picture {
        let grid = VoxelGrid(cube: crop.voxels, side: crop.side)
        let target = crop.target.map { crop.nodules[$0] }
        let point = target?.center ?? grid.middle
        return slices(of: grid, through: point, crop.nodules, target: crop.target, enlarged: crop.changes.scale) {
            panel in
            for finding in findings.prefix(noduleLimit) {
                let isHit = target.map { finding.box.overlap($0) > Decoding.suppressionOverlap } ?? false
                panel.circle(
                    center: finding.box.center, diameter: finding.box.diameter,
                    isHit ? Marks.hit : Marks.falsePositive, dashed: false)
            }
        }
    }
}
