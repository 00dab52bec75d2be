import Basics

/// The voxels of a phantom of the hard style while it is drawn, upright: ideal HU, before any scanner blurs them.
///
/// Each thing touches only the voxels of its bounding box. Edges are soft over about a voxel, so that what is thinner
/// is fainter.
struct PhantomCanvas {
    private(set) var voxels: [Float]
    private(set) var labels: [UInt8]
    let extent: ZYX<Int>
    let spacing: ZYX<Double>
    /// The phantom's point at the first voxel, mm.
    let corner: Point
    /// The width of an edge, mm.
    private let edge: Double

    init(extent: ZYX<Int>, spacing: ZYX<Double>, corner: Point) {
        self.extent = extent
        self.spacing = spacing
        self.corner = corner
        edge = max(spacing.x, spacing.z)
        voxels = Array(repeating: -1000, count: extent.product)
        labels = Array(repeating: 0, count: extent.product)
    }

    /// Returns the labels of the first of every few slices.
    func labels(every step: Int) -> [UInt8] {
        let plane = extent.y * extent.x
        return (0..<extent.z / step).flatMap { labels[$0 * step * plane..<($0 * step + 1) * plane] }
    }

    private func point(_ z: Int, _ y: Int, _ x: Int) -> Point {
        corner + Point(Double(x) * spacing.x, Double(y) * spacing.y, Double(z) * spacing.z)
    }

    /// Draws body and lungs.
    mutating func draw(_ chest: PhantomChest, _ tissue: PhantomParenchyma) {
        var index = 0
        for z in 0..<extent.z {
            for y in 0..<extent.y {
                for x in 0..<extent.x {
                    let point = point(z, y, x)
                    let depth = chest.depth(point)
                    let inside = Float(min(1, max(0, depth / edge + 0.5)))
                    var value: Float = 0
                    if inside > 0 { value = tissue.hounsfield(at: point, depth: depth) * inside }
                    if inside < 1 {
                        let (hounsfield, label) = chest.surroundings(at: point)
                        value += hounsfield * (1 - inside)
                        labels[index] = label
                    }
                    if inside > 0.5 { labels[index] = point.x > 0 ? 3 : 4 }
                    voxels[index] = value
                    index += 1
                }
            }
        }
    }

    /// Draws the fissures, thin sheets of about 0.6 mm.
    mutating func draw(_ fissures: PhantomFissures, in chest: PhantomChest, hounsfield: Float) {
        for y in 0..<extent.y {
            for x in 0..<extent.x {
                for sheet in fissures.heights(at: point(0, y, x)) {
                    let slope = (1 + sheet.rise * sheet.rise).squareRoot()
                    let reach = (edge + 0.6) * slope
                    let middle = sheet.z - corner.z
                    let first = max(0, Int(((middle - reach) / spacing.z).rounded(.up)))
                    let end = min(extent.z, Int(((middle + reach) / spacing.z).rounded(.down)) + 1)
                    guard first < end else { continue }
                    for z in first..<end where chest.depth(point(z, y, x)) > 0 {
                        let distance = abs(Double(z) * spacing.z - middle) / slope
                        let coverage = min(1, max(0, (0.3 - distance) / edge + 0.5)) * min(1, 0.9 / edge)
                        blend((z * extent.y + y) * extent.x + x, hounsfield, Float(coverage))
                    }
                }
            }
        }
    }

    /// Draws a tube whose ends are round.
    ///
    /// - Parameter isForced: Whether it replaces what is denser, as an airway does.
    mutating func drawTube(
        from start: Point, to end: Point, radii: (Double, Double), hounsfield: Float, isForced: Bool = false
    ) {
        let reach = max(radii.0, radii.1) + edge / 2
        let axis = end - start
        let squared = max(axis.dot(axis), 1e-9)
        let edge = edge
        forEachVoxel(from: pointwiseMin(start, end) - reach, to: pointwiseMax(start, end) + reach) {
            canvas, index, point in
            let offset = point - start
            let t = min(1, max(0, offset.dot(axis) / squared))
            let way = offset - axis * t
            let radius = radii.0 + (radii.1 - radii.0) * t
            let limit = radius + edge / 2
            let distance = way.dot(way)
            guard distance < limit * limit else { return }
            let coverage = Float(min(1, (radius - distance.squareRoot()) / edge + 0.5))
            if isForced {
                canvas.voxels[index] += (hounsfield - canvas.voxels[index]) * coverage
            } else {
                canvas.blend(index, hounsfield, coverage)
            }
        }
    }

