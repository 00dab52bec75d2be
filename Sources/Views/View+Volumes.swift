import Basics
import CT
import FileIO
import PatchData
import Pictures

extension View {
    /// Nodules of one volume that are drawn; no scan has as many.
    static let noduleLimit = 100

    /// The pictures of a clean volume: three slices through every nodule, or three middle ones where there is none, and
    /// a contact sheet of axial slices from the head down.
    ///
    /// - Parameters:
    ///   - slices: Of the contact sheet.
    ///   - file: The volume's file, for errors.
    /// - Throws: `InputError` where the volume is too long to be drawn.
    public static func volume(_ volume: CleanVolume, slices: Int, file: String) throws -> [View] {
        try requireViewable(volume.extent, file: file, at: "/volume")
        let grid = VoxelGrid(volume)
        var views = volume.nodules.prefix(noduleLimit).indices.map { index in
            View("\(volume.seriesUID)-nodule-\(number(index + 1))") { nodule(index, of: volume, grid) }
        }
        if views.isEmpty { views = [View("\(volume.seriesUID)-middle") { middle(of: volume, grid) }] }
        return views + [View("\(volume.seriesUID)-slices") { slicesSheet(of: volume, grid, count: slices) }]
    }

    /// Pixels for each voxel at which three whole slices fit side by side.
    private static func scale(_ extent: ZYX<Int>) -> Int { min(4, max(1, 2000 / (2 * extent.x + extent.y))) }

    private static func nodule(_ index: Int, of volume: CleanVolume, _ grid: VoxelGrid) -> Picture {
        let nodule = volume.nodules[index]
        let whole = Plane.allCases.map { plane in
            var panel = Panel(grid, plane, through: nodule.center, scale: scale(volume.extent), smooth: true)
            mark(&panel, volume.nodules, besides: index)
            panel.circle(center: nodule.center, diameter: nodule.diameter, Marks.nodule)
            panel.letters()
            panel.scaleBar(50)
            return panel.picture
        }
        let row = Picture.row(whole)
        // Enlarged: twice the nodule at least, 48 mm as a rule.
        let window = min(max(48, Int(2 * nodule.diameter)), volume.extent.array.max() ?? 48)
        let closeUps = Plane.allCases.map { plane in
            var panel = Panel(
                grid, plane, through: nodule.center, window: window, scale: max(1, (row.width - 16) / 3 / window),
                smooth: true)
            mark(&panel, volume.nodules, besides: index)
            panel.circle(center: nodule.center, diameter: nodule.diameter, Marks.nodule)
            panel.scaleBar(10)
            return panel.picture
        }
        let closeUpRow = Picture.row(closeUps)
        let width = max(row.width, closeUpRow.width, 600)
        let caption = """
            nodule \(index + 1)/\(volume.nodules.count), diameter \(Caption.millimetres(nodule.diameter)) mm
            world \(Caption.place(volume.frame.world(nodule.center))); voxel \(Caption.place(nodule.center)) \
            of \(volume.extent.z) x \(volume.extent.y) x \(volume.extent.x)
            """
        return Picture.column(
            [
                Picture.text(volume.seriesUID, width: width), row, closeUpRow,
                Picture.text(caption, width: width),
            ], gap: 10
        ).framed()
    }

    private static func middle(of volume: CleanVolume, _ grid: VoxelGrid) -> Picture {
        let row = Picture.row(
            Plane.allCases.map { plane in
                var panel = Panel(grid, plane, through: grid.middle, scale: scale(volume.extent), smooth: true)
                panel.letters()
                panel.scaleBar(50)
                return panel.picture
            })
        let width = max(row.width, 600)
        let caption = """
            no nodule; the middle slices of \(volume.extent.z) x \(volume.extent.y) x \(volume.extent.x) voxels \
            (z, y, x), around world \(Caption.place(volume.frame.world(grid.middle)))
            """
        return Picture.column(
            [Picture.text(volume.seriesUID, width: width), row, Picture.text(caption, width: width)], gap: 10
        ).framed()
    }

    /// Circles the other nodules that the slice cuts.
    private static func mark(_ panel: inout Panel, _ nodules: [Nodule], besides index: Int) {
        for (other, nodule) in nodules.prefix(noduleLimit).enumerated() where other != index {
            panel.circle(center: nodule.center, diameter: nodule.diameter, Marks.nodule, dashed: true)
        }
    }

    private static func slicesSheet(of volume: CleanVolume, _ grid: VoxelGrid, count: Int) -> Picture {
        let depth = volume.extent.z
        let shown = min(count, depth)
        // Evenly spaced, half a distance from either end.
        let fromBelow = (0..<shown).map { (2 * $0 + 1) * depth / (2 * shown) }
        let slices = grid.reversed.z ? fromBelow : fromBelow.reversed()
        let nodules = volume.nodules.prefix(noduleLimit)
        // A nodule between two slices is shown on the nearer one.
        let nearest = nodules.map { nodule in
            slices.min { abs(Double($0) - nodule.center.z) < abs(Double($1) - nodule.center.z) } ?? 0
        }
        let scale = max(1, min(4, 256 / max(volume.extent.y, volume.extent.x)))
        let tiles = slices.map { slice -> ContactSheet.Tile in
            var panel = Panel(
                grid, .axial, through: ZYX(Double(slice), 0, 0), scale: scale, smooth: true)
            for (nodule, near) in zip(nodules, nearest) {
                let isCut = abs(nodule.center.z - Double(slice)) < nodule.diameter / 2
                panel.circle(
                    center: nodule.center, diameter: nodule.diameter, Marks.nodule, dashed: !isCut,
                    always: near == slice)
            }
            panel.scaleBar(50)
            let height = volume.frame.world(ZYX(Double(slice), 0, 0)).z
            return ContactSheet.Tile(
                panel.picture, caption: "z \(slice), world \(Caption.millimetres(height)) mm")
        }
        return ContactSheet(
            title: "\(volume.seriesUID)\naxial slices from the head down, "
                + Caption.count(volume.nodules.count, "nodule"),
            legend: nodules.isEmpty ? "" : "circle: nodule; dashed: nodule that lies between slices",
            tiles: tiles
        ).picture()
    }

    /// An overview of a data set: the middle coronal slice of each volume.
    public static func scans(_ dataset: PatchDataset, limit: Int) -> [View] {
        let volumes = dataset.volumes()
        let shown = min(limit, volumes.count)
        // One scale for all, as the patches know their volumes' extents.
        let names = Set(volumes.prefix(shown).map(\.seriesUID))
        let longest = dataset.patches.filter { names.contains($0.seriesUID) }.map {
            max($0.volumeExtent.z, $0.volumeExtent.x)
        }.max()
        let scale = max(1, min(4, 400 / (longest ?? 400)))
        return pages(
            "scans", count: shown,
            title: "\(Caption.count(volumes.count, "scan")), middle coronal slices"
                + (shown < volumes.count ? " of the first \(shown)" : ""), legend: "R on the left, head on top"
        ) { index in
            let entry = volumes[index]
            let volume = try CleanVolumeFile.read(entry.path)
            try requireViewable(volume.extent, file: entry.path, at: "/volume")
            let grid = VoxelGrid(volume)
            var panel = Panel(grid, .coronal, through: grid.middle, scale: scale, smooth: true)
            panel.scaleBar(50)
            return ContactSheet.Tile(
                panel.picture,
                caption: "\(Caption.short(entry.seriesUID))\nfold \(entry.fold), "
                    + Caption.count(volume.nodules.count, "nodule"))
        }
    }
}
