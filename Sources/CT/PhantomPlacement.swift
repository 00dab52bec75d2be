import Basics

/// The choice of nodules and their places in a phantom of the hard style.
struct PhantomPlacement {
    private let chest: PhantomChest
    private let fissures: PhantomFissures
    private let tubes: [(start: Point, end: Point, startRadius: Double, endRadius: Double)]
    private(set) var lesions: [PhantomLesion] = []

    /// Every fortieth part of LUNA16's 1,186 diameters, mm, from the smallest to the largest.
    private static let diameterQuantiles = [
        3.25, 3.88, 4.09, 4.28, 4.39, 4.52, 4.66, 4.79, 4.9, 4.99, 5.11, 5.23, 5.31, 5.5, 5.63, 5.74, 5.9, 6.01, 6.17,
        6.31, 6.44, 6.66, 6.87, 7.05, 7.3, 7.72, 7.92, 8.28, 8.73, 9.22, 9.7, 10.33, 11.07, 12.07, 12.95, 14.01, 15.49,
        17.31, 18.98, 21.88, 32.27,
    ]
    /// The weights of 0, 1, 2 … nodules in a scan: two on average.
    private static let countWeights = [0.18, 0.24, 0.24, 0.17, 0.1, 0.05, 0.02]

    init(
        _ chest: PhantomChest, _ fissures: PhantomFissures,
        _ tubes: [(start: Point, end: Point, startRadius: Double, endRadius: Double)],
        generator: inout CounterGenerator
    ) {
        (self.chest, self.fissures, self.tubes) = (chest, fissures, tubes)
        for _ in 0..<generator.choice(weights: Self.countWeights) {
            // What a nodule is, is settled before its place is sought: places would favour the small ones.
            let diameter = Self.diameter(&generator)
            let kind = PhantomFinding.Kind.nodules[
                generator.choice(weights: diameter < 5 ? [0.84, 0.03, 0.13] : [0.66, 0.17, 0.17])]
            let margin = PhantomFinding.Margin.allCases[
                generator.choice(weights: diameter < 6 ? [0.68, 0.26, 0.06] : [0.38, 0.37, 0.25])]
            let site = PhantomFinding.Site.allCases[generator.choice(weights: [0.34, 0.27, 0.11, 0.28])]
            // A window without room of the kind drawn takes any free place.
            for attempt in 0..<600 {
                let place = attempt < 400 ? site : .free
                guard let center = self.place(place, radius: diameter / 2, &generator),
                    isFree(center, radius: diameter / 2, distance: 6), isVisible(center, radius: diameter / 2)
                else { continue }
                lesions.append(
                    PhantomLesion(
                        kind: kind, margin: margin, site: place, center: center, diameter: diameter,
                        generator: &generator))
                break
            }
        }
    }

    /// Draws a diameter as LUNA16's nodules have them, mm.
    static func diameter(_ generator: inout CounterGenerator) -> Double {
        let place = generator.uniform() * Double(diameterQuantiles.count - 1)
        let first = Int(place)
        let (low, high) = (diameterQuantiles[first], diameterQuantiles[first + 1])
        return low + (high - low) * (place - Double(first))
    }

    /// Whether a ball keeps a distance from all nodules, mm.
    func isFree(_ center: Point, radius: Double, distance: Double) -> Bool {
        lesions.allSatisfy { ($0.center - center).length > $0.diameter / 2 + radius + distance }
    }

    /// Whether a ball is not lost in a vessel that is as thick.
    private func isVisible(_ center: Point, radius: Double) -> Bool {
        tubes.allSatisfy { tube in
            guard tube.startRadius > 0.5 * radius else { return true }
            let middle = (tube.start + tube.end) / 2
            return (middle - center).length > tube.startRadius + 0.5 * (tube.end - tube.start).length + 0.3 * radius
        }
    }

    /// Draws a place of a kind for a ball; nil where the throw did not fit. All of it lies in the window.
    func place(_ site: PhantomFinding.Site, radius: Double, _ generator: inout CounterGenerator) -> Point? {
        let (low, high) = (chest.window.low + (radius + 2), chest.window.high - (radius + 2))
        guard all(low .< high) else { return nil }
        var point = low + (high - low) * Point(generator.uniform(), generator.uniform(), generator.uniform())
        switch site {
        case .free:
            guard chest.depth(point) > radius + 3 else { return nil }
        case .wall:
            guard let near = wall(near: point, depth: radius * generator.uniform(0.15, 0.85)) else { return nil }
            // What bulges from the mediastinum at a hilum is taken for a lymph node.
            guard (near - chest.hilum(left: near.x > 0)).length > 28 else { return nil }
            point = near
        case .fissure:
            let heights = fissures.heights(at: point)
            point.z = heights[generator.integer(in: 0..<heights.count)].z
            guard chest.depth(point) > radius + 1.5 else { return nil }
        case .vessel:
            let tube = tubes[generator.integer(in: 0..<tubes.count)]
            guard tube.endRadius < max(1, 0.4 * radius), tube.endRadius > 0.08 * radius else { return nil }
            let side = PhantomVessels.perpendicular(to: (tube.end - tube.start).normalized, &generator)
            point = tube.end + side * (radius * generator.uniform(0.4, 1))
            guard chest.depth(point) > radius + 1 else { return nil }
        }
        return all(point .>= low) && all(point .<= high) ? point : nil
    }

    /// Returns the point of a depth below the pleura that is nearest to a point, mm, about.
    func wall(near start: Point, depth: Double) -> Point? {
        var point = start
        // The field is a distance only close to the pleura: some steps go there.
        for _ in 0..<5 { point += chest.depth.direction(at: point) * (depth - chest.depth(point)) }
        return abs(chest.depth(point) - depth) < 0.4 ? point : nil
    }
}
