import Basics

/// A synthetic chest scan with its lung mask and the truth about its nodules.
public struct PhantomScan: Sendable {
    /// The scan's name.
    public var seriesUID: String
    /// The voxels, HU.
    public var scan: Volume<Int16>
    /// The mask on the same grid, with LUNA16's labels: 3 and 4 the lungs, 5 the airways.
    public var lungMask: Volume<UInt8>
    /// The nodules, up to four.
    public var nodules: [NoduleAnnotation]

    /// Makes the scan of an index: the same for the same arguments.
    ///
    /// The in-plane spacing is 0.75–1.15 mm, so the body is `size` times that wide: a small patient whose nodules of
    /// 4–30 mm are as many voxels as in a real scan. Every third scan is stored flipped.
    ///
    /// - Parameters:
    ///   - index: The number of the scan in its data set.
    ///   - seed: The data set's seed.
    ///   - size: The number of voxels across the body.
    public init(index: Int, seed: UInt64, size: Int) {
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

        // World position of the upright grid's first voxel; the flipped grid begins at its far corner in y and x.
        let corner = ZYX(0, 1, 2).map { _ in (generator.uniform(-350, -50) * 8).rounded() / 8 }
        var origin = corner
        var orientation = VolumeGeometry.upright
        if isFlipped {
            origin.y += Double(extent.y - 1) * spacing.y
            origin.x += Double(extent.x - 1) * spacing.x
            orientation = VolumeGeometry.turned
            image.reverseInPlane()
        }
        let geometry = VolumeGeometry(extent: extent, spacing: spacing, origin: origin, orientation: orientation)
        scan = Volume(geometry: geometry, voxels: image.voxels.map { Int16(max(-1024, min(3071, $0.rounded()))) })
        lungMask = Volume(geometry: geometry, voxels: image.labels)
        self.nodules = nodules.map { nodule in
            let upright = image.position(of: nodule.center)
            return NoduleAnnotation(
                center: WorldPoint(x: corner.x + upright.x, y: corner.y + upright.y, z: corner.z + upright.z),
                diameter: nodule.diameter)
        }
    }
}
