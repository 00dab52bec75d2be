import Basics

/// A nodule in the voxels of the volume that holds it: the clean volume, or a patch or crop cut from it.
public struct Nodule: Hashable, Sendable {
    /// The middle, in voxels of its volume; (0, 0, 0) is the middle of the first voxel.
    public var center: ZYX<Double>
    /// The diameter, mm, which are voxels too in a clean volume.
    public var diameter: Double

    /// Makes a nodule from its place in voxels and its diameter in mm.
    public init(center: ZYX<Double>, diameter: Double) {
        self.center = center
        self.diameter = diameter
    }
}

/// A place in the scanner's coordinates, mm: LUNA16's `coordX`, `coordY`, `coordZ`.
public struct WorldPoint: Hashable, Sendable {
    /// The place along x, mm.
    public var x: Double
    /// The place along y, mm.
    public var y: Double
    /// The place along z, mm.
    public var z: Double

    /// Makes a point from its coordinates, mm.
    public init(x: Double, y: Double, z: Double) {
        self.x = x
        self.y = y
        self.z = z
    }
}

/// A nodule as radiologists marked it: one row of `annotations.csv`.
public struct NoduleAnnotation: Hashable, Sendable {
    /// The middle, world mm.
    public var center: WorldPoint
    /// The diameter, mm.
    public var diameter: Double

    /// Makes an annotation from its place in world mm and its diameter in mm.
    public init(center: WorldPoint, diameter: Double) {
        self.center = center
        self.diameter = diameter
    }
}
