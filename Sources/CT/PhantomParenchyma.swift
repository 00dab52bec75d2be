import Basics

/// The HU of lung between vessels: denser where the patient lies on it, uneven, in some patients with emphysema or with
/// a dense seam at the back.
struct PhantomParenchyma {
    /// The grain of a few millimetres that vessels and airways too small to be drawn leave; deviation 1.
    let grain: PhantomField
    private let patches: PhantomField
    private let base: Double
    private let slope: Double
    private let grainSize: Double
    private let emphysema: Double
    private let seam: Double
    private let rear: Double

    init(_ chest: PhantomChest, generator: inout CounterGenerator) {
        let (low, high) = chest.window
        grain = PhantomField.noise(from: low, to: high, step: 1.7, &generator)
        patches = PhantomField.noise(from: low, to: high, step: 9, &generator)
        base = generator.uniform(-895, -835)
        slope = generator.uniform(15, 55) / chest.scale
        grainSize = generator.uniform(14, 30)
        emphysema = generator.chance(0.25) ? generator.uniform(25, 70) : 0
        seam = generator.chance(0.3) ? generator.uniform(120, 330) : 0
        rear = generator.uniform(0.15, 0.3) * chest.scale
    }

    /// Returns the HU at a point that lies so many millimetres below the pleura.
    func hounsfield(at point: Point, depth: Double) -> Float {
        let patch = patches(point)
        let fine = grain(point)
        // Squares make the grain skew: bright dots on a darker ground, as cut vessels are.
        var value = base + slope * point.y + 9 * patch + grainSize * (0.7 * fine + 0.5 * (fine * fine - 1))
        if emphysema > 0, patch > 0.5 { value -= emphysema * min(1.5, patch - 0.5) }
        if seam > 0, depth < 9, point.y > rear {
            value += seam * (1 - depth / 9) * min(1, (point.y - rear) / 20) * max(0, 0.7 + 0.5 * patch)
        }
        return Float(max(-1000, value))
    }
}
