import Basics
import CT
import Detection
import Foundation
import Testing

@testable import PatchData

/// Thousands of drawn crops against the recipe's distributions, which are worked out here once more.
///
/// The generator's seed is fixed, so a test that passes always passes. Its limit is the one that a right sampler would
/// exceed once in a thousand seeds.
@Suite struct SamplingDistributionTests {
    /// Pearson's χ² of counts against expected frequencies, as a standard normal deviate (Wilson and Hilferty 1931).
    private static func deviation(_ counts: [Int], _ weights: [Double]) -> Double {
        let total = Double(counts.reduce(0, +))
        let sum = weights.reduce(0, +)
        let chi = zip(counts, weights).reduce(0) { partial, pair in
            let expected = total * pair.1 / sum
            return partial + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
        }
        let degrees = Double(counts.count - 1)
        return (pow(chi / degrees, 1 / 3) - (1 - 2 / (9 * degrees))) / (2 / (9 * degrees)).squareRoot()
    }

    private static let limit = 3.1

    /// Counts of values in equal parts of a range; those outside of it are counted apart.
    private static func histogram(_ values: [Double], _ range: Range<Double>, bins: Int) -> (
        inside: [Int], outside: Int
    ) {
        var counts = [Int](repeating: 0, count: bins)
        var outside = 0
        for value in values {
            guard range.contains(value) else {
                outside += 1
                continue
            }
            counts[Int((value - range.lowerBound) / (range.upperBound - range.lowerBound) * Double(bins))] += 1
        }
        return (counts, outside)
    }

    private static func nodulePatch(_ center: ZYX<Double>, _ diameter: Double, cropSize: Int, jitter: Int) -> PatchEntry
    {
        let side = PatchCutter.side(cropSize: cropSize, jitter: jitter)
        return PatchCutter(cropSize: cropSize, side: side, backgroundPatches: 0, seed: 0).entries(
            seriesUID: "1", fold: 0, extent: ZYX(300, 310, 320),
            nodules: [Nodule(center: center, diameter: diameter)])[0]
    }

    private static func targeted(
        _ center: ZYX<Double>, _ diameter: Double, scaled: Bool, count: Int, cropSize: Int = 96, jitter: Int = 24
    ) -> [CropGeometry] {
        let patch = nodulePatch(center, diameter, cropSize: cropSize, jitter: jitter)
        return (0..<count).map {
            var generator = CounterGenerator(seed: 17, purpose: "sample", UInt64($0))
            return CropGeometry.targeted(
                center: center, diameter: diameter, cropSize: cropSize, scaledTo: scaled ? 8 : nil, patch: patch,
                side: PatchCutter.side(cropSize: cropSize, jitter: jitter), generator: &generator)
        }
    }

    /// Unscaled, the patch reaches all the starts that the recipe has: each is drawn equally often on every axis.
    @Test(arguments: [4.0, 9, 31]) func startsAreEven(diameter: Double) {
        let center = ZYX(150.3, 97.8, 201.5)
        let crops = Self.targeted(center, diameter, scaled: false, count: 12_000)
        for axis in 0..<3 {
            let low = Int(ceil(center[axis] + diameter / 2)) + 1 + 12 - 96
            let high = Int(floor(center[axis] - diameter / 2)) + 1 - 12
            var counts = [Int](repeating: 0, count: high - low)
            for crop in crops { counts[crop.start[axis] - low] += 1 }
            #expect(Self.deviation(counts, counts.map { _ in 1 }) < Self.limit, "axis \(axis)")
        }
    }

    /// The crop of a nodule that fits no range lies about its centre, six voxels to either side.
    @Test func aNoduleTooLargeForTheCropIsCentred() {
        let center = ZYX(150.3, 97.8, 201.5)
        for axis in 0..<3 {
            var counts = [Int](repeating: 0, count: 12)
            for crop in Self.targeted(center, 90, scaled: false, count: 6000) {
                counts[crop.start[axis] - (Int(center[axis]) - 48 - 6)] += 1
            }
            #expect(Self.deviation(counts, counts.map { _ in 1 }) < Self.limit)
        }
    }

