import Basics
import CT
import Detection
import Foundation
import PatchData
import Pictures

extension View {
    /// Contact sheets of patches: three slices of each, through the nodule it was cut for or through its middle.
    ///
    /// - Parameters:
    ///   - name: Of the files.
    ///   - file: The shard, for errors.
    /// - Throws: `InputError` where the patches are too large to be drawn.
    public static func patches(_ source: some PatchSource, name: String, limit: Int, file: String) throws -> [View] {
        let side = source.patchSide
        try requireViewable(ZYX(repeating: side), file: file, at: "/patches")
        let count = min(limit, source.patches.count)
        return pages(
            "\(name)-patches", count: count,
            title: "\(name): \(Caption.count(source.patches.count, "patch").replacing("patchs", with: "patches")) of "
                + "\(side) x \(side) x \(side) mm" + (count < source.patches.count ? ", the first \(count)" : ""),
            legend: "circle: nodule the patch was cut for; dashed: other nodules of the scan"
        ) { index in
            let patch = source.patches[index]
            let corner = patch.corner.map(Double.init)
            let nodules = patch.nodules.map { Box(center: $0.center - corner, diameter: $0.diameter) }
            let grid = VoxelGrid(cube: try source.voxels(index), side: side)
            let point = patch.target.map { nodules[$0].center } ?? grid.middle
            let what = patch.target.map { "nodule \(Caption.millimetres(nodules[$0].diameter)) mm" } ?? "background"
            return ContactSheet.Tile(
                slices(of: grid, through: point, nodules, target: patch.target),
                caption: "\(index + 1). \(Caption.short(patch.seriesUID)) \(what)\n"
                    + "first voxel z \(patch.corner.z) y \(patch.corner.y) x \(patch.corner.x)")
        }
    }

    /// Contact sheets of what the network sees in an epoch's first crops, and of their labels: slices through the
    /// target and through the positive cell.
    public static func crops(_ crops: EpochCrops, limit: Int, recipe: any Recipe) -> [View] {
        let count = min(limit, crops.count)
        let title = "epoch \(crops.epoch): the first \(count) of \(crops.count)"
        let seen = pages(
            "crops-epoch-\(crops.epoch)", count: count, title: title + " crops, as the network sees them",
            legend: "circle: target; dashed: other nodules"
        ) { position in
            let crop = try crops.crop(position)
            let grid = VoxelGrid(cube: crop.voxels, side: crop.side)
            let point = crop.target.map { crop.nodules[$0].center } ?? grid.middle
            return ContactSheet.Tile(
                slices(
                    of: grid, through: point, crop.nodules, target: crop.target, enlarged: crop.changes.scale),
                caption: "\(position + 1). \(Caption.short(crop.seriesUID)) \(target(of: crop))\n"
                    + "\(changes(crop.changes))")
        }
        let labelled = pages(
            "labels-epoch-\(crops.epoch)", count: count, title: title + " crops with their labels",
            legend: """
                \(recipe.labelLegend) A cell is 4 x 4 x 4 voxels\(anchors(of: recipe)).
                """
        ) { position in try labels(of: crops.crop(position), position, recipe) }
        return seen + labelled
    }

    private static func anchors(of recipe: any Recipe) -> String {
        guard !recipe.anchors.isEmpty else { return "" }
        let sizes = recipe.anchors.map { "\(Int($0))" }.joined(separator: ", ")
        return " with \(Caption.count(recipe.anchors.count, "anchor")) (\(sizes) mm), any of which may be meant"
    }

