import Basics

extension PhantomScan {
    /// Makes a scan of the hard style: drawn as ideal HU, then seen through a scanner.
    ///
    /// What still tells it from a patient: the mediastinum has few vessels and nodes, heart and diaphragm are smooth,
    /// airways run at one side of all arteries and end early, vessels neither thin out below 0.7 mm nor part at the
    /// fissures, soft tissue is plain, and no disease is spread over the lung but emphysema.
    init(hardIndex index: Int, seed: UInt64, size: Int) {
        var generator = CounterGenerator(seed: seed, purpose: "hard phantom", UInt64(index))
        let name = "2.25.\(generator.next() >> 1)\(100_000 + index)"
        // Rounded to what headers hold exactly.
        let inPlane = (generator.uniform(0.62, 0.86) * 256).rounded() / 256
        let scanner = PhantomScanner(generator: &generator)
        let width = Double(size) * inPlane
        let slices = max(4, Int(0.75 * width / scanner.distance))
        let rows = Int(0.8 * Double(size))
        let spacing = ZYX(scanner.distance, inPlane, inPlane)

        let chest = PhantomChest(
            windowSize: Point(width, Double(rows) * inPlane, Double(slices) * scanner.distance),
            generator: &generator)
        let fissures = PhantomFissures(chest, generator: &generator)
        let trees = PhantomTrees(chest, fissures, generator: &generator)
        let parenchyma = PhantomParenchyma(chest, generator: &generator)
        let tubes = trees.tubes
        let placement = PhantomPlacement(chest, fissures, tubes, generator: &generator)
        let lures = PhantomLures(chest, fissures, avoiding: placement, generator: &generator).lures

        var canvas = PhantomCanvas(
            extent: ZYX(slices * scanner.slices, rows, size),
            spacing: ZYX(scanner.distance / Double(scanner.slices), inPlane, inPlane), corner: chest.window.low)
        canvas.draw(chest, parenchyma)
        canvas.draw(fissures, in: chest, hounsfield: Float(generator.uniform(-760, -480)))
        for airway in trees.airways {
            let wall = 0.25 + 0.14 * airway.radius
            let radius = airway.radius + wall
            canvas.drawTube(from: airway.start, to: airway.end, radii: (radius, radius), hounsfield: -250)
        }
        for tube in tubes {
            canvas.drawTube(
                from: tube.start, to: tube.end, radii: (tube.startRadius, tube.endRadius), hounsfield: chest.blood)
        }
        for airway in trees.airways {
            canvas.drawTube(
                from: airway.start, to: airway.end, radii: (airway.radius, airway.radius), hounsfield: -970,
                isForced: true)
        }
        for lure in lures { canvas.draw(lure.shape, hounsfield: lure.hounsfield) }
        for lesion in placement.lesions { canvas.draw(lesion, grain: parenchyma.grain) }
        var noise = CounterGenerator(seed: seed, purpose: "hard phantom noise", UInt64(index))
        var voxels = Self.stored(scanner.image(of: canvas, generator: &noise))
        var labels = canvas.labels(every: scanner.slices)

        let isFlipped = index % 3 == 2
        let extent = ZYX(slices, rows, size)
        let frame = Frame(extent: extent, spacing: spacing, isFlipped: isFlipped, generator: &generator)
        if isFlipped {
            for start in stride(from: 0, to: voxels.count, by: rows * size) {
                voxels[start..<start + rows * size].reverse()
                labels[start..<start + rows * size].reverse()
            }
        }
        seriesUID = name
        scan = Volume(geometry: frame.geometry, voxels: voxels)
        lungMask = Volume(geometry: frame.geometry, voxels: labels)
        findings =
            placement.lesions.map {
                PhantomFinding(
                    kind: $0.kind, margin: $0.margin, site: $0.site, center: frame.world($0.center - canvas.corner),
                    diameter: $0.diameter)
            }
            + lures.map {
                PhantomFinding(
                    kind: $0.kind, margin: .smooth, site: $0.site,
                    center: frame.world($0.shape.center - canvas.corner), diameter: $0.diameter)
            }
        nodules = findings.filter(\.kind.isNodule).map { NoduleAnnotation(center: $0.center, diameter: $0.diameter) }
    }
}
