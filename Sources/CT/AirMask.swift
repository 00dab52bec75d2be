import Basics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The places where a scan shows air: outside the body, in the lungs and airways, in the bowel. Slice by slice.
///
/// Air is under −600 HU once smoothed by a Gaussian of one pixel; specks and slivers are left out.
struct AirMask {
    /// The limit below which a voxel is air, HU.
    static let threshold: Float = -600
    /// The area, mm², up to which a component of a slice is a speck.
    static let smallestArea = 30.0
    /// The eccentricity from which on a component of a slice is a sliver, such as the air between body and table.
    static let largestEccentricity = 0.99
    /// The value below which nothing was measured, HU. No substance is so dark, noise included: −2048, −3024 and their
    /// like are put there.
    private static let paddingCeiling: Float = -1500
    /// The side of the squares at a slice's border that tell what surrounds the body, pixels; in small slices an eighth
    /// of theirs.
    private static let patchSide = 10
    /// The limit below which air is outside the body, HU. The lungs hold blood and tissue and are hardly ever darker;
    /// air outside is −1000.
    private static let outsideAir: Float = -950

    private(set) var voxels: BitVolume
    /// The number of voxels where nothing was measured.
    private(set) var paddingCount = 0
    /// The voxels that are neither air nor padding, and the sum of their x.
    private var tissue = (count: 0, sum: 0)
    /// The places to look at for the air around the body, (y, x): a slice's corners and the middles of its front and
    /// back edges.
    let places: [(y: Int, x: Int)]
    /// The indices of the `places` at which there is air from outside, by slice.
    private(set) var outside: [[Int]] = []

    /// The middle of body and table, voxels along x; the scan's where it shows neither.
    var middle: Double {
        tissue.count == 0 ? Double(voxels.extent.x - 1) / 2 : Double(tissue.sum) / Double(tissue.count)
    }

    /// Finds the air of a scan.
    ///
    /// - Parameter scan: HU; at most 2³² voxels.
    init<Voxel: VoxelScalar>(of scan: Volume<Voxel>) {
        let extent = scan.extent
        voxels = BitVolume(extent: extent)
        places = [0, extent.y - 1].flatMap { y in [0, extent.x / 2, extent.x - 1].map { (y, $0) } }
        let spacing = scan.geometry.spacing
        var values = [Float](repeating: 0, count: extent.y * extent.x)
        for z in 0..<extent.z {
            scan.voxels.withUnsafeBufferPointer { voxels in
                let slice = UnsafeBufferPointer(rebasing: voxels[z * values.count..<(z + 1) * values.count])
                for (index, voxel) in slice.enumerated() { values[index] = voxel.clamped(to: Float.self) }
            }
            let padding = padding(of: values)
            outside.append(outsidePlaces(values, padding))
            if let padding { neutralise(padding, in: &values) }
            smooth(values, into: z)
            if let padding { remove(padding, from: z) }
            addTissue(of: z, padding)
            removeSpecks(in: z, spacing)
        }
    }

    /// The pixels of a slice where nothing was measured; nil where everything was.
    ///
    /// Scanners image a disc and fill up the square around it, and converters may have put −1024 for what they filled
    /// up with. So padding is also what is connected with a corner by pixels that are dark and all equal: measured air
    /// has noise. (The winners took everything beyond the inscribed circle where the first corner is constant, which
    /// only a square slice allows.)
    private func padding(of values: [Float]) -> BitVolume? {
        var padding = BitVolume(extent: ZYX(1, voxels.extent.y, voxels.extent.x))
        set(in: &padding) { values[$0] < Self.paddingCeiling }
        for (y, x) in places {
            let value = values[y * voxels.extent.x + x]
            guard value < Self.threshold, !padding[0, y, x] else { continue }
            let isConstant = patch(y, x).allSatisfy { values[$0] == value }
            guard isConstant else { continue }
            var equal = BitVolume(extent: padding.extent)
            set(in: &equal) { values[$0] == value }
            let components = Components(of: equal, .faces)
            let component = components[0, y, x]
            components.remove(from: &equal) { $0 == component }
            padding.formUnion(equal)
        }
        return padding.isEmpty ? nil : padding
    }

    private func set(in slice: inout BitVolume, where isSet: (Int) -> Bool) {
        let (width, count) = (slice.extent.x, slice.wordsPerRow)
        for y in 0..<slice.extent.y {
            for column in 0..<count {
                var word: UInt64 = 0
                for x in 64 * column..<min(width, 64 * (column + 1)) where isSet(y * width + x) {
                    word |= 1 << UInt64(x & 63)
                }
                slice.words[y * count + column] = word
            }
        }
    }

    /// The indices of the square at a place on a slice's border, within the slice.
    private func patch(_ y: Int, _ x: Int) -> [Int] {
        let (height, width) = (voxels.extent.y, voxels.extent.x)
        func range(_ middle: Int, _ count: Int) -> Range<Int> {
            let side = min(Self.patchSide, (count + 7) / 8)
            let start = max(0, min(count - side, middle - side / 2))
            return start..<start + side
        }
        return range(y, height).flatMap { y in range(x, width).map { y * width + $0 } }
    }

    /// The places with measured air around the body. Where a scan is cut at the side, a place may lie in a lung: then
    /// what is there is not background.
    private func outsidePlaces(_ values: [Float], _ padding: BitVolume?) -> [Int] {
        let width = voxels.extent.x
        return places.indices.filter { place in
            let patch = patch(places[place].y, places[place].x)
                .filter { padding?[0, $0 / width, $0 % width] != true }
            let mean = patch.reduce(0) { $0 + values[$1] } / Float(max(1, patch.count))
            return !patch.isEmpty && mean < Self.outsideAir
        }
    }

