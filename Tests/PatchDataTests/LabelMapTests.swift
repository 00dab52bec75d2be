import Basics
import CT
import Detection
import Foundation
import Testing

@testable import PatchData

/// The label maps of crops from patches against the recipe's rules, cell by cell and without any short cut: for nodules
/// at the border, larger than the patch, several in one patch, none in a scan; swapped and rotated, too.
@Suite struct LabelMapTests {
    private static let anchors = Preset.luna16.anchors
    private static let cropSize = 48

    /// Intersection over union of two cubes.
    private static func overlap(_ a: Box, _ b: Box) -> Double {
        var shared = 1.0
        for axis in 0..<3 {
            let low = max(a.center[axis] - a.diameter / 2, b.center[axis] - b.diameter / 2)
            let high = min(a.center[axis] + a.diameter / 2, b.center[axis] + b.diameter / 2)
            shared *= max(0, high - low)
        }
        return shared / (pow(a.diameter, 3) + pow(b.diameter, 3) - shared)
    }

    private static func check(_ labels: [Float], _ crop: Crop) throws {
        let cells = cropSize / 4
        #expect(labels.count == cells * cells * cells * anchors.count * 5)
        var positives: [(cell: Box, label: [Float])] = []
        var negatives = 0
        var free = 0
        var wellOverlapped = 0
        var isIgnoredWhereItMust = true
        for index in 0..<cells * cells * cells * anchors.count {
            let place = index / anchors.count
            let center = ZYX(place / (cells * cells), place / cells % cells, place % cells).map { 1.5 + 4 * Double($0) }
            let cell = Box(center: center, diameter: anchors[index % anchors.count])
            let label = Array(labels[index * 5..<index * 5 + 5])
            let isTouched = crop.nodules.contains { overlap(cell, $0) >= 0.02 }
            if !isTouched { free += 1 }
            if let target = crop.target, overlap(cell, crop.nodules[target]) >= 0.5 { wellOverlapped += 1 }
            if label[0] > 0.5 {
                positives.append((cell, label))
            } else if label[0] < -0.5 {
                negatives += 1
                if isTouched { isIgnoredWhereItMust = false }
            }
        }
        #expect(isIgnoredWhereItMust)
        #expect(positives.count == (crop.target == nil ? 0 : 1))
        // A target that no cell suits may be given to a cell that had been kept as a negative.
        #expect((min(800, free) - 1...min(800, free)).contains(negatives))
        if wellOverlapped > 0 || crop.target == nil { #expect(negatives == min(800, free)) }
        guard let target = crop.target, let (cell, label) = positives.first else { return }
        let nodule = crop.nodules[target]
        if wellOverlapped > 0 { #expect(overlap(cell, nodule) >= 0.5) }
        for axis in 0..<3 {
            let offset = (nodule.center[axis] - cell.center[axis]) / cell.diameter
            #expect(abs(Double(label[1 + axis]) - offset) < 1e-5)
        }
        #expect(abs(Double(label[4]) - log(nodule.diameter / cell.diameter)) < 1e-5)
    }

    private static let hardVolumes: [CleanVolume] = [
        MadeScans.volume("none", extent: ZYX(60, 70, 80)),
        MadeScans.volume(
            "border", extent: ZYX(60, 70, 80),
            nodules: [
                Nodule(center: ZYX(0.2, 35, 40), diameter: 6), Nodule(center: ZYX(59, 69, 79), diameter: 12),
                Nodule(center: ZYX(30, -0.4, 79.4), diameter: 4),
            ]),
        MadeScans.volume(
            "larger", extent: ZYX(90, 130, 130), nodules: [Nodule(center: ZYX(40, 60, 60), diameter: 85)]),
        MadeScans.volume(
            "several", extent: ZYX(60, 70, 80),
            nodules: (0..<6).map {
                Nodule(center: ZYX(20 + 4 * Double($0), 30 + 3 * Double($0), 35.5), diameter: 4 + 3 * Double($0))
            }),
        MadeScans.volume("tiny", extent: ZYX(9, 12, 14), nodules: [Nodule(center: ZYX(4, 5, 6), diameter: 4)]),
    ]

    @Test(
        arguments: [
            Augmentation(), Augmentation(flip: true, swap: true, rotate: true, scale: true),
            Augmentation(flip: false, swap: false, rotate: true, scale: false),
        ])
    func labelsFollowTheRecipe(augmentation: Augmentation) throws {
        let source = MemorySource(Self.hardVolumes.map { (0, $0) }, cropSize: Self.cropSize, jitter: 4)
        let builder = CropBuilder(
            source: source,
            configuration: SamplingConfiguration(
                preset: .luna16, cropSize: Self.cropSize, seed: 3, validationFold: nil, replicas: 1, microBatch: 1,
                augmentation: augmentation))
        for index in source.patches.indices {
            let isNodule = source.patches[index].kind == .nodule
            for draw in 0..<3 {
                var generator = CounterGenerator(seed: 4, purpose: "sample", UInt64(index), UInt64(draw))
                let sample: Sample = isNodule ? .target(patch: index) : .random(patch: index, scaledFor: 15)
                let made = try builder.trainingCrop(sample, &generator)
                let batch = builder.stack([made], mode: .training, generators: [generator])
                try Self.check(batch.labels.values, made.0)
                #expect(batch.input.values.allSatisfy { $0 >= -1 && $0 < 1 })
            }
        }
    }

    /// Turning by an angle takes voxels and boxes to the same place: the ball's centre of brightness is its box's.
    @Test func rotationMovesVoxelsAndBoxesAlike() throws {
        let side = 48
        let center = ZYX(20.0, 30, 19)
        let volume = MadeScans.volume(
            "1", extent: ZYX(side, side, side), nodules: [Nodule(center: center, diameter: 9)])
        let crop = Crop(
            side: side, voxels: volume.voxels, nodules: [Box(center: center, diameter: 9)], target: 0,
            coord: Crop.ramps(start: ZYX(0, 0, 0), size: side, extent: volume.extent, cells: side / 4))
        for angle in [0.3, 1.2, 2.9] {
            let turned = try #require(crop.rotated(by: angle, padding: 100))
            var sum = ZYX(0.0, 0, 0)
            var weight = 0.0
            for index in turned.voxels.indices {
                let value = max(0, Double(turned.voxels[index]) - 100)
                sum = sum + ZYX(index / (side * side), index / side % side, index % side).map(Double.init) * value
                weight += value
            }
            let found = sum.map { $0 / weight }
            let box = turned.nodules[0].center
            #expect((found - box).array.allSatisfy { abs($0) < 0.3 }, "\(angle): \(found), box \(box)")
            // What the turned coordinates say of the cell under the nodule is what they said of it before.
            func coordinates(_ crop: Crop, _ point: ZYX<Double>) -> [Double] {
                let n = side / 4
                let cell = point.map { Int((($0 - 1.5) / 4).rounded()) }
                return (0..<3).map { Double(crop.coord[(($0 * n + cell.z) * n + cell.y) * n + cell.x]) }
            }
            let (before, after) = (coordinates(crop, center), coordinates(turned, box))
            for axis in 0..<3 { #expect(abs(before[axis] - after[axis]) < 0.09) }
        }
    }
}
