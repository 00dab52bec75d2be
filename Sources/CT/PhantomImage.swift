import Basics

/// The voxels of a phantom while it is drawn, upright.
struct PhantomImage {
    private(set) var voxels: [Float]
    private(set) var labels: [UInt8]
    private let extent: ZYX<Int>
    private let spacing: ZYX<Double>
    /// The phantom's point at the first voxel, mm.
    private let corner: Point

    init(extent: ZYX<Int>, spacing: ZYX<Double>) {
        self.extent = extent
        self.spacing = spacing
        voxels = Array(repeating: -1000, count: extent.product)
        labels = Array(repeating: 0, count: extent.product)
        corner = Point(
            -Double(extent.x - 1) * spacing.x / 2, -Double(extent.y - 1) * spacing.y / 2,
            -Double(extent.z - 1) * spacing.z / 2)
    }

    private func point(_ z: Int, _ y: Int, _ x: Int) -> Point {
        corner + Point(Double(x) * spacing.x, Double(y) * spacing.y, Double(z) * spacing.z)
    }

    /// The way from the first voxel to a point, mm.
    func position(of point: Point) -> Point { point - corner }

    mutating func draw(_ anatomy: PhantomAnatomy) {
        var index = 0
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                for x in 0..<extent.x {
                    let point = point(z, y, x)
                    let part = anatomy.part(at: point)
                    // Lungs are denser at the back, where the patient lies.
                    let slope = part.label == 3 || part.label == 4 ? Float(60 * point.y / anatomy.scale) : 0
                    voxels[index] = part.hounsfield + slope
                    labels[index] = part.label
                    index += 1
                }
            }
        }
    }

    mutating func draw(_ vessels: PhantomVessels, hounsfield: Float) {
        for segment in vessels.segments {
            let reach = segment.startRadius + 1.5
            let axis = segment.end - segment.start
            let squared = max(axis.dot(axis), 1e-9)
            forEachVoxel(
                from: pointwiseMin(segment.start, segment.end) - reach,
                to: pointwiseMax(segment.start, segment.end) + reach
            ) { point in
                let t = min(1, max(0, (point - segment.start).dot(axis) / squared))
                let distance = (point - segment.start - axis * t).length
                let radius = segment.startRadius + (segment.endRadius - segment.startRadius) * t
                return (min(1, max(0, (radius - distance) / 1.0 + 0.5)), hounsfield)
            }
        }
    }

    mutating func draw(_ nodule: PhantomNodule) {
        let reach = nodule.diameter
        forEachVoxel(from: nodule.center - reach, to: nodule.center + reach) { point in
            (nodule.coverage(at: point), nodule.hounsfield)
        }
        guard nodule.isAttachedToWall else { return }
        forEachIndex(from: nodule.center - reach, to: nodule.center + reach) { image, index, point in
            if nodule.coverage(at: point) > 0.5 { image.labels[index] = 0 }
        }
    }

    /// Blends a substance into the box where it is denser than what is there.
    private mutating func forEachVoxel(
        from low: Point, to high: Point, _ substance: (Point) -> (coverage: Double, hounsfield: Float)
    ) {
        forEachIndex(from: low, to: high) { image, index, point in
            let (coverage, hounsfield) = substance(point)
            guard coverage > 0, hounsfield > image.voxels[index] else { return }
            image.voxels[index] += (hounsfield - image.voxels[index]) * Float(coverage)
        }
    }

    private mutating func forEachIndex(
        from low: Point, to high: Point, _ body: (inout PhantomImage, Int, Point) -> Void
    ) {
        func range(_ low: Double, _ high: Double, _ spacing: Double, _ count: Int) -> Range<Int> {
            let first = max(0, min(count, Int((low / spacing).rounded(.up))))
            return first..<max(first, min(count, Int((high / spacing).rounded(.down)) + 1))
        }
        let (from, to) = (low - corner, high - corner)
        for z in range(from.z, to.z, spacing.z, extent.z) {
            for y in range(from.y, to.y, spacing.y, extent.y) {
                for x in range(from.x, to.x, spacing.x, extent.x) {
                    body(&self, (z * extent.y + y) * extent.x + x, point(z, y, x))
                }
            }
        }
    }

    /// Blurs the image as a scanner does: in plane, a sixth from each neighbour.
    mutating func smooth() {
        Self.blur(&voxels, extent, stride: 1, weight: 1 / 6)
        Self.blur(&voxels, extent, stride: extent.x, weight: 1 / 6)
    }

    /// Adds noise that is correlated between neighbours, as reconstruction leaves it.
    mutating func addNoise(deviation: Float, seed: UInt64, index: Int) {
        var generator = CounterGenerator(seed: seed, purpose: "phantom noise", UInt64(index))
        var noise = [Float](repeating: 0, count: voxels.count)
        for index in noise.indices {
            // Four 16-bit uniform numbers in one draw; their sum has a variance of a third of 65536².
            let bits = generator.next()
            let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
            noise[index] = (Float(sum) - 131070) / 37837
        }
        Self.blur(&noise, extent, stride: 1, weight: 0.2)
        Self.blur(&noise, extent, stride: extent.x, weight: 0.2)
        // The blur leaves 0.44 of the variance along each axis: 0.6² + 2 · 0.2².
        for index in voxels.indices { voxels[index] += noise[index] * deviation / 0.44 }
    }

    /// Mixes every voxel with its two neighbours along an axis; the ends stay as they are.
    private static func blur(_ values: inout [Float], _ extent: ZYX<Int>, stride: Int, weight: Float) {
        let length = stride == 1 ? extent.x : extent.y
        let lines = stride == 1 ? extent.z * extent.y : extent.z
        let width = stride == 1 ? 1 : extent.x
        for line in 0..<lines {
            for column in 0..<width {
                var index = line * length * width + column
                var before = values[index]
                for _ in 1..<max(1, length - 1) {
                    index += stride
                    let value = values[index]
                    values[index] = value * (1 - 2 * weight) + (before + values[index + stride]) * weight
                    before = value
                }
            }
        }
    }

    /// Reverses y and x of every slice.
    mutating func reverseInPlane() {
        let plane = extent.y * extent.x
        for start in stride(from: 0, to: voxels.count, by: plane) {
            voxels[start..<start + plane].reverse()
            labels[start..<start + plane].reverse()
        }
    }
}
