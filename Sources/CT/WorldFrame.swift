import Basics

/// The way from the voxels of a clean volume back to world millimetres, exactly.
///
/// The forward way is the recipe's: voxel = |world − origin| / spacing, reversed in y and x where the scan is flipped,
/// times spacing, minus the crop's start. The absolute value is written with the axis' sign here: for every point of
/// the scan it is the same number, and a point on the far side of the origin is not mirrored into the volume.
public struct WorldFrame: Hashable, Sendable {
    /// The world position of the scan's first voxel as its header has it (`Offset`), mm.
    public var origin: ZYX<Double>
    /// The distance of the raw scan's voxels, mm.
    public var spacing: ZYX<Double>
    /// The direction of each axis: +1 where the raw voxel index runs with the world's, −1 where against it.
    public var direction: ZYX<Int>
    /// The number of voxels of the raw scan.
    public var scanExtent: ZYX<Int>
    /// The first voxel of the clean volume in the whole scan resampled to 1 mm.
    public var cropStart: ZYX<Int>

    /// Makes a frame from its parts.
    ///
    /// - Precondition: `direction` holds +1 and −1 only.
    public init(
        origin: ZYX<Double>, spacing: ZYX<Double>, direction: ZYX<Int>, scanExtent: ZYX<Int>, cropStart: ZYX<Int>
    ) {
        precondition(direction.array.allSatisfy { abs($0) == 1 }, "an axis' direction is +1 or -1, not \(direction)")
        self.origin = origin
        self.spacing = spacing
        self.direction = direction
        self.scanExtent = scanExtent
        self.cropStart = cropStart
    }

    /// Makes the frame of a scan whose orientation is LUNA16's upright one, or the one turned about z (`flipped`: x and
    /// y run against the world).
    public init(
        origin: ZYX<Double>, spacing: ZYX<Double>, flipped: Bool, scanExtent: ZYX<Int>, cropStart: ZYX<Int>
    ) {
        self.init(
            origin: origin, spacing: spacing, direction: flipped ? ZYX(1, -1, -1) : ZYX(1, 1, 1),
            scanExtent: scanExtent, cropStart: cropStart)
    }

    /// Whether y and x of the scan were reversed on the way to the clean volume.
    public var flipped: Bool { direction != ZYX(1, 1, 1) }

    /// Returns the clean-volume voxel, with fractions, at a world point.
    public func cleanVoxel(_ point: WorldPoint) -> ZYX<Double> {
        let offset = ZYX(point.z, point.y, point.x) - origin
        var voxel = ZYX(
            offset.z * Double(direction.z) / spacing.z, offset.y * Double(direction.y) / spacing.y,
            offset.x * Double(direction.x) / spacing.x)
        if flipped {
            voxel.y = Double(scanExtent.y) - voxel.y
            voxel.x = Double(scanExtent.x) - voxel.x
        }
        return voxel * spacing - cropStart.map(Double.init)
    }

    /// Returns the world point of a clean-volume voxel; undoes `cleanVoxel`.
    public func world(_ cleanVoxel: ZYX<Double>) -> WorldPoint {
        let millimetres = cleanVoxel + cropStart.map(Double.init)
        var voxel = millimetres.zip(spacing, /)
        if flipped {
            voxel.y = Double(scanExtent.y) - voxel.y
            voxel.x = Double(scanExtent.x) - voxel.x
        }
        let offset = voxel * spacing * direction.map(Double.init)
        return WorldPoint(x: origin.x + offset.x, y: origin.y + offset.y, z: origin.z + offset.z)
    }
}

extension WorldFrame: Codable {
    private enum CodingKeys: String, CodingKey { case origin, spacing, direction, scanExtent, cropStart }

    /// Writes every field as an array in (z, y, x) order.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(origin.array, forKey: .origin)
        try container.encode(spacing.array, forKey: .spacing)
        try container.encode(direction.array, forKey: .direction)
        try container.encode(scanExtent.array, forKey: .scanExtent)
        try container.encode(cropStart.array, forKey: .cropStart)
    }

    /// Reads a frame.
    ///
    /// - Throws: `DecodingError` where a field is missing, has not three numbers, or cannot be a scan's.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func axes<Scalar: Decodable & Hashable & Sendable>(
            _ key: CodingKeys, where isValid: (Scalar) -> Bool
        ) throws -> ZYX<Scalar> {
            let values = try container.decode([Scalar].self, forKey: key)
            guard values.count == 3, values.allSatisfy(isValid) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "\(values) are not three valid numbers (z, y, x)")
            }
            return ZYX(values[0], values[1], values[2])
        }
        self.init(
            origin: try axes(.origin) { (value: Double) in value.isFinite },
            spacing: try axes(.spacing) { (value: Double) in value.isFinite && value > 0 },
            direction: try axes(.direction) { (value: Int) in value == 1 || value == -1 },
            scanExtent: try axes(.scanExtent) { (value: Int) in value > 0 },
            cropStart: try axes(.cropStart) { (value: Int) in value >= 0 })
    }
}
