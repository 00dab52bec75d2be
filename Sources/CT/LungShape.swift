import Basics

/// The last steps from the air of a lung to the lung.
enum LungShape {
    /// The share of a lung's area in a slice that its largest components hold together; the others are left out where
    /// they lie beyond those.
    private static let cover = 0.95

    /// Sets what is enclosed: vessels and nodules. Holes that reach a face of the scan are not.
    ///
    /// (The winners filled what does not reach one of the eight corners, with which a scan whose corners lie in the
    /// lungs is filled as a whole.)
    static func fillHoles(_ volume: inout BitVolume) {
        let (depth, height, width) = (volume.extent.z, volume.extent.y, volume.extent.x)
        fill(&volume, Components(of: volume, inverted: true, .corners)) { z, y, x in
            z == 0 || z + 1 == depth || y == 0 || y + 1 == height || x.lowerBound == 0 || x.upperBound == width
        }
    }

    /// Sets what is enclosed within a slice.
    static func fillHolesOfSlices(_ volume: inout BitVolume) {
        let (height, width) = (volume.extent.y, volume.extent.x)
        for z in 0..<volume.extent.z where !volume.isEmpty(slice: z) {
            fill(&volume, Components(of: volume, slices: z..<z + 1, inverted: true, .corners)) { _, y, x in
                y == 0 || y + 1 == height || x.lowerBound == 0 || x.upperBound == width
            }
        }
    }

    /// Sets the components that have no run at the border.
    private static func fill(
        _ volume: inout BitVolume, _ components: Components, isAtBorder: (Int, Int, Range<Int>) -> Bool
    ) {
        var isOpen = [Bool](repeating: false, count: components.count)
        components.forEachRun { component, z, y, x in
            if isAtBorder(z, y, x) { isOpen[component] = true }
        }
        components.forEachRun { component, z, y, x in
            if !isOpen[component] { volume.set(z: z, y: y, x) }
        }
    }

    /// Keeps the main part of a lung: in every slice the voxels in the convex hulls of the largest components, and of
    /// those the largest component of all. The trachea ends with this.
    static func keepMainPart(_ lung: inout BitVolume) {
        for z in 0..<lung.extent.z where !lung.isEmpty(slice: z) { keepMainPart(&lung, slice: z) }
        let components = Components(of: lung, .corners)
        guard let largest = components.bySize.first else { return }
        components.remove(from: &lung) { $0 == largest }
    }

    private static func keepMainPart(_ lung: inout BitVolume, slice z: Int) {
        let components = Components(of: lung, slices: z..<z + 1, .corners)
        let needed = Double(components.sizes.reduce(0, +)) * cover
        var area = 0.0
        let main = components.bySize.prefix { component in
            let isNeeded = area < needed
            area += Double(components.sizes[component])
            return isNeeded
        }
        guard main.count < components.count else { return }
        var spans = main.map { _ in ConvexHull.Spans(repeating: nil, count: lung.extent.y) }
        components.forEachRun { component, _, y, x in
            guard let place = main.firstIndex(of: component) else { return }
            let old = spans[place][y]
            spans[place][y] = (old?.lowerBound ?? x.lowerBound)...(x.upperBound - 1)
        }
        var hulls = BitVolume(extent: ZYX(1, lung.extent.y, lung.extent.x))
        for component in spans {
            for (y, span) in ConvexHull.spans(of: component).enumerated() {
                if let span { hulls.set(z: 0, y: y, span.lowerBound..<span.upperBound + 1) }
            }
        }
        let start = z * hulls.words.count
        for (index, word) in hulls.words.enumerated() { lung.words[start + index] &= word }
    }
}
