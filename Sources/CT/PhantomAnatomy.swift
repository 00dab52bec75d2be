import Basics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A point or direction in a phantom, mm: x to the patient's left, y to the back, z to the head.
typealias Point = SIMD3<Double>

extension SIMD3<Double> {
    var length: Double { (self * self).sum().squareRoot() }
    var normalized: Self { self / Swift.max(length, 1e-12) }
    func dot(_ other: Self) -> Double { (self * other).sum() }
}

/// The large parts of a phantom's thorax, as formulas over a point: body wall, ribs, spine, lungs, heart, trachea.
///
/// Shapes are written in half body widths and differ a little from scan to scan.
struct PhantomAnatomy {
    enum Part { case air, fat, muscle, bone, marrow, cartilage, organ, blood, airway, leftLung, rightLung }

    /// The half width of the body, mm.
    let scale: Double
    private let heart: (center: Point, radii: Point)
    private let depth: Double
    private let diaphragm: (left: Double, right: Double)
    private let ribPhase: Double
    private let lungRadii: SIMD2<Double>
    private let medial: Double

    /// The half height of the imaged stretch, half body widths.
    static let halfHeight = 0.72
    static let halfDepth = 0.78

    init(scale: Double, generator: inout CounterGenerator) {
        self.scale = scale
        depth = generator.uniform(0.66, 0.74)
        heart = (
            Point(generator.uniform(0.08, 0.16), generator.uniform(-0.18, -0.08), generator.uniform(-0.32, -0.2)),
            Point(generator.uniform(0.28, 0.36), generator.uniform(0.22, 0.29), generator.uniform(0.3, 0.38))
        )
        diaphragm = (generator.uniform(-0.64, -0.56), generator.uniform(-0.6, -0.5))
        ribPhase = generator.uniform()
        lungRadii = SIMD2(generator.uniform(0.76, 0.82), generator.uniform(0.5, 0.55))
        medial = generator.uniform(0.11, 0.15)
    }

    /// Returns the part at a point, mm from the middle of the imaged stretch.
    func part(at point: Point) -> Part {
        let p = point / scale
        let outline = pow(abs(p.x) / 0.96, 2.4) + pow(abs(p.y) / depth, 2.4)
        if outline > 1 { return .air }
        if let lung = lung(p) { return lung }
        if outline > 0.86 { return .fat }
        if let airway = airway(p) { return airway }
        let spine = SIMD2(p.x, p.y - 0.45)
        let spineRadius = (spine * spine).sum().squareRoot()
        let disc = (p.z / 0.17 + ribPhase).truncatingRemainder(dividingBy: 1)
        if spineRadius < 0.115 { return abs(disc) < 0.2 ? .cartilage : spineRadius > 0.095 ? .bone : .marrow }
        if abs(p.x) < 0.025 && p.y > 0.5 && p.y < 0.62 { return .bone }
        if inHeart(p, margin: 0) || inAorta(p) { return .blood }
        if let rib = rib(p) { return rib }
        if p.z < dome(p) { return .organ }
        return cage(p) < 1 ? .fat : .muscle
    }

    /// Returns the lung at a point, mm.
    func lung(at point: Point) -> Part? { lung(point / scale) }

    /// Returns the point at which the vessels of a lung enter it, mm.
    func hilum(left: Bool) -> Point { Point(left ? 0.24 : -0.24, 0.07, -0.02) * scale }

    /// Returns the distance from the axis in units of the rib cage's inner half axes; the cage closes to a dome at the
    /// top.
    private func cage(_ p: Point) -> Double {
        let rise = max(0, (p.z - 0.05) / 0.58)
        guard rise < 1 else { return 10 }
        let taper = pow(1 - rise * rise, 0.4)
        let (a, b) = (p.x / (lungRadii.x * taper), p.y / (lungRadii.y * taper))
        return (a * a + b * b).squareRoot()
    }

    private func dome(_ p: Point) -> Double {
        let base = p.x > 0 ? diaphragm.left : diaphragm.right
        let (a, b) = ((abs(p.x) - 0.38) / 0.45, (p.y + 0.05) / 0.62)
        return base + 0.28 * max(0, 1 - a * a - b * b)
    }

    private func lung(_ p: Point) -> Part? {
        guard p.z > dome(p), cage(p) < 1 else { return nil }
        let back = (p.y - 0.42) / 0.16
        let front = (p.y + 0.5) / 0.14
        let middle = (p.y - 0.05) / 0.2
        let width = medial + 0.05 * exp(-back * back) - 0.06 * exp(-front * front) + 0.03 * exp(-middle * middle)
        guard abs(p.x) > width, !inHeart(p, margin: 0.025), !inAorta(p) else { return nil }
        return p.x > 0 ? .leftLung : .rightLung
    }

    private func inHeart(_ p: Point, margin: Double) -> Bool {
        let q = (p - heart.center) / (heart.radii + margin)
        return (q * q).sum() < 1
    }

    private func inAorta(_ p: Point) -> Bool {
        let (a, b) = (p.x - 0.13, p.y - 0.33)
        return a * a + b * b < 0.0042 && p.z < 0.22
    }

    private func airway(_ p: Point) -> Part? {
        func tube(_ distance: Double, _ radius: Double) -> Part? {
            distance < radius ? .airway : distance < radius + 0.015 ? .muscle : nil
        }
        if p.z > 0.1 { return tube(SIMD2(p.x, p.y - 0.08).squaredLength.squareRoot(), 0.06) }
        // The main bronchi go down and out from the end of the trachea.
        let (start, end) = (Point(0, 0.08, 0.11), Point(p.x > 0 ? 0.24 : -0.24, 0.07, -0.03))
        let along = end - start
        let t = min(1, max(0, (p - start).dot(along) / along.dot(along)))
        return tube((p - start - along * t).length, 0.042)
    }

    private func rib(_ p: Point) -> Part? {
        let shell = cage(p)
        guard shell > 1.03, shell < 1.15 else { return nil }
        let cosine = p.y / max((p.x * p.x + p.y * p.y).squareRoot(), 1e-9)
        if cosine < 0 && abs(p.x) < 0.08 && p.z > -0.35 { return shell > 1.05 && shell < 1.13 ? .marrow : .bone }
        // Ribs fall from the spine to the front.
        let height = (p.z + 0.16 * (1 - cosine)) / 0.19 + ribPhase + 10
        let phase = height - height.rounded(.down)
        guard phase < 0.38 else { return nil }
        if cosine < -0.72 { return .cartilage }
        return phase > 0.09 && phase < 0.29 && shell > 1.055 && shell < 1.125 ? .marrow : .bone
    }
}

extension SIMD2<Double> { fileprivate var squaredLength: Double { (self * self).sum() } }

extension PhantomAnatomy.Part {
    /// The substance's HU, in the middle of what scanners measure.
    var hounsfield: Float {
        switch self {
        case .air, .airway: -1000
        case .fat: -95
        case .muscle: 45
        case .bone: 650
        case .marrow: 220
        case .cartilage: 110
        case .organ: 60
        case .blood: 42
        case .leftLung, .rightLung: -860
        }
    }

    /// The part's label in LUNA16's masks.
    var label: UInt8 {
        switch self {
        case .leftLung: 3
        case .rightLung: 4
        case .airway: 5
        default: 0
        }
    }
}
