// Non-maximum suppression: of boxes that overlap, only the strongest is a finding.
//
// A network that has learnt little calls every cell a finding: a million boxes a scan, of which tens of thousands stay.
// So kept boxes are filed by size and place, and each box is compared with those near it only.

import Basics

extension Decoding {
    /// The overlap (intersection over union) from which on two cubes are one finding.
    public static let suppressionOverlap = 0.1

    /// Keeps each box that overlaps no kept one by `overlap` or more, by descending logit, equal ones in the given
    /// order.
    ///
    /// - Parameters:
    ///   - boxes: Any boxes of one volume.
    ///   - overlap: Intersection over union, above 0.
    /// - Precondition: Centres are within ±10⁶ and diameters within 10⁻³ … 10⁶, as `boxes` has them.
    /// - Complexity: O(n log n) for boxes that are spread out.
    public static func suppress(_ boxes: [ScoredBox], overlap: Double = suppressionOverlap) -> [ScoredBox] {
        survivors(of: boxes, overlap: overlap).map { boxes[$0] }
    }

    /// The places in `boxes` of those that suppression keeps, by descending logit, equal ones in the given order.
    ///
    /// - Parameters:
    ///   - boxes: Any boxes of one volume.
    ///   - overlap: Intersection over union, above 0; below 0.01 the search for neighbours takes long.
    /// - Precondition: As `suppress` has it.
    public static func survivors(of boxes: [ScoredBox], overlap: Double) -> [Int] {
        precondition(overlap > 0, "boxes that overlap by 0 are all boxes")
        let order = boxes.indices.sorted {
            boxes[$0].logit > boxes[$1].logit || boxes[$0].logit == boxes[$1].logit && $0 < $1
        }
        var kept: [Int] = []
        var index = BoxIndex(overlap: overlap)
        for place in order where !index.holds(overlapping: boxes[place].box) {
            kept.append(place)
            index.insert(boxes[place].box)
        }
        return kept
    }
}

/// Boxes filed by octave of their diameter and by place, in cells as wide as the octave's largest.
private struct BoxIndex {
    private struct Cell: Hashable { let octave, z, y, x: Int }

    private let overlap: Double
    /// The number of octaves to search each way: cubes overlap by `overlap` only where the smaller one's volume is at
    /// least that part of the larger one's.
    private let octaves: Int
    private var cells: [Cell: [Box]] = [:]
    /// The octaves of the smallest and the largest box.
    private var (lowest, highest) = (Int.max, Int.min)

    init(overlap: Double) {
        self.overlap = overlap
        octaves = Int((-Elementary.log(min(1, overlap)) / 3 / Elementary.log(2)).rounded(.up))
    }

    mutating func insert(_ box: Box) {
        let octave = Self.octave(box)
        (lowest, highest) = (min(lowest, octave), max(highest, octave))
        let place = box.center.map { Self.cell($0, octave) }
        cells[Cell(octave: octave, z: place.z, y: place.y, x: place.x), default: []].append(box)
    }

    /// Whether a box in the index overlaps this one by `overlap` or more.
    func holds(overlapping box: Box) -> Bool {
        let own = Self.octave(box)
        for octave in stride(from: max(own - octaves, lowest), through: min(own + octaves, highest), by: 1) {
            // Further away than half of both edges they cannot touch.
            let reach = (box.diameter + Self.width(octave)) / 2
            let low = box.center.map { Self.cell($0 - reach, octave) }
            let high = box.center.map { Self.cell($0 + reach, octave) }
            for z in low.z...high.z {
                for y in low.y...high.y {
                    for x in low.x...high.x {
                        if let near = cells[Cell(octave: octave, z: z, y: y, x: x)],
                            near.contains(where: { $0.overlap(box) >= overlap })
                        {
                            return true
                        }
                    }
                }
            }
        }
        return false
    }

    private static func octave(_ box: Box) -> Int { Int(box.diameter.exponent) }

    /// The width of an octave's cells: above the diameter of every box of the octave.
    private static func width(_ octave: Int) -> Double { Double(sign: .plus, exponent: octave + 1, significand: 1) }

    private static func cell(_ coordinate: Double, _ octave: Int) -> Int {
        Int((coordinate / width(octave)).rounded(.down))
    }
}
