import Basics

/// A nodule of the hard style: a body whose surface is a radius over directions, perhaps a denser core, perhaps rays.
struct PhantomLesion {
    /// A thin ray from the surface into the lung.
    struct Ray {
        var start: Point
        var end: Point
        /// The radius at its start, mm.
        var radius: Double
    }

    let kind: PhantomFinding.Kind
    let margin: PhantomFinding.Margin
    let site: PhantomFinding.Site
    let center: Point
    /// The diameter of the ball of the same volume, mm.
    let diameter: Double
    /// The HU of the body.
    let hounsfield: Float
    /// The HU of a part-solid nodule's core.
    let coreHounsfield: Float
    /// The deviation of the HU within the body.
    let grain: Float
    let rays: [Ray]
    private let body: PhantomEllipsoid
    private let core: PhantomEllipsoid?
    private let bumps: [(direction: Point, height: Double)]
    private let softness: Double

    /// Shapes a nodule at its place.
    init(
        kind: PhantomFinding.Kind, margin: PhantomFinding.Margin, site: PhantomFinding.Site, center: Point,
        diameter: Double, generator: inout CounterGenerator
    ) {
        (self.kind, self.margin, self.site) = (kind, margin, site)
        (self.center, self.diameter) = (center, diameter)
        let isSolid = kind == .solid
        let densest: Double = kind == .partSolid ? -420 : -300
        hounsfield = Float(isSolid ? generator.uniform(-40, 70) : generator.uniform(-650, densest))
        coreHounsfield = Float(generator.uniform(-60, 50))
        grain = isSolid ? 8 : 30
        softness = isSolid ? generator.uniform(0.6, 1.4) : generator.uniform(1.2, 2.6)
        let radius = diameter / 2

        // Axes whose product is 1 leave the volume as it is.
        let (a, b) = (generator.uniform(-0.16, 0.16), generator.uniform(-0.16, 0.16))
        let ratios = Point(Elementary.exp(a), Elementary.exp(b), Elementary.exp(-a - b))
        body = PhantomEllipsoid(
            center: center, halfAxes: ratios * radius, along: generator.direction(), generator: &generator)
        let (count, height) = margin == .smooth ? (4, 0.1) : margin == .lobulated ? (9, 0.6) : (14, 0.5)
        bumps = (0..<count).map { _ in (generator.direction(), generator.uniform(-0.45 * height, height)) }
        if kind == .partSolid {
            let size = radius * generator.uniform(0.3, 0.68)
            let place = center + generator.direction() * (generator.uniform(0, 0.8) * (radius - size))
            core = PhantomEllipsoid(
                center: place, halfAxes: Point(size, size * generator.uniform(0.7, 1.2), size),
                along: generator.direction(), generator: &generator)
        } else {
            core = nil
        }
        rays =
            margin != .spiculated
            ? []
            : (0..<generator.integer(in: 14..<30)).map { _ in
                let direction = generator.direction()
                let length = 1.5 + radius * generator.uniform(0.2, 0.8)
                return Ray(
                    start: center + direction * (0.8 * radius), end: center + direction * (radius + length),
                    radius: generator.uniform(0.5, 1.1))
            }
    }

    /// The distance from the middle beyond which there is nothing but rays, mm.
    var reach: Double { diameter * 0.95 + 2 }

    /// The HU of the rays.
    var rayHounsfield: Float { kind == .groundGlass ? hounsfield + 80 : -30 }

    /// Returns how much of a point is nodule, 0 … 1.
    func coverage(at point: Point) -> Double {
        let q = body.relative(point)
        let length = q.length
        guard length < 2 + 4 / diameter else { return 0 }
        var surface = 1.0
        for bump in bumps {
            let cosine = max(0, q.dot(bump.direction)) / max(length, 1e-9)
            let squared = cosine * cosine
            let fourth = squared * squared
            // 1/18 is the mean of the eighth power over the sphere: the size stays what it is.
            surface += bump.height * (fourth * fourth - 1.0 / 18)
        }
        return min(1, max(0, (surface - length) * diameter / 2 / softness + 0.5))
    }

    /// Returns how much of a point is core, 0 … 1.
    func coreCoverage(at point: Point) -> Double {
        guard let core else { return 0 }
        return min(1, max(0, 0.5 - core.distance(to: point) / 1.2))
    }
}
