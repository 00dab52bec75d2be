import Basics

/// A synthetic chest scan with its lung mask and the truth about its nodules.
public struct PhantomScan: Sendable {
    /// The scan's name.
    public var seriesUID: String
    /// The voxels, HU.
    public var scan: Volume<Int16>
    /// The mask on the same grid, with LUNA16's labels: 3 and 4 the lungs, 5 the airways.
    public var lungMask: Volume<UInt8>
    /// The nodules that a detector is asked for: up to four, six in the hard style.
    public var nodules: [NoduleAnnotation]
    /// The truth about nodules and lures in the hard style; empty in the simple one.
    public var findings: [PhantomFinding]

    /// Makes the scan of an index: the same for the same arguments, on every processor. Every third scan is stored
    /// flipped.
    ///
    /// In the simple style the in-plane spacing is 0.75–1.15 mm, so the body is `size` times that wide: a small patient
    /// whose nodules of 4–30 mm are as many voxels as in a real scan. In the hard style it is 0.62–0.86 mm, and the
    /// scan shows as much of an adult, one lung mostly, as 160 voxels can.
    ///
    /// - Parameters:
    ///   - index: The number of the scan in its data set.
    ///   - seed: The data set's seed.
    ///   - size: The number of voxels across the picture.
    ///   - style: What the scan shows.
    public init(index: Int, seed: UInt64, size: Int, style: PhantomStyle = .simple) {
        switch style {
        case .simple: self.init(simpleIndex: index, seed: seed, size: size)
        case .hard: self.init(hardIndex: index, seed: seed, size: size)
        }
    }

    private init(simpleIndex index: Int, seed: UInt64, size: Int) {
        var generator = CounterGenerator(seed: seed, purpose: "phantom", UInt64(index))
        seriesUID = "2.25.\(generator.next() >> 1)\(100_000 + index)"
        // Rounded to what headers hold exactly.
        let inPlane = (generator.uniform(0.75, 1.15) * 256).rounded() / 256
        let across = [1.0, 1.25, 1.5, 2.0, 2.5][generator.integer(in: 0..<5)]
        let scale = Double(size) * inPlane / 2
        let extent = ZYX(
            Int(2 * PhantomAnatomy.halfHeight * scale / across), Int(PhantomAnatomy.halfDepth * Double(size)), size)
        let spacing = ZYX(across, inPlane, inPlane)
        let isFlipped = index % 3 == 2

        let anatomy = PhantomAnatomy(scale: scale, generator: &generator)
        let vessels = PhantomVessels(anatomy, generator: &generator)
        let nodules = PhantomNodule.place(in: anatomy, vessels: vessels, generator: &generator)
        var image = PhantomImage(extent: extent, spacing: spacing)
        image.draw(anatomy)
        image.draw(vessels, hounsfield: Float(generator.uniform(10, 70)))
        for nodule in nodules { image.draw(nodule) }
        image.smooth()
        image.addNoise(deviation: Float(generator.uniform(14, 30)), seed: seed, index: index)

        let frame = Frame(
            extent: extent, spacing: spacing, isFlipped: isFlipped, generator: &generator)
        if isFlipped { image.reverseInPlane() }
        scan = Volume(geometry: frame.geometry, voxels: Self.stored(image.voxels))
        lungMask = Volume(geometry: frame.geometry, voxels: image.labels)
        self.nodules = nodules.map { nodule in
            NoduleAnnotation(
                center: frame.world(image.position(of: nodule.center)), diameter: nodule.diameter)
        }
        findings = []
    }

    /// Rounds HU to what scanners store.
    static func stored(_ voxels: [Float]) -> [Int16] {
        voxels.map { Int16(max(-1024, min(3071, $0.rounded()))) }
    }

    /// The place of a scan in the world.
    struct Frame {
        let geometry: VolumeGeometry
        /// The world position of the upright grid's first voxel, mm.
        private let corner: ZYX<Double>

        init(extent: ZYX<Int>, spacing: ZYX<Double>, isFlipped: Bool, generator: inout CounterGenerator) {
            corner = ZYX(0, 1, 2).map { _ in (generator.uniform(-350, -50) * 8).rounded() / 8 }
            var origin = corner
            if isFlipped {
                // The flipped grid begins at its far corner in y and x.
                origin.y += Double(extent.y - 1) * spacing.y
                origin.x += Double(extent.x - 1) * spacing.x
            }
            geometry = VolumeGeometry(
                extent: extent, spacing: spacing, origin: origin,
                orientation: isFlipped ? VolumeGeometry.turned : VolumeGeometry.upright)
        }

        /// Returns the world point of a way from the upright grid's first voxel, mm.
        func world(_ way: Point) -> WorldPoint {
            WorldPoint(x: corner.x + way.x, y: corner.y + way.y, z: corner.z + way.z)
        }
    }
}
