import Basics

/// A phantom's nodule: a ball with bumps and a soft edge.
struct PhantomNodule {
    var center: Point
    /// The diameter, mm.
    var diameter: Double
    /// The HU of its inside.
    var hounsfield: Float
    /// The width of the edge, mm.
    var softness: Double
    /// The directions and heights (of the radius) of its bumps and dents.
    var bumps: [(direction: Point, height: Double)]
    /// Whether it grows out of the pleura; segmentations then leave it out of the lung.
    var isAttachedToWall: Bool

    /// Returns how much of a point is nodule, 0 … 1.
    func coverage(at point: Point) -> Double {
        let offset = point - center
        let distance = offset.length
        guard distance < diameter + 2 else { return 0 }
        let direction = offset / max(distance, 1e-9)
        var radius = 1.0
        for bump in bumps {
            let cosine = max(0, direction.dot(bump.direction))
            // 1/8 is the mean of the cube over the sphere: the size stays what it is.
            radius += bump.height * (cosine * cosine * cosine - 0.125)
        }
        return min(1, max(0, (radius * diameter / 2 - distance) / softness + 0.5))
    }

    /// Draws up to four nodules: free in the lung, on a vessel, or on the wall.
    static func place(
        in anatomy: PhantomAnatomy, vessels: PhantomVessels, generator: inout CounterGenerator
    ) -> [PhantomNodule] {
        let draw = generator.uniform()
        let count = draw < 0.12 ? 0 : draw < 0.42 ? 1 : draw < 0.7 ? 2 : draw < 0.88 ? 3 : 4
        var nodules: [PhantomNodule] = []
        for _ in 0..<count {
            // A place may not fit a large nodule: try others, then give up.
            for _ in 0..<60 {
                let nodule = draft(in: anatomy, vessels: vessels, generator: &generator)
                guard let nodule,
                    nodules.allSatisfy({ other in
                        (other.center - nodule.center).length > (other.diameter + nodule.diameter) / 2 + 6
                    })
                else { continue }
                nodules.append(nodule)
                break
            }
        }
        return nodules
    }

    private static func draft(
        in anatomy: PhantomAnatomy, vessels: PhantomVessels, generator: inout CounterGenerator
    ) -> PhantomNodule? {
        let diameter = Self.diameter(largest: max(5, 0.36 * anatomy.scale), &generator)
        let radius = diameter / 2
        let center: Point
        let kind = generator.uniform()
        let isAttachedToWall = kind >= 0.7
        if kind < 0.4 {
            guard let point = lungPoint(anatomy, &generator) else { return nil }
            guard directions.allSatisfy({ anatomy.lung(at: point + $0 * (radius + 2)) != nil }) else { return nil }
            center = point
        } else if !isAttachedToWall {
            let segment = vessels.segments[generator.integer(in: 0..<max(1, vessels.segments.count))]
            guard segment.startRadius < max(2, radius * 0.6) else { return nil }
            let side = PhantomVessels.perpendicular(to: (segment.end - segment.start).normalized, &generator)
            center = segment.end + side * (radius * generator.uniform(0.3, 0.9))
            let isFree = directions.allSatisfy { anatomy.lung(at: center + $0 * (radius + 1)) != nil }
            guard isFree else { return nil }
        } else {
            guard let point = lungPoint(anatomy, &generator) else { return nil }
            let direction = PhantomVessels.jitter(1, &generator).normalized
            var distance = 0.0
            while distance < 2 * anatomy.scale, anatomy.lung(at: point + direction * distance) != nil {
                distance += 0.5
            }
            center = point + direction * (distance - radius * generator.uniform(0.55, 0.9))
            // Its inner side must show in the lung.
            guard anatomy.lung(at: center) != nil, anatomy.lung(at: center - direction * (radius + 2)) != nil
            else { return nil }
        }
        return PhantomNodule(
            center: center, diameter: diameter, hounsfield: Float(generator.uniform(-60, 60)),
            softness: generator.uniform(0.8, 1.6),
            bumps: (0..<6).map { _ in
                (PhantomVessels.jitter(1, &generator).normalized, generator.uniform(-0.2, 0.28))
            }, isAttachedToWall: isAttachedToWall)
    }

    /// Draws a diameter of 4 to 30 mm, most of them small: median 9.5 mm.
    private static func diameter(largest: Double, _ generator: inout CounterGenerator) -> Double {
        // Drawn again until it fits: cutting off would heap nodules up at the limits.
        while true {
            // The sum of three uniform numbers is near enough to a normal one: logarithm 2.25 ± 0.5.
            let normal = (generator.uniform() + generator.uniform() + generator.uniform() - 1.5) * 2
            let diameter = Elementary.exp(2.25 + 0.5 * normal)
            if diameter >= 4 && diameter <= min(30, largest) { return diameter }
        }
    }

    private static func lungPoint(_ anatomy: PhantomAnatomy, _ generator: inout CounterGenerator) -> Point? {
        let point = PhantomVessels.jitter(1, &generator) * Point(0.85, 0.6, 0.65) * anatomy.scale
        return anatomy.lung(at: point) == nil ? nil : point
    }

    /// The six axes and eight diagonals.
    private static let directions: [Point] =
        [Point(1, 0, 0), Point(0, 1, 0), Point(0, 0, 1)].flatMap { [$0, -$0] }
        + [-1.0, 1].flatMap { x in [-1.0, 1].flatMap { y in [-1.0, 1].map { Point(x, y, $0).normalized } } }
}
