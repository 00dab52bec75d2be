import Basics
import CT
import Detection

/// The crops that one replica gives the network at once, and their labels.
public struct MicroBatch: Sendable {
    /// The voxels [N, 1, D, H, W] as (grey level − 128)/128.
    public var input: Tensor
    /// The coordinate ramps [N, 3, D/4, H/4, W/4], −0.5 to 0.5 over the crops' volumes.
    public var coord: Tensor
    /// The recipe's labels [N, D/4, H/4, W/4, anchors, components].
    public var labels: Tensor
    /// The scans that the crops come from, one for each crop.
    public var seriesUIDs: [String]
}

/// Makes crops out of patches, and micro-batches out of crops.
struct CropBuilder: Sendable {
    let source: any PatchSource
    let configuration: SamplingConfiguration
    private let recipe: any Recipe

    init(source: any PatchSource, configuration: SamplingConfiguration) {
        self.source = source
        self.configuration = configuration
        recipe = configuration.recipe.recipe(anchors: configuration.preset.anchors)
    }

    /// A training crop, changed at random as configured.
    func trainingCrop(_ sample: Sample, _ generator: inout CounterGenerator) throws -> (Crop, seriesUID: String) {
        let augmentation = configuration.augmentation
        switch sample {
        case .target(let index):
            let patch = source.patches[index]
            guard let target = patch.target else {
                return try trainingCrop(.random(patch: index, scaledFor: nil), &generator)
            }
            let geometry = CropGeometry.targeted(
                center: patch.nodules[target].center, diameter: patch.nodules[target].diameter,
                cropSize: configuration.cropSize,
                scaledTo: augmentation.scale ? configuration.preset.smallestScaledDiameter : nil, patch: patch,
                side: source.patchSide, generator: &generator)
            var crop = try cut(index, geometry, target: target)
            change(&crop, &generator)
            return (crop, patch.seriesUID)
        case .random(let index, let diameter):
            let patch = source.patches[index]
            let smallest = configuration.preset.smallestScaledDiameter
            let scale = diameter.map { CropGeometry.scaleRange(diameter: $0, smallest: smallest) }
            let geometry = CropGeometry.random(
                cropSize: configuration.cropSize, scale: augmentation.scale ? scale : nil, patch: patch,
                side: source.patchSide, generator: &generator)
            return (try cut(index, geometry, target: nil), patch.seriesUID)
        }
    }

    /// The training crop at a position of an epoch's samples, and the generator that goes on to draw its labels.
    func trainingCrop(
        _ samples: [Sample], epoch: Int, position: Int
    ) throws -> (crop: (Crop, seriesUID: String), generator: CounterGenerator) {
        var generator = CounterGenerator(
            seed: configuration.seed, purpose: "sample", UInt64(epoch), UInt64(position))
        return (try trainingCrop(samples[position], &generator), generator)
    }

    /// A validation crop around the nodule of a patch: placed at random once and for all, not changed.
    func validationCrop(_ index: Int, _ generator: inout CounterGenerator) throws -> (Crop, seriesUID: String) {
        let patch = source.patches[index]
        let target = patch.target ?? 0
        let geometry = CropGeometry.targeted(
            center: patch.nodules[target].center, diameter: patch.nodules[target].diameter,
            cropSize: configuration.cropSize, scaledTo: nil, patch: patch, side: source.patchSide,
            generator: &generator)
        return (try cut(index, geometry, target: target), patch.seriesUID)
    }

    private func cut(_ index: Int, _ geometry: CropGeometry, target: Int?) throws -> Crop {
        let patch = source.patches[index]
        let side = configuration.cropSize
        let first = geometry.start - patch.corner
        var voxels = CubeResampling.cut(
            try source.voxels(index), side: source.patchSide, first: (first.z, first.y, first.x), size: geometry.size)
        if geometry.size != side || geometry.scale != 1 {
            let output = Int((Double(geometry.size) * geometry.scale).rounded(.toNearestOrEven))
            voxels = CubeResampling.resample(
                voxels, from: geometry.size, to: output, side: side, padding: CleanVolume.padding)
        }
        return Crop(
            side: side, voxels: voxels,
            nodules: patch.nodules.map {
                Box(center: geometry.crop($0.center), diameter: $0.diameter * geometry.scale)
            }, target: target,
            coord: Crop.ramps(
                start: geometry.start, size: geometry.size, extent: patch.volumeExtent, cells: side / Grid.stride),
            changes: CropChanges(scale: geometry.scale))
    }

    /// Rotates the crop, swaps its axes and flips it, in this order and as configured.
    private func change(_ crop: inout Crop, _ generator: inout CounterGenerator) {
        let augmentation = configuration.augmentation
        if augmentation.rotate {
            // Three tries, as the original: most angles keep a target that lies well inside.
            for _ in 0..<3 {
                let angle = generator.uniform(0, Double.pi)
                if let turned = crop.rotated(by: angle, padding: CleanVolume.padding) {
                    crop = turned
                    break
                }
            }
        }
        if augmentation.swap {
            var order = [0, 1, 2]
            generator.shuffle(&order)
            crop.permute(order, reversed: [false, false, false])
        }
        if augmentation.flip {
            crop.permute([0, 1, 2], reversed: [false, generator.coin(), generator.coin()])
        }
    }

    /// Stacks crops and their labels into a micro-batch.
    func stack(
        _ crops: [(crop: Crop, seriesUID: String)], mode: RecipeMode, generators: [CounterGenerator]
    ) -> MicroBatch {
        let side = configuration.cropSize
        let cells = side / Grid.stride
        var input: [Float] = []
        var coord: [Float] = []
        var labels: [Float] = []
        input.reserveCapacity(crops.count * side * side * side)
        for (index, (crop, _)) in crops.enumerated() {
            var generator = generators[index]
            input.append(contentsOf: crop.voxels.lazy.map { (Float($0) - 128) / 128 })
            coord.append(contentsOf: crop.coord)
            labels.append(
                contentsOf: recipe.labels(
                    grid: ZYX(repeating: cells), nodules: crop.nodules, target: crop.target.map { crop.nodules[$0] },
                    mode: mode, generator: &generator))
        }
        return MicroBatch(
            input: Tensor(shape: [crops.count, 1, side, side, side], values: input),
            coord: Tensor(shape: [crops.count, 3, cells, cells, cells], values: coord),
            labels: Tensor(
                shape: [crops.count, cells, cells, cells, recipe.anchorsPerCell, recipe.components],
                values: labels),
            seriesUIDs: crops.map(\.seriesUID))
    }
}
