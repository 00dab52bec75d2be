import Basics

/// The thorax of a phantom of the hard style, in an adult's size, around a window of it: lungs as a field of depths,
/// and what surrounds them as formulas over a point.
///
/// The proportions are those of `PhantomAnatomy`; only sums, products and square roots decide on which side of a
/// surface a point lies, so that all processors agree.
struct PhantomChest {
    /// The half width of the body, mm.
    let scale: Double
    /// The imaged box, mm.
    let window: (low: Point, high: Point)
    /// The depth of a point below the pleura, mm: positive in the lungs. Near enough to a distance close to it.
    let depth: PhantomField
    /// The HU of blood: higher with contrast medium.
    let blood: Float
    private let shape: Shape
    private let streaks: PhantomField

    init(windowSize: Point, generator: inout CounterGenerator) {
        scale = generator.uniform(148, 176)
        blood = Float(generator.chance(0.3) ? generator.uniform(90, 220) : generator.uniform(30, 50))
        let shape = Shape(scale: scale, generator: &generator)
        // Over one lung mostly; over the middle of the body where the window is wider than a lung.
        let side: Double = generator.coin() ? 1 : -1
        let room = max(0, 0.95 * scale - windowSize.x / 2)
        let center = Point(
            side * min(room, generator.uniform(0.36, 0.52) * scale), generator.uniform(-0.16, 0.18) * scale,
            generator.uniform(-0.24, 0.16) * scale)
        let (low, high) = (center - windowSize / 2, center + windowSize / 2)
        window = (low, high)
        self.shape = shape
        let margin = 24.0
        let rough = PhantomField.noise(from: low - margin, to: high + margin, step: 11, &generator)
        depth = PhantomField(from: low - margin, to: high + margin, step: 2.5) { shape.depth($0) + 0.7 * rough($0) }
        streaks = PhantomField.noise(from: low, to: high, step: 7, &generator)
    }

    /// Returns the point at which arteries and airways enter a lung, mm.
    func hilum(left: Bool) -> Point { Point(left ? 0.24 : -0.24, 0.07, -0.02) * scale }

    /// Returns the HU and the mask's label at a point outside the lungs, mm.
    func surroundings(at point: Point) -> (hounsfield: Float, label: UInt8) {
        let p = point / scale
        let (a, b) = (abs(p.x) / 0.96, abs(p.y) / shape.bodyDepth)
        let outline = a * a * a.squareRoot() + b * b * b.squareRoot()
        if outline > 1 { return (-1000, 0) }
        if outline > 0.975 { return (20, 0) }
        if let airway = shape.airway(p) { return airway < 0 ? (-990, 5) : (30, 0) }
        let grain = streaks(point)
        if outline > 0.84 { return (-105 + 8 * Float(grain), 0) }
        if let bone = shape.bone(p) { return (bone + 25 * Float(grain), 0) }
        if shape.heart(p) < 0 || shape.aorta(p) < 0 { return (blood, 0) }
        if p.z < shape.dome(p) { return (58, 0) }
        let cage = shape.cage(p)
        if cage < 1 {
            // The mediastinum: fat with vessels and nodes; a thin pleura to the lung.
            return (depth(point) > -1.5 || grain > 0.8 ? 30 : -95 + 10 * Float(grain), 0)
        }
        let beyond = (cage - 1) * 0.65 * scale
        if beyond < 2.5 { return (grain > 0.3 ? -70 : 40, 0) }
        return (beyond < 15 || grain > -0.2 ? 48 : -95, 0)
    }

    /// The surfaces of one patient, in half body widths.
    private struct Shape {
        let scale: Double
        let bodyDepth: Double
        let heartCenter: Point
        let heartRadii: Point
        let domes: (left: Double, right: Double)
        let ribPhase: Double
        let lungRadii: SIMD2<Double>
        let medial: Double

        init(scale: Double, generator: inout CounterGenerator) {
            self.scale = scale
            bodyDepth = generator.uniform(0.66, 0.74)
            heartCenter = Point(
                generator.uniform(0.08, 0.16), generator.uniform(-0.18, -0.08), generator.uniform(-0.32, -0.2))
            heartRadii = Point(
                generator.uniform(0.28, 0.36), generator.uniform(0.22, 0.29), generator.uniform(0.3, 0.38))
            domes = (generator.uniform(-0.64, -0.56), generator.uniform(-0.6, -0.5))
            ribPhase = generator.uniform()
            lungRadii = SIMD2(generator.uniform(0.76, 0.82), generator.uniform(0.5, 0.55))
            medial = generator.uniform(0.11, 0.15)
        }

