import Basics

/// The way in which a scanner shows a phantom of the hard style: kernel, slices, noise and the patient's breath.
struct PhantomScanner {
    /// A reconstruction: how it blurs, sharpens and what noise it leaves.
    private struct Kernel {
        /// The deviation of the blur in plane, mm.
        var blur: ClosedRange<Double>
        /// How much of the difference to a wider blur is added: kernels for lungs overshoot at edges.
        var boost: ClosedRange<Double>
        /// The deviation of the noise, HU, in slices of 1.25 mm.
        var noise: ClosedRange<Double>
        /// The deviation of the blur that correlates the noise, mm.
        var clump: Double
        /// How much of the noise's slow part is taken out again, as filtered back-projection does.
        var flattening: Double
    }

    private static let kernels = [
        // Soft, standard, lung, bone, iterative, and standard at a low dose.
        Kernel(blur: 0.62...0.78, boost: 0...0.05, noise: 12...22, clump: 0.85, flattening: 0.3),
        Kernel(blur: 0.48...0.58, boost: 0.1...0.25, noise: 18...32, clump: 0.6, flattening: 0.6),
        Kernel(blur: 0.36...0.44, boost: 0.4...0.7, noise: 30...55, clump: 0.38, flattening: 0.9),
        Kernel(blur: 0.36...0.46, boost: 0.3...0.5, noise: 26...48, clump: 0.42, flattening: 0.85),
        Kernel(blur: 0.55...0.7, boost: 0...0.1, noise: 7...13, clump: 1.15, flattening: 0.2),
        Kernel(blur: 0.5...0.62, boost: 0.1...0.2, noise: 34...55, clump: 0.65, flattening: 0.6),
    ]
    /// The distances between slices, mm.
    private static let distances = [0.625, 0.75, 0.8, 1, 1, 1.25, 1.25, 1.5, 1.8, 2, 2.5]

    /// The distance between slices, mm.
    let distance: Double
    /// The number of drawn slices in one.
    let slices: Int
    private let thickness: Double
    private let blur: Double
    private let boost: Double
    private let noise: Double
    private let clump: Double
    private let flattening: Double
    /// How far the patient moves along z, mm; 0 in most scans.
    private let breath: Double

    init(generator: inout CounterGenerator) {
        let kernel = Self.kernels[generator.choice(weights: [0.2, 0.26, 0.18, 0.1, 0.12, 0.14])]
        distance = Self.distances[generator.integer(in: 0..<Self.distances.count)]
        slices = distance > 1.4 ? 2 : 1
        thickness = distance * (distance < 1.3 ? generator.uniform(1, 1.6) : 1)
        blur = generator.uniform(kernel.blur.lowerBound, kernel.blur.upperBound)
        boost = generator.uniform(kernel.boost.lowerBound, kernel.boost.upperBound)
        noise =
            generator.uniform(kernel.noise.lowerBound, kernel.noise.upperBound)
            * min(1.3, (1.25 / thickness).squareRoot())
        (clump, flattening) = (kernel.clump, kernel.flattening)
        breath = generator.chance(0.3) ? generator.uniform(0.6, 2.6) : 0
    }

    /// Returns the image of ideal HU, [z, y, x] with `slices` drawn slices for each that comes out.
    func image(of canvas: PhantomCanvas, generator: inout CounterGenerator) -> [Float] {
        var volume = PhantomVolume(values: canvas.voxels, extent: canvas.extent)
        let spacing = canvas.spacing
        if breath > 0 { volume.ghost(along: 0, by: max(1, Int((breath / spacing.z).rounded())), fading: true) }
        // A slice's profile, about: the deviation of a box is its width over √12.
        volume.blur(along: 0, deviation: 0.289 * thickness / spacing.z)
        volume.keepEvery(slices)
        volume.blur(along: 1, deviation: blur / spacing.y)
        volume.blur(along: 2, deviation: blur / spacing.x)
        if boost > 0 {
            var wide = volume
            wide.blur(along: 1, deviation: 0.9 / spacing.y)
            wide.blur(along: 2, deviation: 0.9 / spacing.x)
            volume.add(Float(boost), times: volume.minus(wide, scale: 1))
        }
        var grain = PhantomVolume(
            values: (0..<volume.values.count).map { _ in Float(generator.normal()) }, extent: volume.extent)
        grain.blur(along: 0, deviation: 0.35 * thickness / distance)
        grain.blur(along: 1, deviation: clump / spacing.y)
        grain.blur(along: 2, deviation: clump / spacing.x)
        var slow = grain
        slow.blur(along: 1, deviation: 2.2 * clump / spacing.y)
        slow.blur(along: 2, deviation: 2.2 * clump / spacing.x)
        grain = grain.minus(slow, scale: Float(flattening))
        volume.add(Float(noise / grain.deviation), times: grain)
        return volume.values
    }
}
