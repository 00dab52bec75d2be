import Basics
import CT
import FileIO
import Foundation

/// A nodule as one reader outlined it, filled in the scan's voxels.
///
/// An outline runs through the voxels just outside of the nodule, so what counts are those within; an outline that has
/// none within counts itself.
struct OutlinedNodule {
    /// The fraction of a slice by which an outline may miss one.
    private static let tolerance = 0.25

    /// The middle of the voxels, and the diameter of the sphere of their volume V: (6 V / π)^(1/3).
    let annotation: NoduleAnnotation

    /// Fills outlines.
    ///
    /// - Throws: `InputError` where an outline is not within the scan, or nothing is left of the nodule.
    init(_ nodule: LIDCReading.Nodule, _ frame: ScanFrame, source: String) throws {
        guard frame.keepsColumnsAndRows, frame.geometry.axisSigns != nil else {
            throw InputError(
                source,
                "outlines are in columns and rows of the scanner's images, and \(frame.source) does not tell which "
                    + "those are", remedy: "give the scan as DICOM, or as MetaImage or NRRD with upright slices")
        }
        let geometry = frame.geometry
        var slices: [Int: Set<ZYX<Int>>] = [:]
        for outline in nodule.outlines where outline.isIncluded {
            let (slice, edge) = try Self.place(outline, frame, source)
            let inside = Self.inside(edge, slice)
            slices[slice, default: []].formUnion(inside.isEmpty ? Set(edge) : inside)
        }
        for outline in nodule.outlines where !outline.isIncluded {
            let (slice, edge) = try Self.place(outline, frame, source)
            slices[slice]?.subtract(Self.inside(edge, slice))
        }
        let voxels = slices.values.reduce(0) { $0 + $1.count }
        guard voxels > 0 else {
            throw InputError(
                source, at: "line \(nodule.line)", "a nodule of which its holes leave nothing",
                remedy: "take it out of the file")
        }
        let sum = slices.values.joined().reduce(ZYX(0, 0, 0), +)
        let volume = Double(voxels) * geometry.spacing.product
        annotation = NoduleAnnotation(
            center: geometry.world(sum.map { Double($0) / Double(voxels) }), diameter: cbrt(6 * volume / .pi))
    }

    /// Finds an outline's slice, and the voxels that it runs through.
    private static func place(
        _ outline: LIDCReading.Outline, _ frame: ScanFrame, _ source: String
    ) throws -> (slice: Int, edge: [ZYX<Int>]) {
        let geometry = frame.geometry
        let sign = Double(geometry.axisSigns?.z ?? 1)
        let place = (outline.z - geometry.origin.z) / (geometry.spacing.z * sign)
        let nearest = place.rounded()
        guard abs(place - nearest) <= tolerance, nearest >= 0, nearest < Double(geometry.extent.z) else {
            throw InputError(
                source, at: "line \(outline.line)",
                "an outline at z \(outline.z) mm, where \(frame.source) has no slice",
                remedy: "give the series that the readings are of")
        }
        let slice = Int(nearest)
        for point in outline.points where point.x >= geometry.extent.x || point.y >= geometry.extent.y {
            throw InputError(
                source, at: "line \(outline.line)",
                "an outline through column \(point.x) and row \(point.y) of \(frame.source), which has "
                    + "\(geometry.extent.x) columns and \(geometry.extent.y) rows",
                remedy: "give the series that the readings are of")
        }
        var edge: [ZYX<Int>] = []
        for (index, point) in outline.points.enumerated() {
            let next = outline.points[(index + 1) % outline.points.count]
            let (dx, dy) = (next.x - point.x, next.y - point.y)
            let steps = max(1, Self.divisor(abs(dx), abs(dy)))
            for step in 0..<steps { edge.append(ZYX(slice, point.y + dy / steps * step, point.x + dx / steps * step)) }
        }
        return (slice, edge)
    }

    private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }

    /// The voxels within a closed line through voxels, those on it not counted: of a row, those with an odd number of
    /// crossings before them.
    private static func inside(_ edge: [ZYX<Int>], _ slice: Int) -> Set<ZYX<Int>> {
        var crossings: [Int: [Double]] = [:]
        for (index, point) in edge.enumerated() {
            let next = edge[(index + 1) % edge.count]
            let (low, high) = point.y < next.y ? (point, next) : (next, point)
            for row in low.y..<high.y {
                let part = Double(row - low.y) / Double(high.y - low.y)
                crossings[row, default: []].append(Double(low.x) + part * Double(high.x - low.x))
            }
        }
        var inside: Set<ZYX<Int>> = []
        for (row, places) in crossings {
            let sorted = places.sorted()
            for pair in stride(from: 0, to: sorted.count - 1, by: 2) {
                let (first, last) = (Int(sorted[pair].rounded(.up)), Int(sorted[pair + 1].rounded(.down)))
                if first <= last { for column in first...last { inside.insert(ZYX(slice, row, column)) } }
            }
        }
        return inside.subtracting(edge)
    }
}