        /// Returns the depth below the pleura, mm.
        func depth(_ point: Point) -> Double {
            let p = point / scale
            let cage = cage(p)
            let reach = (p.x * p.x + p.y * p.y).squareRoot()
            // The lung bulges a little between the ribs.
            var wall = cage > 0.05 ? min(0.6, reach * (1 / cage - 1)) : 0.6
            wall += 0.008 * min(1, abs(ribOffset(p)) / 8) - 0.006
            let back = (p.y - 0.42) / 0.16
            let front = (p.y + 0.5) / 0.14
            let middle = (p.y - 0.05) / 0.2
            let width =
                medial + 0.05 * Elementary.exp(-back * back) - 0.06 * Elementary.exp(-front * front)
                + 0.03 * Elementary.exp(-middle * middle)
            let surfaces = [0.8 * (p.z - dome(p)), abs(p.x) - width, heart(p) - 0.02, aorta(p) - 0.012]
            return scale * surfaces.reduce(wall) { Self.smoothMinimum($0, $1, width: 0.03) }
        }

        /// The smaller of two numbers; where they are near each other a little less, without an edge.
        private static func smoothMinimum(_ a: Double, _ b: Double, width: Double) -> Double {
            let near = max(0, width - abs(a - b)) / width
            return min(a, b) - near * near * width / 4
        }

        /// Returns the distance from the axis in units of the rib cage's inner half axes; it closes to a dome at the
        /// top.
        func cage(_ p: Point) -> Double {
            let rise = max(0, (p.z - 0.05) / 0.6)
            guard rise < 1 else { return 10 }
            let taper = (1 - rise * rise).squareRoot()
            let (a, b) = (p.x / (lungRadii.x * taper), p.y / (lungRadii.y * taper))
            return (a * a + b * b).squareRoot()
        }

        func dome(_ p: Point) -> Double {
            let base = p.x > 0 ? domes.left : domes.right
            let (a, b) = ((abs(p.x) - 0.38) / 0.45, (p.y + 0.05) / 0.62)
            return base + 0.28 * max(-0.3, 1 - a * a - b * b)
        }

        /// Returns the distance outside the heart, about.
        func heart(_ p: Point) -> Double {
            let q = (p - heartCenter) / heartRadii
            return (q.length - 1) * 0.28
        }

        func aorta(_ p: Point) -> Double {
            Point(p.x - 0.13, p.y - 0.33, max(0, p.z - 0.2)).length - 0.066
        }

        /// Returns the distance outside the lumen of trachea or main bronchi, negative inside; nil beyond their walls.
        func airway(_ p: Point) -> Double? {
            func tube(_ distance: Double) -> Double? { distance < 0.012 ? distance : nil }
            if p.z > 0.1 { return tube(Point(p.x, p.y - 0.08, 0).length - 0.055) }
            let (start, end) = (Point(0, 0.08, 0.11), Point(p.x > 0 ? 0.24 : -0.24, 0.07, -0.03))
            let along = end - start
            let t = min(1, max(0, (p - start).dot(along) / along.dot(along)))
            return tube((p - start - along * t).length - 0.038)
        }

        /// Returns the height above the middle of the nearest rib, mm: ribs fall from the spine to the front.
        private func ribOffset(_ p: Point) -> Double {
            let cosine = p.y / max((p.x * p.x + p.y * p.y).squareRoot(), 1e-9)
            let height = (p.z + 0.16 * (1 - cosine)) / 0.19 + ribPhase
            return (height - height.rounded()) * 0.19 * scale
        }

        /// Returns the HU of ribs, breastbone and spine.
        func bone(_ p: Point) -> Float? {
            let spine = Point(p.x, p.y - 0.45, 0).length
            if spine < 0.115 {
                let height = p.z / 0.17 + ribPhase
                if abs(height - height.rounded()) < 0.12 { return 90 }
                return spine > 0.1 ? 520 : 190
            }
            if Point(p.x, p.y - 0.595, 0).length < 0.045 { return 25 }
            if abs(p.x) < 0.06 && p.y > 0.5 && p.y < 0.66 { return 420 }
            let beyond = (cage(p) - 1) * 0.65 * scale
            guard beyond > 2, beyond < 17 else { return nil }
            let cosine = p.y / max((p.x * p.x + p.y * p.y).squareRoot(), 1e-9)
            if cosine < 0 && abs(p.x) < 0.1 && p.z > -0.35 { return beyond > 4 && beyond < 13 ? 160 : 420 }
            let (a, b) = ((beyond - 8) / 4.6, ribOffset(p) / 6.8)
            let section = a * a + b * b
            guard section < 1 else { return nil }
            if cosine < -0.72 { return 110 }
            return section < 0.4 ? 210 : 620
        }
    }
}
