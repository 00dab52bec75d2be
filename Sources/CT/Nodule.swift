import Basics

/// A nodule in the voxels of the volume that holds it: the clean volume, or a patch or crop cut from it.
public struct Nodule: Hashable, Sendable {
    /// In voxels of its volume; (0, 0, 0) is the middle of the first voxel.
    public var center: ZYX<Double>
    /// In millimetres, which are voxels too in a clean volume.
    public var diameter: Double

    public init(center: ZYX<Double>, diameter: Double) {
        self.center = center
        self.diameter = diameter
    }
}

/// A place in the scanner's coordinates, in millimetres: LUNA16's `coordX`, `coordY`, `coordZ`.
public struct WorldPoint: Hashable, Sendable {
    public var x: Double
    public var y: Double
    public var z: Double

    public init(x: Double, y: Double, z: Double) {
        self.x = x
        self.y = y
        self.z = z
    }
}

/// A nodule as radiologists marked it: one row of `annotations.csv`.
public struct NoduleAnnotation: Hashable, Sendable {
    public var center: WorldPoint
    /// In millimetres.
    public var diameter: Double

    public init(center: WorldPoint, diameter: Double) {
        self.center = center
        self.diameter = diameter
    }
}
