import FileIO

/// Volumes in MetaImage files: `.mhd` with `.raw` or `.zraw` beside it, and `.mha`.
public enum MetaImage {
    /// Reads a volume, converting its elements to `Voxel` where they are of another type: to the nearest value that
    /// `Voxel` holds, not-a-number to 0.
    ///
    /// - Throws: `InputError` naming file, field, what was expected and the remedy; `FileError` where reading fails.
    public static func read<Voxel: VoxelScalar>(_ path: String, as type: Voxel.Type) throws -> Volume<Voxel> {
        try read(MetaImageHeader(path: path), as: type)
    }

    /// Reads the volume of a header already read, converting its elements to `Voxel` where they are of another type.
    ///
    /// - Throws: `InputError` where the data are damaged or cut off; `FileError` where reading fails.
    public static func read<Voxel: VoxelScalar>(
        _ header: MetaImageHeader, as type: Voxel.Type
    ) throws -> Volume<Voxel> {
        Volume(geometry: header.geometry, voxels: try header.storage.voxels(as: type), source: header.path)
    }
}
