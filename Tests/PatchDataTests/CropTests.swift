import Basics
import CT
import Detection
import Testing

@testable import PatchData

@Suite struct CropTests {
    private static func configuration(
        cropSize: Int, _ augmentation: Augmentation = Augmentation(flip: true, swap: true, scale: true)
    ) -> SamplingConfiguration {
        SamplingConfiguration(
            preset: .luna16, cropSize: cropSize, seed: 3, validationFold: nil, replicas: 1, microBatch: 1,
            augmentation: augmentation)
    }

    /// The recipe's known answer: extent 300, centre 50.3, diameter 9, crop 128, bound 12.
    @Test func startsOfTheKnownAnswer() {
        let starts = CropGeometry.starts(center: 50.3, diameter: 9, size: 128, bound: 12)
        #expect(starts == -60..<34)
    }

    @Test func aNoduleTooLargeHasNoStarts() {
        #expect(CropGeometry.starts(center: 50, diameter: 90, size: 96, bound: 12).isEmpty)
    }

    @Test(arguments: [
        (4.0, 1.0, 1.25), (8, 1, 1.25), (10, 0.8, 1.25), (32, 0.75, 1.25), (100, 0.75, 1.2), (200, 0.75, 1),
    ])
    func scalesKeepNodulesBetween8And120(diameter: Double, low: Double, high: Double) {
        let range = CropGeometry.scaleRange(diameter: diameter, smallest: 8)
        #expect(abs(range.lowerBound - low) < 1e-12 && abs(range.upperBound - high) < 1e-12)
    }

    @Test(arguments: [(3.0, 1.0), (4, 1), (5, 0.8), (8, 0.75)])
    func smallNodulesMayBeShrunk(diameter: Double, low: Double) {
        #expect(abs(CropGeometry.scaleRange(diameter: diameter, smallest: 4).lowerBound - low) < 1e-12)
    }

    /// Where the boxes say a nodule is, there the voxels are bright, whatever was done to the crop.
    @Test(arguments: [32, 48])
    func nodulesStayWhereTheirVoxelsAre(cropSize: Int) throws {
        let source = MemorySource.made(cropSize: cropSize)
        let builder = CropBuilder(source: source, configuration: Self.configuration(cropSize: cropSize))
        var checked = 0
        for index in source.patches.indices where source.patches[index].kind == .nodule {
            for position in 0..<12 {
                var generator = CounterGenerator(seed: 1, purpose: "test", UInt64(position))
                let (crop, _) = try builder.trainingCrop(.target(patch: index), &generator)
                #expect(crop.voxels.count == cropSize * cropSize * cropSize)
                let target = crop.nodules[try #require(crop.target)]
                let center = target.center.map { Int($0.rounded()) }
                // Larger than a crop: its centre may lie anywhere.
                guard center.array.allSatisfy({ 0..<cropSize ~= $0 }) else {
                    #expect(target.diameter > Double(cropSize) / 2)
                    continue
                }
                #expect(crop.voxels[(center.z * cropSize + center.y) * cropSize + center.x] > 150)
                checked += 1
            }
        }
        #expect(checked >= 48)
    }

    /// Brightness-weighted centre of a lone nodule against its box: within half a voxel after scaling and flips.
    @Test func theBoxIsCentredOnTheBall() throws {
        let volume = MadeScans.volume(
            "1", extent: ZYX(70, 70, 70), nodules: [Nodule(center: ZYX(30, 35, 40), diameter: 11)])
        let source = MemorySource([(0, volume)], cropSize: 48)
        let builder = CropBuilder(source: source, configuration: Self.configuration(cropSize: 48))
        for position in 0..<10 {
            var generator = CounterGenerator(seed: 2, purpose: "test", UInt64(position))
            let (crop, _) = try builder.trainingCrop(.target(patch: 0), &generator)
            var sum = ZYX(0.0, 0.0, 0.0)
            var weight = 0.0
            let box = crop.nodules[0]
            for z in 0..<48 {
                for y in 0..<48 {
                    for x in 0..<48 {
                        let place = ZYX(Double(z), Double(y), Double(x))
                        // Padding (170) outside the volume is bright, too.
                        let isNear = (place - box.center).array.allSatisfy { abs($0) < box.diameter / 2 + 3 }
                        let value = isNear ? max(0, Double(crop.voxels[(z * 48 + y) * 48 + x]) - 100) : 0
                        sum = sum + place * value
                        weight += value
                    }
                }
            }
            let found = sum.map { $0 / weight }
            #expect((found - box.center).array.allSatisfy { abs($0) < 0.75 }, "\(found), box \(box)")
        }
    }

    /// A coordinate ramp names the voxel it lies on, in every orientation of the crop.
    @Test func rampsFollowTheVoxels() {
        let ramps = Crop.ramps(start: ZYX(-10, 0, 30), size: 40, extent: ZYX(100, 80, 60), cells: 8)
        let count = 8 * 8 * 8
        #expect(ramps[0] == -0.6 && ramps[count - 1] == Float(0.3 - 0.5))
        #expect(ramps[count] == -0.5 && ramps[2 * count - 1] == 0)
        #expect(ramps[2 * count] == 0 && abs(ramps[3 * count - 1] - Float(70.0 / 60 - 0.5)) < 1e-6)
        var crop = Crop(
            side: 32, voxels: (0..<32 * 32 * 32).map { UInt8(truncatingIfNeeded: $0 % 32 * 8) }, nodules: [],
            target: nil,
            coord: ramps)
        let before = crop
        crop.permute([0, 1, 2], reversed: [false, true, true])
        #expect(crop.coord != before.coord && crop.voxels[0] == 248)
        crop.permute([0, 1, 2], reversed: [false, true, true])
        #expect(crop.coord == before.coord && crop.voxels == before.voxels)
    }

    @Test func theNetworkSeesNormalisedGreyLevels() throws {
        let source = MemorySource.made()
        let validation = ValidationSet(
            source: source,
            configuration: SamplingConfiguration(
                preset: .luna16, cropSize: 32, seed: 1, validationFold: 0, replicas: 1, microBatch: 1,
                augmentation: Augmentation()))
        let batch = try validation.sample(0)
        #expect(batch.input.shape == [1, 1, 32, 32, 32])
        #expect(batch.coord.shape == [1, 3, 8, 8, 8])
        #expect(batch.labels.shape == [1, 8, 8, 8, 3, 5])
        // Grey 100, nodule 200, padding 170, and nothing else: validation crops are not scaled.
        let levels = Set(batch.input.values.map { $0 * 128 + 128 })
        #expect(levels.isSubset(of: [100, 200, 170]) && levels.contains(200))
        let positives = stride(from: 0, to: batch.labels.count, by: 5).count { batch.labels.values[$0] > 0.5 }
        #expect(positives == 1)
    }

    @Test(arguments: [(1, 1), (5, 5), (5, 4), (6, 8), (9, 7)])
    func resamplingAlignsTheFirstAndLastSample(from: Int, to: Int) {
        // A ramp stays a ramp: value k·(n − 1)/(m − 1) along x.
        let cube = (0..<from * from * from).map { UInt8($0 % from * 20) }
        let result = CubeResampling.resample(cube, from: from, to: to, side: to + 1, padding: 170)
        for x in 0..<to {
            let expected = to > 1 ? Double(x) * Double(from - 1) / Double(to - 1) * 20 : 0
            #expect(abs(Double(result[x]) - expected) <= 0.5001)
        }
        #expect(result[to] == 170 && result.last == 170)
    }
}
