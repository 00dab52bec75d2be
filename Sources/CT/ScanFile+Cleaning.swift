import Basics
import FileIO

/// The way of scans and masks of all formats to preprocessing, which reverses y and x of LUNA16's turned scans itself.
extension ScanFile {
    /// The directions (+1 or −1 by axis) in which preprocessing takes this scan's voxels: a MetaImage scan along the
    /// axes, as LUNA16's are, in its own, so that the recipe's flips apply; any other scan in the world's.
    var cleaningDirection: ZYX<Int> { (format == .metaImage ? geometry.axisSigns : nil) ?? ZYX(1, 1, 1) }

    /// Whether the voxels run in the directions given already. A MetaImage's axes are rounded, as the recipe has it.
    func runs(along direction: ZYX<Int>) -> Bool {
        format == .metaImage && geometry.axisSigns == direction
    }

    /// Returns the geometry that `read(as:along:)` gives.
    ///
    /// - Throws: `InputError` where the axes are oblique.
    func geometry(along direction: ZYX<Int>) throws -> VolumeGeometry {
        runs(along: direction) ? geometry : try geometry.reoriented(to: direction, source: path)
    }

    /// Reads the voxels and reorients them.
    ///
    /// - Throws: `InputError` where the axes are oblique, or the data are damaged or cut off; `FileError` where reading
    ///   fails.
    func read<Voxel: VoxelScalar>(as type: Voxel.Type, along direction: ZYX<Int>) throws -> Volume<Voxel> {
        let volume = try read(as: type)
        return runs(along: direction) ? volume : try volume.reoriented(to: direction)
    }

    /// Checks that a mask covers the same place as its scan. This is not asked of two MetaImage files along the same
    /// axes, as LUNA16's masks are taken by their extents.
    ///
    /// - Throws: `InputError` that names both places.
    func checkPlace(of scan: ScanFile) throws {
        let direction = scan.cleaningDirection
        if runs(along: direction) && scan.runs(along: direction) { return }
        try geometry(along: direction).checkPlace(
            of: scan.geometry(along: direction), source: path, scanSource: scan.path)
    }
}

extension VolumeGeometry {
    /// Checks that this mask covers the same place as a scan along the same axes: spacings to a hundredth, the first
    /// voxel to half a voxel.
    ///
    /// - Throws: `InputError` that names both places.
    func checkPlace(of scan: VolumeGeometry, source: String, scanSource: String) throws {
        for axis in 0..<3 {
            let offset = abs(origin[axis] - scan.origin[axis])
            guard abs(spacing[axis] - scan.spacing[axis]) <= 0.01 * scan.spacing[axis],
                offset <= 0.5 * scan.spacing[axis]
            else {
                func text(_ values: ZYX<Double>) -> String { "\(values.x) \(values.y) \(values.z)" }
                throw InputError(
                    source,
                    "begins at \(text(origin)) with spacing \(text(spacing)) mm, but the scan "
                        + "\(scanSource) at \(text(scan.origin)) with \(text(scan.spacing))",
                    remedy: "use the mask that was made of this scan")
            }
        }
    }
}
