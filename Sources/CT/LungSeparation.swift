import Basics

/// A separation of one set of voxels into two lungs.
///
/// Lungs touch where only the pleura is between them, and the airways join them. Erosion parts them; what is left of
/// each then grows back over the voxels that are nearer to it.
struct LungSeparation {
    /// The largest volume of the larger lung, in volumes of the smaller.
    static let largestRatio = 4.8
    private static let erosionLimit = 22

    let spacing: ZYX<Double>
    /// The middle of the body, voxels along x.
    let middle: Double

    /// One lung or two, the one at lower x first, without the airways between.
    struct Lungs {
        var lower: BitVolume?
        var higher: BitVolume?
    }

    /// The number of steps of erosion and regrowth for one across slices. Both go by pixels; where slices lie farther
    /// apart than pixels, thick slices would be eaten away before the lungs part.
    private var stepsPerSlice: Int {
        let ratio = spacing.z / (spacing.y * spacing.x).squareRoot()
        return Int(max(1, min(64, ratio.rounded())))
    }

    /// Separates the lungs.
    ///
    /// - Parameter voxels: The lungs with the airways; not empty.
    func separate(_ voxels: BitVolume) -> Lungs {
        if let (first, second) = seeds(voxels) {
            let (first, second) = regrow(first, second, within: voxels)
            return ordered(first, second)
        }
        return parted(voxels)
    }

    private func ordered(_ first: BitVolume, _ second: BitVolume) -> Lungs {
        let isOrdered = (first.centroid?.x ?? 0) <= (second.centroid?.x ?? 0)
        return isOrdered ? Lungs(lower: first, higher: second) : Lungs(lower: second, higher: first)
    }

    /// The two largest components after as much erosion as it takes for them to be two lungs; nil where they do not
    /// part.
    private func seeds(_ voxels: BitVolume) -> (BitVolume, BitVolume)? {
        var eroded = voxels
        for step in 0...Self.erosionLimit {
            if step > 0 { eroded.erode(acrossSlices: step % stepsPerSlice == 0) }
            let components = Components(of: eroded, .corners)
            let largest = components.bySize.prefix(2)
            guard largest.count == 2 else { continue }
            let sizes = largest.map { Double(components.sizes[$0]) }
            guard sizes[0] <= Self.largestRatio * sizes[1] else { continue }
            let pieces = largest.map { piece in
                var volume = eroded
                components.remove(from: &volume) { $0 == piece }
                return volume
            }
            if liesBeside(pieces[0], pieces[1]) { return (pieces[0], pieces[1]) }
        }
        return nil
    }

    /// Whether two components lie side by side, as lungs do. One above or before the other, they are pieces of one
    /// lung.
    private func liesBeside(_ first: BitVolume, _ second: BitVolume) -> Bool {
        guard let a = first.centroid, let b = second.centroid else { return false }
        let offset = (b - a) * spacing
        return abs(offset.x) > max(abs(offset.y), abs(offset.z))
    }

    /// Lets both sets grow, a step at a time, over the voxels of `room`. Where they meet in the same step the voxel is
    /// as near to one as to the other, and belongs to neither. (The winners compared Euclidean distances over the whole
    /// scan, which took most of their time.)
    private func regrow(
        _ first: BitVolume, _ second: BitVolume, within room: BitVolume
    ) -> (BitVolume, BitVolume) {
        var (first, second) = (first, second)
        var free = room.words.indices.map { room.words[$0] & ~(first.words[$0] | second.words[$0]) }
        var open = free.indices.filter { free[$0] != 0 }
        var changes: [(word: Int, first: UInt64, second: UInt64)] = []
        var (step, idleSteps) = (0, 0)
        while !open.isEmpty, idleSteps < stepsPerSlice {
            step += 1
            let acrossSlices = step % stepsPerSlice == 0
            changes.removeAll(keepingCapacity: true)
            for word in open {
                let toFirst = first.neighbours(ofWord: word, acrossSlices: acrossSlices) & free[word]
                let toSecond = second.neighbours(ofWord: word, acrossSlices: acrossSlices) & free[word]
                if toFirst | toSecond != 0 { changes.append((word, toFirst, toSecond)) }
            }
            for change in changes {
                first.words[change.word] |= change.first & ~change.second
                second.words[change.word] |= change.second & ~change.first
                free[change.word] &= ~(change.first | change.second)
            }
            idleSteps = changes.isEmpty ? idleSteps + 1 : 0
            if !changes.isEmpty { open.removeAll { free[$0] == 0 } }
        }
        return (first, second)
    }

    /// Divides lungs that erosion does not part: one lung, where nearly all of it lies on one side of the body (the
    /// other was removed, or has no air); otherwise two that are parted where they are thinnest.
    private func parted(_ voxels: BitVolume) -> Lungs {
        let columns = voxels.columnCounts
        let total = columns.reduce(0, +)
        let lower = columns.indices.reduce(0) { $0 + (Double($1) < middle ? columns[$1] : 0) }
        let smallestShare = Int(Double(total) / (1 + Self.largestRatio))
        if lower < smallestShare { return Lungs(higher: voxels) }
        if total - lower < smallestShare { return Lungs(lower: voxels) }
        guard let low = columns.firstIndex(where: { $0 > 0 }), let high = columns.lastIndex(where: { $0 > 0 }) else {
            return Lungs()
        }
        let third = (high - low) / 3
        let plane = (low + third...high - third).min { columns[$0] < columns[$1] } ?? low
        var (first, second) = (voxels, voxels)
        for z in 0..<voxels.extent.z {
            for y in 0..<voxels.extent.y {
                first.clear(z: z, y: y, plane..<voxels.extent.x)
                second.clear(z: z, y: y, 0..<plane + 1)
            }
        }
        return Lungs(lower: first, higher: second)
    }
}