    /// Gives padding the threshold itself for a value, so that it takes no side in the mean over the pixels around an
    /// edge.
    private func neutralise(_ padding: BitVolume, in values: inout [Float]) {
        Components(of: padding, .faces).forEachRun { _, _, y, x in
            let row = y * voxels.extent.x
            for index in row + x.lowerBound..<row + x.upperBound { values[index] = Self.threshold }
        }
    }

    private mutating func remove(_ padding: BitVolume, from z: Int) {
        let start = z * padding.words.count
        for (index, word) in padding.words.enumerated() {
            voxels.words[start + index] &= ~word
            paddingCount += word.nonzeroBitCount
        }
    }

    private mutating func addTissue(of z: Int, _ padding: BitVolume?) {
        let (plane, count) = (voxels.extent.y * voxels.wordsPerRow, voxels.wordsPerRow)
        for index in 0..<plane {
            let column = index % count
            var word = ~voxels.words[z * plane + index] & (column + 1 == count ? voxels.tail : ~0)
            if let padding { word &= ~padding.words[index] }
            tissue.count += word.nonzeroBitCount
            tissue.sum += 64 * column * word.nonzeroBitCount + BitVolume.sumOfPositions(word)
        }
    }

    /// Sets the pixels that lie under the threshold after a Gaussian of one pixel, cut off at two, borders mirrored.
    private mutating func smooth(_ values: [Float], into z: Int) {
        let (height, width, count) = (voxels.extent.y, voxels.extent.x, voxels.wordsPerRow)
        let raw = (0...2).map { exp(-0.5 * Float($0 * $0)) }
        let sum = raw[0] + 2 * (raw[1] + raw[2])
        let (w0, w1, w2) = (raw[0] / sum, raw[1] / sum, raw[2] / sum)
        func mirrored(_ index: Int, _ count: Int) -> Int {
            max(0, min(count - 1, index < 0 ? -1 - index : index >= count ? 2 * count - 1 - index : index))
        }
        var row = [Float](repeating: 0, count: width + 4)
        var result = [Float](repeating: 0, count: width)
        let threshold = Self.threshold
        values.withUnsafeBufferPointer { values in
            row.withUnsafeMutableBufferPointer { row in
                result.withUnsafeMutableBufferPointer { result in
                    voxels.words.withUnsafeMutableBufferPointer { words in
                        for y in 0..<height {
                            let a = mirrored(y - 2, height) * width
                            let b = mirrored(y - 1, height) * width
                            let c = y * width
                            let d = mirrored(y + 1, height) * width
                            let e = mirrored(y + 2, height) * width
                            for x in 0..<width {
                                row[x + 2] =
                                    w0 * values[c + x] + w1 * (values[b + x] + values[d + x])
                                    + w2 * (values[a + x] + values[e + x])
                            }
                            for x in [-2, -1, width, width + 1] { row[x + 2] = row[mirrored(x, width) + 2] }
                            for x in 0..<width {
                                result[x] =
                                    w0 * row[x + 2] + w1 * (row[x + 1] + row[x + 3]) + w2 * (row[x] + row[x + 4])
                            }
                            for column in 0..<count {
                                var word: UInt64 = 0
                                for x in 64 * column..<min(width, 64 * (column + 1)) {
                                    word |= (result[x] < threshold ? 1 : 0) << UInt64(x & 63)
                                }
                                words[(z * height + y) * count + column] = word
                            }
                        }
                    }
                }
            }
        }
    }

    /// Clears the components of a slice that are too small or too thin.
    private mutating func removeSpecks(in z: Int, _ spacing: ZYX<Double>) {
        let components = Components(of: voxels, slices: z..<z + 1, .corners)
        let pixel = spacing.y * spacing.x
        var moments = [Moments](repeating: Moments(), count: components.count)
        components.forEachRun { component, _, y, x in
            if Double(components.sizes[component]) * pixel > Self.smallestArea { moments[component].add(y, x) }
        }
        let isKept = components.sizes.indices.map { component in
            Double(components.sizes[component]) * pixel > Self.smallestArea
                && moments[component].eccentricity(spacing) < Self.largestEccentricity
        }
        components.remove(from: &voxels) { isKept[$0] }
    }
}

/// The moments of a plane figure up to the second, summed by runs.
private struct Moments {
    private var count = 0.0
    private var (y, x) = (0.0, 0.0)
    private var (yy, yx, xx) = (0.0, 0.0, 0.0)

    mutating func add(_ row: Int, _ columns: Range<Int>) {
        let (row, n, first) = (Double(row), Double(columns.count), Double(columns.lowerBound))
        // Of n numbers that begin at `first`: their sum, and that of their squares.
        let sum = n * first + n * (n - 1) / 2
        let squares = n * first * first + first * n * (n - 1) + (n - 1) * n * (2 * n - 1) / 6
        count += n
        y += n * row
        x += sum
        yy += n * row * row
        yx += row * sum
        xx += squares
    }

    /// The eccentricity of the ellipse with the same second moments: 0 for a disc, 1 for a line.
    func eccentricity(_ spacing: ZYX<Double>) -> Double {
        let a = (yy / count - (y / count) * (y / count)) * spacing.y * spacing.y
        let b = (yx / count - (y / count) * (x / count)) * spacing.y * spacing.x
        let c = (xx / count - (x / count) * (x / count)) * spacing.x * spacing.x
        let (mean, radius) = ((a + c) / 2, ((a - c) * (a - c) / 4 + b * b).squareRoot())
        guard mean + radius > 0 else { return 0 }
        return max(0, 1 - (mean - radius) / (mean + radius)).squareRoot()
    }
}
