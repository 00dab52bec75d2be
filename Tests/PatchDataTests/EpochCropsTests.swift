import Basics
import CT
import Detection
import Testing

@testable import PatchData

@Suite struct EpochCropsTests {
    /// The crops that people look at are those that the network gets: the same bits as the loader's.
    @Test(arguments: [1, 3])
    func cropsAreTheLoaders(epoch: Int) throws {
        let source = MemorySource.made()
        let configuration = SamplingConfiguration(
            preset: .luna16, cropSize: 32, seed: 7, validationFold: nil, replicas: 2, microBatch: 2,
            augmentation: Augmentation(flip: true, swap: true, rotate: true, scale: true))
        let crops = try EpochCrops(source: source, configuration: configuration, epoch: epoch)
        let loader = try TrainingLoader(source: source, configuration: configuration, replicas: 0..<2, threads: 1)
        loader.start(epoch: epoch, step: 0)
        var position = 0
        for _ in 0..<2 * loader.stepsPerEpoch {
            let batch = try loader.next()
            let (voxels, labels) = (batch.input.count / 2, batch.labels.count / 2)
            for index in 0..<2 {
                let crop = try crops.crop(position)
                #expect(crop.seriesUID == batch.seriesUIDs[index])
                #expect(
                    crop.voxels.map { (Float($0) - 128) / 128 }
                        == Array(batch.input.values[index * voxels..<(index + 1) * voxels]))
                #expect(crop.labels == Array(batch.labels.values[index * labels..<(index + 1) * labels]))
                position += 1
            }
        }
        #expect(position > 8 && position <= crops.count)
    }

    /// The record of what was done leads every voxel of the crop back to where it was.
    @Test func changesSayWhatWasDone() {
        let side = 4
        let voxels = (0..<UInt8(side * side * side)).map { $0 }
        let coord = [Float](repeating: 0, count: 3)
        var crop = Crop(side: side, voxels: voxels, nodules: [], target: nil, coord: coord)
        crop.permute([2, 0, 1], reversed: [true, false, false])
        crop.permute([1, 0, 2], reversed: [false, false, true])
        crop.permute([0, 1, 2], reversed: [false, true, false])
        let changes = crop.changes
        #expect(changes.order.sorted() == [0, 1, 2])
        for place in voxels.indices {
            let here = [place / 16, place / 4 % 4, place % 4]
            var there = [0, 0, 0]
            for axis in 0..<3 {
                there[changes.order[axis]] = changes.reversed[axis] ? side - 1 - here[axis] : here[axis]
            }
            #expect(Int(crop.voxels[place]) == there[0] * 16 + there[1] * 4 + there[2])
        }
    }

    @Test func scaleAndAngleAreRecorded() throws {
        let builder = CropBuilder(
            source: MemorySource.made(),
            configuration: SamplingConfiguration(
                preset: .luna16, cropSize: 32, seed: 7, validationFold: nil, replicas: 1, microBatch: 1,
                augmentation: Augmentation(flip: false, rotate: true, scale: true)))
        let patches = builder.source.patches
        let index = try #require(
            patches.indices.first { i in patches[i].target.map { patches[i].nodules[$0].diameter } == 12 })
        var scales: Set<Double> = []
        for position in 0..<6 {
            var generator = CounterGenerator(seed: 1, purpose: "test", UInt64(position))
            let crop = try builder.trainingCrop(.target(patch: index), &generator).0
            #expect(abs(crop.nodules[try #require(crop.target)].diameter - 12 * crop.changes.scale) < 1e-12)
            #expect(crop.changes.reversed == [false, false, false])
            scales.insert(crop.changes.scale)
        }
        #expect(scales.count == 6)
    }
}
