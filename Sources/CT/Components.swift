import Basics

/// The connected components of a set of voxels, or of its complement: labelled by runs.
///
/// A run is a stretch of voxels in a row. Runs that touch those of the rows before are joined in a disjoint-set forest
/// (R. E. Tarjan 1975), so the memory grows with the number of runs, 12 bytes each, not with that of voxels.
struct Components {
    /// A choice of the voxels that are neighbours.
    enum Neighbourhood {
        /// The voxels that share a face: six, or four within a slice.
        case faces
        /// The voxels that share a corner at least: 26, or eight within a slice.
        case corners
    }

    private struct Run {
        var first: Int32
        var last: Int32
    }

    /// The slices that were looked at; those beyond do not exist.
    let slices: Range<Int>
    let extent: ZYX<Int>
    /// The number of voxels by component. Components are numbered in the order of their first voxels.
    private(set) var sizes: [Int] = []
    private var runs: [Run] = []
    private var labels: [UInt32] = []
    /// The place in `runs` where each row begins, and the end of the last.
    private var rowStarts: [Int] = [0]

    /// Labels the components of a volume.
    ///
    /// - Parameters:
    ///   - volume: At most 2³² voxels.
    ///   - slices: The slices to look at; all by default.
    ///   - inverted: Whether the components are those of the voxels not set.
    ///   - neighbourhood: The voxels that are neighbours.
    init(of volume: BitVolume, slices: Range<Int>? = nil, inverted: Bool = false, _ neighbourhood: Neighbourhood) {
        let slices = slices ?? 0..<volume.extent.z
        self.slices = slices
        extent = volume.extent
        rowStarts.reserveCapacity(slices.count * extent.y + 1)
        for row in slices.lowerBound * extent.y..<slices.upperBound * extent.y {
            appendRuns(of: volume, row: row, inverted: inverted)
            rowStarts.append(runs.count)
        }
        joinRuns(neighbourhood)
        numberComponents()
    }

    private mutating func appendRuns(of volume: BitVolume, row: Int, inverted: Bool) {
        let start = row * volume.wordsPerRow
        let flip: UInt64 = inverted ? ~0 : 0
        var (before, first): (UInt64, Int32) = (0, -1)
        volume.words.withUnsafeBufferPointer { words in
            for column in 0..<volume.wordsPerRow {
                var word = words[start + column] ^ flip
                if column + 1 == volume.wordsPerRow { word &= volume.tail }
                // Where a bit differs from the one before, a run begins or ends.
                var changes = word ^ (word << 1 | before)
                before = word >> 63
                while changes != 0 {
                    let x = Int32(truncatingIfNeeded: 64 * column + changes.trailingZeroBitCount)
                    changes &= changes &- 1
                    if first < 0 {
                        first = x
                    } else {
                        runs.append(Run(first: first, last: x - 1))
                        first = -1
                    }
                }
            }
        }
        if first >= 0 { runs.append(Run(first: first, last: Int32(truncatingIfNeeded: extent.x - 1))) }
    }

    private mutating func joinRuns(_ neighbourhood: Neighbourhood) {
        let height = extent.y
        labels = (0..<runs.count).map { UInt32(truncatingIfNeeded: $0) }
        let rowStarts = rowStarts
        labels.withUnsafeMutableBufferPointer { parents in
            runs.withUnsafeBufferPointer { runs in
                for row in 0..<rowStarts.count - 1 {
                    let y = row % height
                    let run = rowStarts[row]..<rowStarts[row + 1]
                    guard !run.isEmpty else { continue }
                    let reach: Int32 = neighbourhood == .faces ? 0 : 1
                    func join(_ other: Int) {
                        Self.join(run, rowStarts[other]..<rowStarts[other + 1], reach: reach, runs, parents)
                    }
                    if y > 0 { join(row - 1) }
                    guard row >= height else { continue }
                    join(row - height)
                    guard neighbourhood == .corners else { continue }
                    if y > 0 { join(row - height - 1) }
                    if y + 1 < height { join(row - height + 1) }
                }
            }
        }
    }

    /// Joins the runs of two rows that overlap, or come within `reach` of it: both lists once, as in a merge.
    private static func join(
        _ row: Range<Int>, _ other: Range<Int>, reach: Int32, _ runs: UnsafeBufferPointer<Run>,
        _ parents: UnsafeMutableBufferPointer<UInt32>
    ) {
        var (i, j) = (row.lowerBound, other.lowerBound)
        while i < row.upperBound && j < other.upperBound {
            if runs[j].last + reach < runs[i].first {
                j += 1
            } else if runs[i].last + reach < runs[j].first {
                i += 1
            } else {
                let (a, b) = (root(i, parents), root(j, parents))
                parents[max(a, b)] = UInt32(truncatingIfNeeded: min(a, b))
                if runs[i].last < runs[j].last { i += 1 } else { j += 1 }
            }
        }
    }

    private static func root(_ run: Int, _ parents: UnsafeMutableBufferPointer<UInt32>) -> Int {
        var run = run
        while Int(parents[run]) != run {
            parents[run] = parents[Int(parents[run])]  // path halving
            run = Int(parents[run])
        }
        return run
    }

    /// Replaces parents, which come before their children, by component numbers.
    private mutating func numberComponents() {
        for run in labels.indices {
            let parent = Int(labels[run])
            if parent == run {
                labels[run] = UInt32(truncatingIfNeeded: sizes.count)
                sizes.append(0)
            } else {
                labels[run] = labels[parent]
            }
            sizes[Int(labels[run])] += Int(runs[run].last - runs[run].first) + 1
        }
    }

    /// The number of components.
    var count: Int { sizes.count }

    /// Components by falling size, the earlier first among equals.
    var bySize: [Int] { sizes.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) } }

    /// The component of a voxel; nil where it is in none.
    subscript(z: Int, y: Int, x: Int) -> Int? {
        guard slices.contains(z) else { return nil }
        let row = (z - slices.lowerBound) * extent.y + y
        return (rowStarts[row]..<rowStarts[row + 1]).first { Int(runs[$0].first) <= x && x <= Int(runs[$0].last) }
            .map { Int(labels[$0]) }
    }

    /// Calls `body` for every run, in the order of the voxels.
    @inline(__always)
    func forEachRun(_ body: (_ component: Int, _ z: Int, _ y: Int, _ x: Range<Int>) -> Void) {
        for row in 0..<rowStarts.count - 1 {
            let (z, y) = row.quotientAndRemainder(dividingBy: extent.y)
            for run in rowStarts[row]..<rowStarts[row + 1] {
                body(Int(labels[run]), z + slices.lowerBound, y, Int(runs[run].first)..<Int(runs[run].last) + 1)
            }
        }
    }

    /// Clears, in the volume that was labelled, the components that are not to be kept.
    func remove(from volume: inout BitVolume, except isKept: (Int) -> Bool) {
        forEachRun { component, z, y, x in
            if !isKept(component) { volume.clear(z: z, y: y, x) }
        }
    }
}
