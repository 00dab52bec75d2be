import Basics

/// The fissures between the lobes of both lungs: wavy sheets over the axial plane.
struct PhantomFissures {
    private let scale: Double
    private let oblique: (left: Sheet, right: Sheet)
    private let horizontal: Sheet
    private let waves: PhantomField
    private let ripples: PhantomField

    /// A sheet: its height at y = 0 in half body widths, its rise to the back, and how much it falls to the side.
    private struct Sheet {
        var height: Double
        var rise: Double
        var fall: Double
    }

    init(_ chest: PhantomChest, generator: inout CounterGenerator) {
        scale = chest.scale
        oblique = (
            Sheet(
                height: generator.uniform(-0.14, -0.02), rise: generator.uniform(0.7, 1.2),
                fall: generator.uniform(-0.1, 0.45)),
            Sheet(
                height: generator.uniform(-0.18, -0.06), rise: generator.uniform(0.7, 1.2),
                fall: generator.uniform(-0.1, 0.45))
        )
        horizontal = Sheet(
            height: generator.uniform(-0.02, 0.1), rise: generator.uniform(-0.15, 0.25),
            fall: generator.uniform(0.05, 0.5))
        let flat = (chest.window.low * Point(1, 1, 0), chest.window.high * Point(1, 1, 0))
        waves = PhantomField.noise(from: flat.0, to: flat.1, step: 24, &generator)
        ripples = PhantomField.noise(from: flat.0, to: flat.1, step: 8, &generator)
    }

    /// Returns the height of each fissure above or below a point, mm, and the sheet's rise; the horizontal one is only
    /// in front of the right oblique one.
    func heights(at point: Point) -> [(z: Double, rise: Double)] {
        let left = point.x > 0
        let place = Point(point.x, point.y, 0)
        let (wave, ripple) = (waves(place), ripples(place))
        // They arch: highest between spine and chest wall.
        let across = abs(point.x) / scale - 0.4
        func height(_ sheet: Sheet, _ wave: Double) -> (z: Double, rise: Double) {
            let z = sheet.height - sheet.fall * across - 0.5 * across * across
            return (z * scale + sheet.rise * point.y + 4 * wave + ripple, sheet.rise)
        }
        let main = height(left ? oblique.left : oblique.right, wave)
        guard !left else { return [main] }
        let second = height(horizontal, -0.7 * wave)
        return second.z < main.z ? [main] : [main, second]
    }

    /// Returns a number for the lobe of a point: 0 the lower one, then middle and upper.
    func lobe(at point: Point) -> Int { heights(at: point).count { point.z > $0.z } }
}
