import Basics
import FileIO

/// The part of a lung mask that preprocessing needs: where the lungs are, and the dilated hull around them.
struct LungMask {
    /// The labels of the two lungs in LUNA16's masks.
    static let labels: [UInt8] = [3, 4]

    /// The least index of both lungs' bounding box, in voxels of the upright scan; both of its ends are inclusive.
    let low: ZYX<Int>
    let high: ZYX<Int>
    /// The place of the first voxel of `region` in the upright scan.
    let regionStart: ZYX<Int>
    /// The union of both lungs' hulls after dilation; nothing is set beyond it.
    let region: BitVolume

    static let dilationSteps = 10
    private static let hullAreaLimit = 1.5

    /// Finds the lungs in a mask.
    ///
    /// - Parameters:
    ///   - mask: The voxels as the file has them.
    ///   - flipped: Whether y and x are to be reversed.
    ///   - seriesUID: The scan's name, for messages.
    /// - Throws: `InputError` where no voxel has a lung's label.
    init(_ mask: Volume<UInt8>, flipped: Bool, seriesUID: String) throws {
        let extent = mask.extent
        var outlines = [Outline](repeating: Outline(rows: extent.y), count: 2 * extent.z)
        mask.voxels.withUnsafeBufferPointer { voxels in
            for z in 0..<extent.z {
                for y in 0..<extent.y {
                    let start = (z * extent.y + (flipped ? extent.y - 1 - y : y)) * extent.x
                    let row = UnsafeBufferPointer(rebasing: voxels[start..<start + extent.x])
                    for (lung, label) in Self.labels.enumerated() {
                        outlines[2 * z + lung].add(row, label: label, y: y, flipped: flipped)
                    }
                }
            }
        }
        var box: (low: ZYX<Int>, high: ZYX<Int>)?
        for z in 0..<extent.z {
            for outline in outlines[2 * z..<2 * z + 2] {
                guard let (y, x) = outline.box else { continue }
                let old = box ?? (ZYX(z, y.lowerBound, x.lowerBound), ZYX(z, y.upperBound, x.upperBound))
                box = (
                    old.low.zip(ZYX(z, y.lowerBound, x.lowerBound), min),
                    old.high.zip(ZYX(z, y.upperBound, x.upperBound), max)
                )
            }
        }
        guard let box else {
            throw InputError(
                mask.source.isEmpty ? seriesUID : mask.source,
                "the lung mask of \(seriesUID) is empty: no voxel has label 3 or 4",
                remedy: "segment the lungs anew (left 3, right 4), or leave the scan out")
        }
        (low, high) = box
        let start = low.map { max(0, $0 - Self.dilationSteps) }
        let end = high.zip(extent) { min($1, $0 + Self.dilationSteps + 1) }
        var region = BitVolume(extent: end - start)
        for z in low.z...high.z {
            for (lung, outline) in outlines[2 * z..<2 * z + 2].enumerated() where outline.area > 0 {
                let hull = ConvexHull.spans(of: outline.spans)
                let hullArea = hull.reduce(0) { $0 + ($1?.count ?? 0) }
                if Double(hullArea) <= Self.hullAreaLimit * Double(outline.area) {
                    for (y, span) in hull.enumerated() {
                        guard let span else { continue }
                        region.set(
                            z: z - start.z, y: y - start.y, span.lowerBound - start.x..<span.upperBound + 1 - start.x)
                    }
                    continue
                }
                for (y, span) in outline.spans.enumerated() {
                    guard let span else { continue }
                    let row = (z * extent.y + (flipped ? extent.y - 1 - y : y)) * extent.x
                    for x in span
                    where mask.voxels[row + (flipped ? extent.x - 1 - x : x)] == Self.labels[lung] {
                        region.set(z: z - start.z, y: y - start.y, x - start.x..<x + 1 - start.x)
                    }
                }
            }
        }
        region.dilate(steps: Self.dilationSteps)
        self.region = region
        regionStart = start
    }

    /// The outline of one lung in one slice: the columns that each row spans, and the pixels.
    private struct Outline {
        var spans: ConvexHull.Spans
        var area = 0

        init(rows: Int) { spans = Array(repeating: nil, count: rows) }

        mutating func add(_ row: UnsafeBufferPointer<UInt8>, label: UInt8, y: Int, flipped: Bool) {
            var count = 0
            for value in row { count &+= value == label ? 1 : 0 }
            guard count > 0 else { return }
            area += count
            var (first, last) = (0, row.count - 1)
            while row[first] != label { first += 1 }
            while row[last] != label { last -= 1 }
            spans[y] = flipped ? row.count - 1 - last...row.count - 1 - first : first...last
        }

        var box: (y: ClosedRange<Int>, x: ClosedRange<Int>)? {
            guard let top = spans.firstIndex(where: { $0 != nil }), let bottom = spans.lastIndex(where: { $0 != nil })
            else { return nil }
            let rows = spans.lazy.compactMap(\.self)
            let left = rows.map(\.lowerBound).min() ?? 0
            let right = rows.map(\.upperBound).max() ?? 0
            return (top...bottom, left...right)
        }
    }
}
