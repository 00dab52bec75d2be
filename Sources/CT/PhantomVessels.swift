import Basics

/// The branching, tapering vessels of a phantom's lungs.
struct PhantomVessels {
    /// A piece of a vessel: straight, from one radius to another, mm.
    struct Segment {
        var start: Point
        var end: Point
        var startRadius: Double
        var endRadius: Double
    }

    private(set) var segments: [Segment] = []
    private let anatomy: PhantomAnatomy

    private static let thinnest = 0.5
    private static let segmentLimit = 5000

    init(_ anatomy: PhantomAnatomy, generator: inout CounterGenerator) {
        self.anatomy = anatomy
        let root = min(4.5, max(1.6, 0.045 * anatomy.scale))
        for left in [true, false] {
            let hilum = anatomy.hilum(left: left)
            let outward: Double = left ? 1 : -1
            for _ in 0..<5 {
                let direction = Point(
                    outward * generator.uniform(0.4, 1), generator.uniform(-0.8, 0.8), generator.uniform(-1, 0.9))
                grow(from: hilum, direction.normalized, radius: root * generator.uniform(0.7, 1.05), hilum, &generator)
            }
        }
    }

    /// Grows one tree breadth first, so that a limit on segments thins all branches alike.
    private mutating func grow(
        from hilum: Point, _ direction: Point, radius: Double, _ origin: Point, _ generator: inout CounterGenerator
    ) {
        var tips = [(point: hilum, direction: direction, radius: radius, hasEntered: false)]
        var next = 0
        let limit = segments.count + Self.segmentLimit / 10
        while next < tips.count, segments.count < limit {
            var tip = tips[next]
            next += 1
            var isInside = true
            for _ in 0..<3 where isInside {
                // Bends a little, and away from the hilum.
                let outward = (tip.point - origin).normalized
                tip.direction = (tip.direction + outward * 0.12 + Self.jitter(0.28, &generator)).normalized
                let length = max(1.6, tip.radius * generator.uniform(1.6, 2.6))
                var end = tip.point + tip.direction * length
                if tip.hasEntered && anatomy.lung(at: end) == nil {
                    // At the pleura vessels turn along it, or end.
                    tip.direction = (tip.direction + Self.jitter(1.2, &generator)).normalized
                    end = tip.point + tip.direction * length
                    isInside = anatomy.lung(at: end) != nil
                }
                guard isInside else { break }
                if anatomy.lung(at: end) != nil { tip.hasEntered = true }
                let endRadius = tip.radius * 0.97
                segments.append(
                    Segment(start: tip.point, end: end, startRadius: tip.radius, endRadius: endRadius))
                tip.point = end
                tip.radius = endRadius
            }
            guard isInside else { continue }
            let side = Self.perpendicular(to: tip.direction, &generator)
            for (ratio, angle) in [
                (generator.uniform(0.78, 0.92), -generator.uniform(0.2, 0.55)),
                (generator.uniform(0.5, 0.78), generator.uniform(0.5, 1.05)),
            ] where tip.radius * ratio > Self.thinnest {
                let turned = tip.direction * Elementary.cos(angle) + side * Elementary.sin(angle)
                tips.append((tip.point, turned, tip.radius * ratio, tip.hasEntered))
            }
        }
    }

    static func jitter(_ size: Double, _ generator: inout CounterGenerator) -> Point {
        Point(
            generator.uniform(-size, size), generator.uniform(-size, size), generator.uniform(-size, size))
    }

    static func perpendicular(to direction: Point, _ generator: inout CounterGenerator) -> Point {
        let other = jitter(1, &generator)
        return (other - direction * other.dot(direction)).normalized
    }
}
