import Basics

/// A number that a voxel can be: one of MetaImage's element types.
public protocol VoxelScalar: Hashable, Sendable, BitwiseCopyable {
    /// Makes the nearest representable value; not-a-number becomes 0.
    init(clampingVoxel value: Double)
    /// Makes the nearest representable value.
    init(clampingVoxel value: some BinaryInteger)
    /// Returns the nearest value that `Target` holds.
    func clamped<Target: VoxelScalar>(to: Target.Type) -> Target
    /// The value with its bytes in the opposite order.
    var byteSwappedVoxel: Self { get }
}

extension VoxelScalar where Self: FixedWidthInteger {
    @inlinable public init(clampingVoxel value: Double) {
        let rounded = value.rounded()
        // The bounds as doubles may lie one beyond what the integer holds: equal is out, too.
        if rounded >= Double(Self.max) {
            self = .max
        } else if rounded <= Double(Self.min) {
            self = .min
        } else {
            self = rounded.isNaN ? 0 : Self(rounded)
        }
    }
    @inlinable public init(clampingVoxel value: some BinaryInteger) { self.init(clamping: value) }
    @inlinable public func clamped<Target: VoxelScalar>(to: Target.Type) -> Target { Target(clampingVoxel: self) }
    @inlinable public var byteSwappedVoxel: Self { byteSwapped }
}

extension Int8: VoxelScalar {}
extension UInt8: VoxelScalar {}
extension Int16: VoxelScalar {}
extension UInt16: VoxelScalar {}
extension Int32: VoxelScalar {}
extension UInt32: VoxelScalar {}
extension Int64: VoxelScalar {}
extension UInt64: VoxelScalar {}

extension Float: VoxelScalar {
    @inlinable public init(clampingVoxel value: Double) { self = value.isNaN ? 0 : Float(value) }
    @inlinable public init(clampingVoxel value: some BinaryInteger) { self.init(value) }
    @inlinable public func clamped<Target: VoxelScalar>(to: Target.Type) -> Target {
        Target(clampingVoxel: Double(self))
    }
    @inlinable public var byteSwappedVoxel: Self { Float(bitPattern: bitPattern.byteSwapped) }
}

extension Double: VoxelScalar {
    @inlinable public init(clampingVoxel value: Double) { self = value.isNaN ? 0 : value }
    @inlinable public init(clampingVoxel value: some BinaryInteger) { self.init(value) }
    @inlinable public func clamped<Target: VoxelScalar>(to: Target.Type) -> Target { Target(clampingVoxel: self) }
    @inlinable public var byteSwappedVoxel: Self { Double(bitPattern: bitPattern.byteSwapped) }
}

/// The place of a volume's voxels in the world.
public struct VolumeGeometry: Hashable, Sendable {
    /// The number of voxels along each axis, at least 1.
    public var extent: ZYX<Int>
    /// The distance between voxel centres along each axis, mm, positive.
    public var spacing: ZYX<Double>
    /// The first voxel's centre in the world, mm.
    public var origin: ZYX<Double>
    /// The nine numbers of MetaImage's `TransformMatrix`, in the file's (x, y, z) order: the unit vectors along which
    /// the index of x, of y and of z grow.
    public var orientation: [Double]

    /// The orientation in which indices grow with the world's axes.
    public static let upright: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    /// The orientation of LUNA16's flipped scans: turned by half a turn about z.
    public static let turned: [Double] = [-1, 0, 0, 0, -1, 0, 0, 0, 1]

    /// Makes a geometry from its parts.
    ///
    /// - Precondition: Extents and spacings are positive and `orientation` has nine numbers.
    public init(
        extent: ZYX<Int>, spacing: ZYX<Double>, origin: ZYX<Double> = ZYX(0, 0, 0),
        orientation: [Double] = VolumeGeometry.upright
    ) {
        precondition(extent.array.allSatisfy { $0 > 0 }, "a volume's extent \(extent) is not positive")
        precondition(spacing.array.allSatisfy { $0 > 0 }, "a volume's spacing \(spacing) is not positive")
        precondition(orientation.count == 9, "an orientation has 9 numbers, not \(orientation.count)")
        self.extent = extent
        self.spacing = spacing
        self.origin = origin
        self.orientation = orientation
    }

    /// The direction of each axis, +1 or −1, where the rounded orientation is such a diagonal; nil where the axes are
    /// oblique or permuted.
    public var axisSigns: ZYX<Int>? {
        let rounded = orientation.map { $0.rounded() }
        for index in 0..<9 {
            guard abs(rounded[index]) == (index % 4 == 0 ? 1 : 0) else { return nil }
        }
        return ZYX(Int(rounded[8]), Int(rounded[4]), Int(rounded[0]))
    }
}

/// A volume: voxels and their place in the world.
public struct Volume<Voxel: VoxelScalar>: Sendable {
    /// The place of the voxels.
    public var geometry: VolumeGeometry
    /// The values, `[z, y, x]`, x fastest.
    public var voxels: [Voxel]
    /// The file that the volume came from, for messages; empty where there was none.
    public var source: String

    /// Makes a volume from its parts.
    ///
    /// - Precondition: `voxels` fill the extent of `geometry`.
    public init(geometry: VolumeGeometry, voxels: [Voxel], source: String = "") {
        precondition(
            voxels.count == geometry.extent.product, "\(voxels.count) voxels do not fill \(geometry.extent)")
        self.geometry = geometry
        self.voxels = voxels
        self.source = source
    }

    /// The number of voxels along each axis.
    public var extent: ZYX<Int> { geometry.extent }
}

/// A scan's volume, HU: in 16 bits where they hold its voxels, which takes half the memory.
public enum ScanVolume: Sendable {
    /// A volume whose values are whole numbers of 16 bits.
    case short(Volume<Int16>)
    /// A volume with other values.
    case float(Volume<Float>)
}
