import Basics

/// The things in a phantom of the hard style that a detector may take for nodules, beside vessels.
struct PhantomLures {
    /// One thing, and how it is drawn.
    struct Lure {
        let kind: PhantomFinding.Kind
        let site: PhantomFinding.Site
        let shape: PhantomEllipsoid
        let hounsfield: Float

        /// The longest diameter, mm.
        var diameter: Double { 2 * shape.halfAxes.max() }
    }

    private(set) var lures: [Lure] = []
    private let chest: PhantomChest
    private let placement: PhantomPlacement

    init(
        _ chest: PhantomChest, _ fissures: PhantomFissures, avoiding placement: PhantomPlacement,
        generator: inout CounterGenerator
    ) {
        (self.chest, self.placement) = (chest, placement)
        for _ in 0..<generator.choice(weights: [0.3, 0.3, 0.25, 0.15]) { addGranuloma(&generator) }
        for _ in 0..<generator.choice(weights: [0.25, 0.3, 0.25, 0.2]) { addMicronodule(&generator) }
        for _ in 0..<generator.choice(weights: [0.35, 0.35, 0.3]) { addFissuralNode(fissures, &generator) }
        for _ in 0..<generator.choice(weights: [0.2, 0.3, 0.3, 0.2]) { addHilarNode(&generator) }
        for _ in 0..<generator.choice(weights: [0.35, 0.35, 0.2, 0.1]) { addScar(&generator) }
        for _ in 0..<generator.choice(weights: [0.7, 0.2, 0.1]) { addPlaque(&generator) }
    }

    /// Adds a lure unless it comes so near to a nodule that a mark on it would be a hit.
    private mutating func add(
        _ kind: PhantomFinding.Kind, _ site: PhantomFinding.Site, at center: Point?, _ halfAxes: Point,
        along normal: Point, _ hounsfield: Double, _ generator: inout CounterGenerator
    ) {
        guard let center, placement.isFree(center, radius: halfAxes.max(), distance: 3) else { return }
        guard all(center .> chest.window.low + 2), all(center .< chest.window.high - 2) else { return }
        let shape = PhantomEllipsoid(center: center, halfAxes: halfAxes, along: normal, generator: &generator)
        lures.append(Lure(kind: kind, site: site, shape: shape, hounsfield: Float(hounsfield)))
    }

    private mutating func addGranuloma(_ generator: inout CounterGenerator) {
        let radius = generator.uniform(0.9, 2.9)
        let center = placement.place(generator.chance(0.3) ? .wall : .free, radius: radius, &generator)
        let axes = Point(1, generator.uniform(0.8, 1), generator.uniform(0.8, 1)) * radius
        add(.granuloma, .free, at: center, axes, along: generator.direction(), generator.uniform(350, 1300), &generator)
    }

    private mutating func addMicronodule(_ generator: inout CounterGenerator) {
        let radius = generator.uniform(0.8, 1.4)
        let center = placement.place(generator.chance(0.3) ? .wall : .free, radius: radius, &generator)
        add(
            .micronodule, .free, at: center, Point(1, 1, 1) * radius, along: generator.direction(),
            generator.uniform(-40, 60), &generator)
    }

    private mutating func addFissuralNode(_ fissures: PhantomFissures, _ generator: inout CounterGenerator) {
        guard let center = placement.place(.fissure, radius: 3, &generator) else { return }
        let near = fissures.heights(at: center).min { abs($0.z - center.z) < abs($1.z - center.z) }
        let normal = Point(0, -(near?.rise ?? 0), 1).normalized
        let length = generator.uniform(1.8, 3.6)
        add(
            .lymphNode, .fissure, at: center,
            Point(length, length * generator.uniform(0.6, 0.9), generator.uniform(0.7, 1.2)), along: normal,
            generator.uniform(-20, 50), &generator)
    }

    private mutating func addHilarNode(_ generator: inout CounterGenerator) {
        let left = chest.window.low.x + chest.window.high.x > 0
        let start = chest.hilum(left: left) + generator.direction() * generator.uniform(4, 24)
        let length = generator.uniform(3, 7)
        // It bulges from the mediastinum: alone in the lung it would be a nodule.
        guard let center = placement.wall(near: start, depth: generator.uniform(-2, 0.1 * length)) else { return }
        add(
            .lymphNode, .vessel, at: center,
            Point(length, length * generator.uniform(0.6, 0.9), length * generator.uniform(0.5, 0.8)),
            along: generator.direction(), generator.uniform(15, 55), &generator)
    }

    private mutating func addScar(_ generator: inout CounterGenerator) {
        let center = placement.place(.wall, radius: generator.uniform(4, 9), &generator)
        guard let center else { return }
        // A plate that holds the direction into the lung.
        let inward = chest.depth.direction(at: center)
        let normal = PhantomVessels.perpendicular(to: inward, &generator)
        add(
            .scar, .wall, at: center,
            Point(generator.uniform(6, 14), generator.uniform(2.5, 8), generator.uniform(0.5, 1.1)), along: normal,
            generator.uniform(-350, 20), &generator)
    }

    private mutating func addPlaque(_ generator: inout CounterGenerator) {
        guard let start = placement.place(.wall, radius: 2, &generator),
            let center = placement.wall(near: start, depth: generator.uniform(-0.6, 0.4))
        else { return }
        let length = generator.uniform(6, 13)
        add(
            .plaque, .wall, at: center,
            Point(length, length * generator.uniform(0.5, 0.9), generator.uniform(1.2, 2.2)),
            along: chest.depth.direction(at: center), generator.chance(0.3) ? 320 : 30, &generator)
    }
}
