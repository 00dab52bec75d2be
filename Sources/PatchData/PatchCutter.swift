import Basics
import CT

/// The choice of a scan's patches, and their cutting: one around every nodule, some around positions drawn as for
/// random crops. The choice depends on the seed and the scan's name alone.
struct PatchCutter: Sendable {
    /// The number of voxels along each axis of a crop at scale 1.
    let cropSize: Int
    /// The number of voxels along each axis of a patch.
    let side: Int
    let backgroundPatches: Int
    let seed: UInt64

    /// The extent of patches that hold a crop scaled by 0.75 and moved by up to `jitter` voxels.
    static func side(cropSize: Int, jitter: Int) -> Int { (cropSize * 4 + 2) / 3 + 2 * jitter }

    func entries(
        seriesUID: String, fold: Int, extent: ZYX<Int>, nodules: [Nodule]
    ) -> [PatchEntry] {
        var entries: [PatchEntry] = []
        func add(_ kind: PatchEntry.Kind, center: ZYX<Int>, of nodule: Int?) {
            let corner = center.map { $0 - side / 2 }
            let reaching = nodules.indices.filter { reaches(nodules[$0], corner) }
            entries.append(
                PatchEntry(
                    seriesUID: seriesUID, fold: fold, kind: kind, corner: corner, volumeExtent: extent,
                    nodules: reaching.map { nodules[$0] }, target: nodule.flatMap { reaching.firstIndex(of: $0) }))
        }
        for (index, nodule) in nodules.enumerated() {
            add(.nodule, center: nodule.center.map { Int($0.rounded()) }, of: index)
        }
        for index in 0..<backgroundPatches {
            var generator = CounterGenerator(
                seed: seed, purpose: "background patches", Self.hash(seriesUID), UInt64(index))
            add(
                .background,
                center: extent.map {
                    generator.integer(
                        in: CropGeometry.centers(
                            extent: $0, size: cropSize, bound: CropGeometry.bound(cropSize: cropSize)))
                }, of: nil)
        }
        return entries
    }

    private func reaches(_ nodule: Nodule, _ corner: ZYX<Int>) -> Bool {
        (0..<3).allSatisfy { axis in
            nodule.center[axis] + nodule.diameter / 2 > Double(corner[axis]) - 0.5
                && nodule.center[axis] - nodule.diameter / 2 < Double(corner[axis] + side) - 0.5
        }
    }

    /// The FNV-1a hash of a text: the same on every machine, unlike the standard library's.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// The patch's voxels [side, side, side]; places outside the volume are `CleanVolume.padding`.
    func cut(_ volume: CleanVolume, corner: ZYX<Int>) -> [UInt8] {
        var patch = [UInt8](repeating: CleanVolume.padding, count: side * side * side)
        let first = corner.map { max(0, $0) }
        let last = volume.extent.zip(corner) { min($0, $1 + side) }
        guard first.z < last.z, first.y < last.y, first.x < last.x else { return patch }
        let width = last.x - first.x
        patch.withUnsafeMutableBytes { patch in
            volume.voxels.withUnsafeBytes { voxels in
                for z in first.z..<last.z {
                    for y in first.y..<last.y {
                        let source = (z * volume.extent.y + y) * volume.extent.x + first.x
                        let target = ((z - corner.z) * side + y - corner.y) * side + first.x - corner.x
                        patch[target..<target + width].copyBytes(from: voxels[source..<source + width])
                    }
                }
            }
        }
        return patch
    }
}
