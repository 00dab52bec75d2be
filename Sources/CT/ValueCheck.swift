import Basics
import FileIO

/// The check of the values of a scan and its lung mask, beyond types and sizes: that the voxels can be HU, and that the
/// mask marks lungs.
///
/// Wrong values end in false findings or in none, without an error anywhere. The thresholds are so far from what
/// scanners measure that no scan of a chest reaches them, however it was padded, smoothed or filtered, and whatever
/// implants are in it.
enum ValueCheck {
    /// The values of air and of lungs with air in them, HU. Air is at −1000 by the unit's definition, lungs are at
    /// −950 … −500; below are only noise, which at the lowest doses is some tens of HU, and padding. Every scan of a
    /// chest has such voxels.
    static let air: ClosedRange<Float> = -1100 ... -500
    /// The part of the marked voxels, one in so many, that is at least in `air`: a tenth of this is still far from the
    /// most consolidated lungs, and a mask of other organs or of another scan's place has none.
    static let airyPart = 100
    /// The volume of both lungs, ml: a newborn's hold about 100 ml, and no grown-up's more than 10 litres of air and
    /// one of tissue.
    static let lungVolume = 100.0...12_000

    /// Checks that a scan's values can be HU.
    ///
    /// - Throws: `InputError` that says what they are instead.
    static func check<Voxel: VoxelScalar>(_ scan: Volume<Voxel>, source: String) throws {
        var (least, most) = (Float.infinity, -Float.infinity)
        var hasAir = false
        for voxel in scan.voxels {
            let value = voxel.clamped(to: Float.self)
            least = min(least, value)
            most = max(most, value)
            hasAir = hasAir || air.contains(value)
        }
        if hasAir { return }
        let range = "they are \(text(least)) to \(text(most))"
        let absence =
            least > air.upperBound
            ? "no voxel below \(text(air.upperBound)) HU"
            : "no voxel between \(text(air.lowerBound)) and \(text(air.upperBound)) HU"
        throw InputError(
            source, "\(absence), as air and lungs have: the values are no HU of a chest, \(range)",
            remedy: remedy(least: least, most: most))
    }

    private static func remedy(least: Float, most: Float) -> String {
        if most - least <= 10 { return "give the scan as it was before its values were scaled" }
        if least >= 0, most <= 255 { return "give the scan in HU, not a picture of it" }
        if least >= -200, most >= 1000 { return "take off what was added to HU, mostly 1024" }
        return "give the scan in HU"
    }

    /// Checks that a mask marks lungs in its scan.
    ///
    /// - Parameters:
    ///   - scan: HU.
    ///   - mask: A mask of the same extent.
    ///   - source: The mask's file, for messages; empty where luna made it.
    /// - Returns: What a person should know of the lungs, a sentence each.
    /// - Throws: `InputError` where nothing is marked, or what is marked has no air.
    static func check<Voxel: VoxelScalar>(
        _ scan: Volume<Voxel>, mask: Volume<UInt8>, source: String
    ) throws -> [String] {
        var (count, airy, sum) = (0, 0, 0.0)
        for (label, voxel) in zip(mask.voxels, scan.voxels) where LungMask.labels.contains(label) {
            let value = voxel.clamped(to: Float.self)
            count += 1
            sum += Double(value)
            if air.contains(value) { airy += 1 }
        }
        // LungMask refuses a mask without lungs.
        guard count > 0 else { return [] }
        guard airy * airyPart >= count else {
            throw InputError(
                source,
                "of the \(count) voxels with label 3 or 4, \(airy) are between \(text(air.lowerBound)) and "
                    + "\(text(air.upperBound)) HU, and their mean is \(text(Float(sum / Double(count)))) HU: these are "
                    + "no lungs",
                remedy: "use the lung mask that was made of this scan, with the labels 3 and 4 for the lungs")
        }
        let volume = Double(count) * scan.geometry.spacing.product / 1000
        guard !lungVolume.contains(volume) else { return [] }
        return [
            "the lungs hold \(text(Float(volume))) ml, expected \(Int(lungVolume.lowerBound)) to "
                + "\(Int(lungVolume.upperBound)): look at the mask and at the spacing"
        ]
    }

    /// Writes a number with two decimals at most.
    private static func text(_ value: Float) -> String {
        let rounded = (Double(value) * 100).rounded() / 100
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}