    /// Scales are even between 0.75 and 1.25, as far as the nodule stays within 8 and 120 mm; and a cube of int(crop /
    /// scale) voxels is cut, within which the nodule keeps its distance from the faces where the patch allows.
    @Test(arguments: [5.0, 9, 25, 110]) func scalesAreEven(diameter: Double) {
        let low = min(1, max(0.75, 8 / diameter))
        let high = max(1, min(1.25, 120 / diameter))
        let crops = Self.targeted(ZYX(150, 100, 200), diameter, scaled: true, count: 8000)
        let (counts, outside) = Self.histogram(crops.map(\.scale), low..<high, bins: 40)
        #expect(outside == 0)
        #expect(Self.deviation(counts, counts.map { _ in 1 }) < Self.limit)
        for crop in crops { #expect(crop.size == Int(96 / crop.scale)) }
        guard diameter < 60 else { return }
        for crop in crops.prefix(2000) {
            for axis in 0..<3 {
                let center = [150.0, 100, 200][axis]
                #expect(center - diameter / 2 >= Double(crop.start[axis]) + 11)
                #expect(center + diameter / 2 <= Double(crop.start[axis] + crop.size) - 12)
            }
        }
    }

    private static let randomCases: [(extent: ZYX<Int>, diameter: Double?)] = [
        (ZYX(300, 260, 220), nil), (ZYX(300, 260, 220), 30), (ZYX(90, 60, 130), nil),
    ]

    /// The centres of random crops are even over the recipe's range, for scaled ones over theirs, however large the
    /// scan.
    @Test(arguments: randomCases)
    func randomCropsAreEven(extent: ZYX<Int>, diameter: Double?) {
        let cropSize = 96
        let side = PatchCutter.side(cropSize: cropSize, jitter: 24)
        let cutter = PatchCutter(cropSize: cropSize, side: side, backgroundPatches: 8000, seed: 9)
        let patches = cutter.entries(seriesUID: "7", fold: 0, extent: extent, nodules: [])
        var places = [[Double]](repeating: [], count: 3)
        for (index, patch) in patches.enumerated() {
            var generator = CounterGenerator(seed: 3, purpose: "sample", UInt64(index))
            let crop = CropGeometry.random(
                cropSize: cropSize, scale: diameter.map { CropGeometry.scaleRange(diameter: $0, smallest: 8) },
                patch: patch,
                side: side, generator: &generator)
            for axis in 0..<3 {
                #expect(crop.start[axis] >= patch.corner[axis])
                #expect(crop.start[axis] + crop.size <= patch.corner[axis] + side)
                let (n, c) = (extent[axis], crop.size)
                let low = min(c / 2, n / 2 - 12)
                let high = max(n - c / 2, n / 2 + 12)
                let center = crop.start[axis] + c / 2
                #expect(center >= low && center < high)
                // Ranges differ by the scale: each centre by its place in its own, anywhere in its voxel.
                places[axis].append((Double(center - low) + generator.uniform()) / Double(high - low))
            }
        }
        for axis in 0..<3 {
            let (counts, _) = Self.histogram(places[axis], 0..<1, bins: 12)
            #expect(Self.deviation(counts, counts.map { _ in 1 }) < Self.limit, "axis \(axis): \(counts)")
        }
    }

    /// 30 % of an epoch are random crops; half of them, on the toss of a fair coin, from the scan of the listed nodule
    /// and scaled for it, the others from any scan, unscaled. Nodules are listed once, three or seven times.
    @Test func fractionsOfAnEpoch() throws {
        let side = PatchCutter.side(cropSize: 96, jitter: 24)
        let cutter = PatchCutter(cropSize: 96, side: side, backgroundPatches: 3, seed: 5)
        let diameters: [Double] = [3, 4, 6, 8, 12, 15, 25, 2]
        var patches: [PatchEntry] = []
        for scan in 0..<40 {
            patches += cutter.entries(
                seriesUID: "\(scan)", fold: scan % 10, extent: ZYX(300, 300, 300),
                nodules: scan < 20
                    ? [Nodule(center: ZYX(150, 150, 150), diameter: diameters[scan % diameters.count])] : [])
        }
        let sampler = try Sampler(
            MemorySource(patches: patches, side: side),
            SamplingConfiguration(
                preset: .luna16, cropSize: 96, seed: 23, validationFold: nil, replicas: 1, microBatch: 1,
                augmentation: Augmentation()))
        func copies(_ d: Double) -> Int { d > 20 ? 7 : d > 10 ? 3 : d > 2.5 ? 1 : 0 }
        let listed = (0..<20).reduce(0) { $0 + copies(diameters[$1 % diameters.count]) }
        #expect(sampler.list.count == listed)
        #expect(sampler.samplesPerEpoch == Int(Double(listed) / 0.7))

        var targets: [String: Int] = [:]
        var scaledFor: [Double: Int] = [:]
        var unscaledScans: [String: Int] = [:]
        let epochs = 400
        for epoch in 1...epochs {
            for sample in sampler.samples(epoch: epoch) {
                switch sample {
                case .target(let patch): targets[patches[patch].seriesUID, default: 0] += 1
                case .random(let patch, let diameter?):
                    scaledFor[diameter, default: 0] += 1
                    let scan = try #require(Int(patches[patch].seriesUID))
                    #expect(scan < 20 && diameters[scan % diameters.count] == diameter)
                case .random(let patch, nil): unscaledScans[patches[patch].seriesUID, default: 0] += 1
                }
            }
        }
        for scan in 0..<20 {
            #expect(targets["\(scan)"] ?? 0 == epochs * copies(diameters[scan % diameters.count]))
        }
        let scaled = scaledFor.values.reduce(0, +)
        let unscaled = unscaledScans.values.reduce(0, +)
        #expect(scaled + unscaled == epochs * (sampler.samplesPerEpoch - listed))
        #expect(abs(Self.deviation([scaled, unscaled], [1, 1])) < Self.limit)
        let scans = (0..<40).map { unscaledScans["\($0)"] ?? 0 }
        #expect(Self.deviation(scans, scans.map { _ in 1 }) < Self.limit)
    }

    /// Flips of y and x come on fair, independent coins, z never; swaps in all six orders; crops are square, so a
    /// marked voxel tells what was done.
    @Test func flipsAndSwapsAreFair() throws {
        let volume = MadeScans.volume(
            "1", extent: ZYX(60, 60, 60), nodules: [Nodule(center: ZYX(30, 30, 30), diameter: 9)])
        let source = MemorySource([(0, volume)], cropSize: 16)
        func frequencies(_ augmentation: Augmentation) throws -> [[Int]: Int] {
            let builder = CropBuilder(
                source: source,
                configuration: SamplingConfiguration(
                    preset: .luna16, cropSize: 16, seed: 3, validationFold: nil, replicas: 1, microBatch: 1,
                    augmentation: augmentation))
            var result: [[Int]: Int] = [:]
            for position in 0..<6000 {
                var generator = CounterGenerator(seed: 8, purpose: "sample", UInt64(position))
                let (crop, _) = try builder.trainingCrop(.target(patch: 0), &generator)
                // Along which axis, and in which direction, each channel's ramp rises.
                let cells = crop.cells
                let steps = [cells * cells, cells, 1]
                let key = (0..<3).map { channel -> Int in
                    let base = channel * cells * cells * cells
                    for axis in 0..<3 {
                        let slope = crop.coord[base + steps[axis]] - crop.coord[base]
                        if slope != 0 { return slope > 0 ? axis + 1 : -axis - 1 }
                    }
                    return 0
                }
                result[key, default: 0] += 1
            }
            return result
        }
        let flips = try frequencies(Augmentation(flip: true, swap: false, rotate: false, scale: true))
        #expect(Set(flips.keys) == [[1, 2, 3], [1, 2, -3], [1, -2, 3], [1, -2, -3]])
        #expect(Self.deviation(Array(flips.values), [1, 1, 1, 1]) < Self.limit)
        let swaps = try frequencies(Augmentation(flip: false, swap: true, rotate: false, scale: false))
        #expect(swaps.count == 6 && swaps.keys.allSatisfy { $0.sorted() == [1, 2, 3] })
        #expect(Self.deviation(Array(swaps.values), [1, 1, 1, 1, 1, 1]) < Self.limit)
        let none = try frequencies(Augmentation(flip: false, swap: false, rotate: false, scale: false))
        #expect(none.keys.count == 1)
    }
}