    /// Draws an ellipsoid.
    mutating func draw(_ ellipsoid: PhantomEllipsoid, hounsfield: Float) {
        let reach = ellipsoid.halfAxes.max() + edge
        let edge = edge
        forEachVoxel(from: ellipsoid.center - reach, to: ellipsoid.center + reach) { canvas, index, point in
            let coverage = min(1, max(0, 0.5 - ellipsoid.distance(to: point) / edge))
            if coverage > 0 { canvas.blend(index, hounsfield, Float(coverage)) }
        }
    }

    /// Draws a nodule: what is denser in it stays visible.
    mutating func draw(_ lesion: PhantomLesion, grain: PhantomField) {
        let reach = lesion.reach
        forEachVoxel(from: lesion.center - reach, to: lesion.center + reach) { canvas, index, point in
            let coverage = lesion.coverage(at: point)
            if coverage > 0 {
                let texture = lesion.grain * Float(grain(point))
                canvas.blend(index, lesion.hounsfield + texture, Float(coverage))
            }
            let core = lesion.coreCoverage(at: point)
            if core > 0 { canvas.blend(index, lesion.coreHounsfield, Float(core)) }
            // Segmentations leave what grows out of the wall to the wall.
            if lesion.site == .wall, max(coverage, core) > 0.5, lesion.kind != .groundGlass {
                canvas.labels[index] = 0
            }
        }
        for ray in lesion.rays {
            drawTube(from: ray.start, to: ray.end, radii: (ray.radius, 0.15), hounsfield: lesion.rayHounsfield)
        }
    }

    /// Mixes a substance into a voxel where it is denser than what is there.
    private mutating func blend(_ index: Int, _ hounsfield: Float, _ coverage: Float) {
        let value = voxels[index]
        if hounsfield > value { voxels[index] = value + (hounsfield - value) * coverage }
    }

    private mutating func forEachVoxel(
        from low: Point, to high: Point, _ body: (inout PhantomCanvas, Int, Point) -> Void
    ) {
        func range(_ low: Double, _ high: Double, _ spacing: Double, _ count: Int) -> Range<Int> {
            let first = max(0, min(Double(count), (low / spacing).rounded(.up)))
            return Int(first)..<Int(max(first, min(Double(count), (high / spacing).rounded(.down) + 1)))
        }
        let (from, to) = (low - corner, high - corner)
        let columns = range(from.x, to.x, spacing.x, extent.x)
        let rows = range(from.y, to.y, spacing.y, extent.y)
        for z in range(from.z, to.z, spacing.z, extent.z) {
            for y in rows {
                for x in columns { body(&self, (z * extent.y + y) * extent.x + x, point(z, y, x)) }
            }
        }
    }
}

/// An ellipsoid in any direction.
struct PhantomEllipsoid {
    var center: Point
    /// Half of each axis, mm.
    var halfAxes: Point
    /// The unit vectors along the axes.
    var axes: (Point, Point, Point)

    /// Turns an ellipsoid so that its third axis has a direction.
    init(center: Point, halfAxes: Point, along normal: Point, generator: inout CounterGenerator) {
        self.center = center
        self.halfAxes = halfAxes
        let first = PhantomVessels.perpendicular(to: normal, &generator)
        let second = Point(
            normal.y * first.z - normal.z * first.y, normal.z * first.x - normal.x * first.z,
            normal.x * first.y - normal.y * first.x)
        axes = (first, second, normal)
    }

    /// Returns a point in units of the half axes.
    func relative(_ point: Point) -> Point {
        let offset = point - center
        return Point(offset.dot(axes.0), offset.dot(axes.1), offset.dot(axes.2)) / halfAxes
    }

    /// Returns the distance of a point outside the surface, mm, to the first order; negative inside.
    func distance(to point: Point) -> Double {
        let q = relative(point)
        let length = q.length
        return length < 1e-6 ? -halfAxes.min() : (length - 1) * length / (q / halfAxes).length
    }
}