    /// Three slices side by side with the nodules circled.
    static func slices(
        of grid: VoxelGrid, through point: ZYX<Double>, _ nodules: [Box], target: Int?, enlarged: Double = 1,
        mark: (inout Panel) -> Void = { _ in }
    ) -> Picture {
        // A target larger than its crop may have its middle outside.
        let inside = ZYX(0, 1, 2).map { min(max(0, point[$0]), Double(grid.extent[$0] - 1)) }
        return Picture.row(
            Plane.allCases.map { plane in
                var panel = Panel(
                    grid, plane, through: inside, scale: max(1, min(4, 256 / grid.extent.x)), smooth: false)
                mark(&panel)
                for (index, nodule) in nodules.prefix(noduleLimit).enumerated() {
                    panel.circle(
                        center: nodule.center, diameter: nodule.diameter, Marks.nodule, dashed: index != target)
                }
                panel.name()
                panel.scaleBar(20, enlarged: enlarged)
                return panel.picture
            }, gap: 4)
    }

    /// A crop with the classes of its cells.
    private static func labels(of crop: SampledCrop, _ position: Int, _ recipe: any Recipe) -> ContactSheet.Tile {
        let anchors = recipe.anchorsPerCell
        let cells = crop.side / Grid.stride
        let grid = ZYX(repeating: cells)
        let near = Set(recipe.ignoredAnchors(near: crop.nodules, grid: grid).map { $0 / anchors })
        var positives: [Int] = []
        var negatives: Set<Int> = []
        var negativeCount = 0
        for index in 0..<grid.product * anchors {
            let label = crop.labels[recipe.components * index]
            if label > 0.5 { positives.append(index) }
            if label < -0.5 {
                negativeCount += 1
                negatives.insert(index / anchors)
            }
        }
        func place(_ cell: Int) -> ZYX<Int> { ZYX(cell / (cells * cells), cell / cells % cells, cell % cells) }
        let voxels = VoxelGrid(cube: crop.voxels, side: crop.side)
        let point = positives.first.map { place($0 / anchors).map(recipe.place) } ?? voxels.middle
        let picture = slices(
            of: voxels, through: point, crop.nodules, target: crop.target, enlarged: crop.changes.scale
        ) { panel in
            for cell in 0..<grid.product where place(cell)[panel.plane.normal] == panel.slice / Grid.stride {
                let first = place(cell).map { $0 * Grid.stride }
                if near.contains(cell) { panel.square(first: first, size: Grid.stride, inset: 1, Marks.ignored) }
                if negatives.contains(cell) { panel.dot(first: first, size: Grid.stride, Marks.negative) }
                if positives.contains(where: { $0 / anchors == cell }) {
                    panel.square(first: first, size: Grid.stride, inset: 0, Marks.positive, stroke: 2)
                }
            }
        }
        let answered = recipe.anchors.isEmpty ? [] : positives.map { "\(Int(recipe.anchors[$0 % anchors]))" }
        let answer =
            switch positives.count {
            case 0: "no positive"
            case let count where answered.isEmpty: Caption.count(count, "positive")
            case 1: "positive: anchor \(answered[0]) mm"
            default: "\(answered.count) positives: anchors \(Set(answered).sorted().joined(separator: ", ")) mm"
            }
        return ContactSheet.Tile(
            picture,
            caption: "\(position + 1). \(Caption.short(crop.seriesUID)) \(target(of: crop))\n"
                + "\(answer), \(negativeCount) negatives")
    }

    private static func target(of crop: SampledCrop) -> String {
        // As it was before it was scaled.
        let diameter = crop.target.map { crop.nodules[$0].diameter / crop.changes.scale }
        return diameter.map { "target \(Caption.millimetres($0)) mm" } ?? "random crop"
    }

    /// The changes that augmentation made, in words.
    static func changes(_ changes: CropChanges) -> String {
        let names = ["z", "y", "x"]
        var parts = [String(format: "scale %.2f", changes.scale)]
        if changes.angle != 0 { parts.append("turned \(Int((changes.angle * 180 / .pi).rounded())) degrees") }
        if changes.order != [0, 1, 2] {
            parts.append("axes " + changes.order.map { names[$0] }.joined(separator: " "))
        }
        let flips = changes.reversed.indices.filter { changes.reversed[$0] }.map { names[$0] }
        parts.append(flips.isEmpty ? "not flipped" : "flipped \(flips.joined(separator: " "))")
        return parts.joined(separator: ", ")
    }
}
