import Basics
import CT

/// The facts that a data set knows of one patch, a cube of 1 mm voxels cut from a clean volume, [side, side, side]
/// UInt8.
public struct PatchEntry: Hashable, Sendable {
    /// The two kinds of patches.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A patch around a nodule.
        case nodule
        /// A patch around a position drawn as for a random crop.
        case background
    }

    /// The scan that the patch was cut from.
    public var seriesUID: String
    /// The LUNA16 subset, 0 ..< 10.
    public var fold: Int
    /// The patch's kind.
    public var kind: Kind
    /// The patch's first voxel in the clean volume, (z, y, x); may lie outside of it.
    public var corner: ZYX<Int>
    /// The clean volume's extent in voxels.
    public var volumeExtent: ZYX<Int>
    /// All nodules of the scan that reach into the patch, in clean-volume voxels.
    public var nodules: [Nodule]
    /// The nodule that the patch was cut for, as an index into `nodules`; nil for background.
    public var target: Int?

    /// Creates an entry of its parts.
    public init(
        seriesUID: String, fold: Int, kind: Kind, corner: ZYX<Int>, volumeExtent: ZYX<Int>, nodules: [Nodule],
        target: Int?
    ) {
        self.seriesUID = seriesUID
        self.fold = fold
        self.kind = kind
        self.corner = corner
        self.volumeExtent = volumeExtent
        self.nodules = nodules
        self.target = target
    }
}

/// A source of patches: the shards of a data set, or memory.
public protocol PatchSource: Sendable {
    /// All patches, in a fixed order.
    var patches: [PatchEntry] { get }
    /// The patches' extent along each axis, in voxels.
    var patchSide: Int { get }
    /// The voxels of patch `index`, [side, side, side]. May be called from several threads.
    ///
    /// - Throws: `InputError` where they cannot be read, or are damaged.
    func voxels(_ index: Int) throws -> [UInt8]
}
